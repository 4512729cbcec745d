#include "runtime/report/summary.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/report/assessment_record.h"
#include "runtime/report/assessment_text.h"
#include "runtime/report/blocking_call_text.h"
#include "runtime/report/contention_text.h"
#include "runtime/report/deadlock_text.h"
#include "runtime/report/duration_text.h"
#include "runtime/report/json_record.h"
#include "runtime/report/lock_order_text.h"
#include "runtime/report/never_awaited_text.h"
#include "runtime/report/race_text.h"

namespace tailback {
namespace {

constexpr size_t kRows = 50;
constexpr size_t kMostDeadlocks = 4096;
constexpr size_t kMostLockOrders = 1000;
constexpr size_t kMostNeverAwaited = 1000;
constexpr size_t kMostRaces = 1000;
constexpr size_t kMostContentions = 10000;

void add(Losses& sum, const Losses& losses) {
  sum.events = saturating_sum(sum.events, losses.events);
  sum.threads = saturating_sum(sum.threads, losses.threads);
  sum.processes = saturating_sum(sum.processes, losses.processes);
  sum.programs = saturating_sum(sum.programs, losses.programs);
  sum.corrupt = saturating_sum(sum.corrupt, losses.corrupt);
  sum.samples = saturating_sum(sum.samples, losses.samples);
}

void add(LoopSummary& sum, const LoopStatistics& loop) {
  ++sum.loops;
  LoopStatistics& s = sum.statistics;
  s.iterations = saturating_sum(s.iterations, loop.iterations);
  s.busy = saturating_sum(s.busy, loop.busy);
  s.lifetime = saturating_sum(s.lifetime, loop.lifetime);
  s.p50 = std::max(s.p50, loop.p50);
  s.p90 = std::max(s.p90, loop.p90);
  s.p99 = std::max(s.p99, loop.p99);
  s.p999 = std::max(s.p999, loop.p999);
  s.longest = std::max(s.longest, loop.longest);
}

double milliseconds(Nanoseconds duration) {
  return std::round(static_cast<double>(duration.count()) / 1e3) / 1e3;
}

double share(Nanoseconds part, Nanoseconds whole) {
  if (whole <= Nanoseconds::zero()) return 0;
  const double share = static_cast<double>(part.count()) / static_cast<double>(whole.count());
  return std::round(share * 1e4) / 1e4;
}

}  // namespace

void Summary::session(const SessionStart&) {
  begin_run();
}

void Summary::stall(const Stall& stall) {
  if (!in_run_) begin_run();
  if (stall.state == StallState::kOngoing) {
    ongoing_[stall.id] = stall;
    return;
  }
  ongoing_.erase(stall.id);
  tally_.add(stall);
}

void Summary::blocking_call(const BlockingCall& blocking_call) {
  if (!in_run_) begin_run();
  (blocking_call.state == BlockingCallState::kSum ? blocking_calls_ : blocking_calls_seen_)
      .add(blocking_call);
}

template <typename Value>
void Summary::count(FirstOfEach<Value>& all, size_t most, const Value& value) {
  if (!in_run_) begin_run();
  if (all.size() >= most && !all.contains(value.fingerprint)) return;
  Counted<Value>& counted = all[value.fingerprint];
  if (counted.count++ == 0) counted.first = value;
}

void Summary::deadlock(const Deadlock& deadlock) {
  count(deadlocks_, kMostDeadlocks, deadlock);
}

void Summary::lock_order(const LockOrder& order) {
  count(lock_orders_, kMostLockOrders, order);
}

void Summary::never_awaited(const NeverAwaited& never_awaited) {
  count(never_awaited_, kMostNeverAwaited, never_awaited);
}

void Summary::race(const Race& race) {
  count(races_, kMostRaces, race);
}

void Summary::assessment(const Assessment& assessment) {
  if (!in_run_) begin_run();
  constexpr size_t kMostAssessments = 100;
  if (assessments_.size() < kMostAssessments) assessments_.push_back(assessment);
}

// Of one lock in several runs: of one name, or initialised at one place, else waited for at one.
void Summary::contention(const Contention& contention) {
  if (!in_run_) begin_run();
  const OrderedLock& lock = contention.lock;
  const auto place_key = [](const Frame& frame) {
    return fmt::format("{}@{}:{}+{:x}", frame.function, frame.file, frame.line, frame.offset);
  };
  std::string key = contention.process + " " + lock.kind + " " + lock.name;
  if (lock.name.empty()) key += place_key(lock.initialised);
  if (!contention.places.empty() && lock.name.empty() && lock.initialised == Frame{}) {
    key += place_key(contention.places.front().frame);
  }
  const auto it = contentions_.find(key);
  if (it == contentions_.end()) {
    if (contentions_.size() < kMostContentions) contentions_.emplace(key, contention);
    return;
  }
  Contention& sum = it->second;
  sum.waits = saturating_sum(sum.waits, contention.waits);
  sum.total = saturating_sum(sum.total, contention.total);
  sum.longest = std::max(sum.longest, contention.longest);
  if (contention.hold_known && (!sum.hold_known || contention.longest_hold > sum.longest_hold)) {
    sum.hold_known = true;
    sum.longest_hold = contention.longest_hold;
    sum.hold_is_part = contention.hold_is_part;
  }
}

void Summary::end(const SessionEnd& end) {
  if (!in_run_) begin_run();
  contention_counts_.lost_waits =
      saturating_sum(contention_counts_.lost_waits, end.contention.lost_waits);
  duration_ = saturating_sum(duration_, end.duration);
  longest_hold_ = std::max(longest_hold_, end.longest_hold);
  add(losses_, end.losses);
  suppressed_ += end.suppressed;
  suppressed_time_ = saturating_sum(suppressed_time_, end.suppressed_time);
  for (const LoopStatistics& loop : end.loops) {
    if (runs_ == 1) loops_.push_back(loop);
    const LoopKey key(loop.process, loop.thread, loop.loop.wait, loop.loop.fd);
    const auto [it, fresh] = merged_loops_.try_emplace(key, LoopSummary{loop, 1});
    if (fresh) {
      it->second.statistics.pid = 0;
      it->second.statistics.tid = 0;
    } else {
      add(it->second, loop);
    }
  }
  end_run();
}

void Summary::cut_short() {
  ++runs_without_end_;
  for (const BlockingCall* blocking_call : blocking_calls_seen_.by_total())
    blocking_calls_.add(*blocking_call);
  for (auto& [id, stall] : ongoing_) {
    stall.state = StallState::kUnfinished;
    tally_.add(stall);
  }
  end_run();
}

void Summary::begin_run() {
  ++runs_;
  in_run_ = true;
  ongoing_.clear();
  blocking_calls_seen_ = {};
}

void Summary::end_run() {
  in_run_ = false;
  ongoing_.clear();
}

std::vector<LoopSummary> Summary::loops() const {
  std::vector<LoopSummary> loops;
  if (runs_ == 1) {
    for (const LoopStatistics& loop : loops_) loops.push_back({loop, 1});
  } else {
    for (const auto& [key, loop] : merged_loops_) loops.push_back(loop);
  }
  return loops;
}

std::string Summary::text() const {
  std::string text = count_text(runs_, "run", "runs");
  if (runs_without_end_ < runs_) text += ", " + duration_text(duration_);
  if (runs_without_end_ > 0) {
    text += fmt::format(" ({} without an end record: their loops are missing)",
                        count_text(runs_without_end_));
  }
  if (tally_.stalls() == 0) {
    text += "; no stall\n";
  } else {
    text += fmt::format("; {}, {} in all\n", count_text(tally_.stalls(), "stall", "stalls"),
                        duration_text(tally_.stalled()));
    text += "\n" + culprit_table(tally_, kRows, "");
  }
  if (suppressed_ > 0) text += suppressed_text(suppressed_, suppressed_time_);
  for (const auto& [fingerprint, known] : deadlocks_) {
    text += fmt::format("\n{}{}\n", deadlock_headline(known.first),
                        known.count > 1 ? fmt::format(" ({} times)", known.count) : "");
  }
  const std::string blocking_call_rows = blocking_calls_text(blocking_calls_, {}, kRows);
  if (!blocking_call_rows.empty()) text += "\n" + blocking_call_rows;
  if (!lock_orders_.empty()) {
    text += fmt::format("\n{} can deadlock\n",
                        count_text(lock_orders_.size(), "order of locks", "orders of locks"));
    for (const auto& [fingerprint, tally] : lock_orders_) {
      text += fmt::format("  {}{}\n", lock_order_what(tally.first),
                          tally.count > 1 ? fmt::format(" ({} times)", tally.count) : "");
    }
  }
  if (!never_awaited_.empty()) {
    text += "\n" + count_text(never_awaited_.size(), "place makes", "places make") +
            " coroutines that are never awaited\n";
    for (const auto& [fingerprint, tally] : never_awaited_) {
      text += fmt::format("  {}\n", never_awaited_headline(tally.first));
    }
  }
  if (!races_.empty()) {
    text += "\n" + count_text(races_.size(), "finding", "findings") + " of ThreadSanitizer\n";
    for (const auto& [fingerprint, tally] : races_) {
      text += fmt::format("  {}{}\n", race_headline(tally.first),
                          tally.count > 1 ? fmt::format(" ({} times)", tally.count) : "");
    }
  }
  const std::string contention_rows = contentions_text(contentions(), contention_counts_, kRows);
  if (!contention_rows.empty()) text += "\n" + contention_rows;
  const std::string loop_rows = loop_table(loops(), kRows, "");
  if (!loop_rows.empty()) text += "\n" + loop_rows;
  for (const Assessment& assessment : assessments_) text += "\n" + verdict_text(assessment.verdict);
  const std::string hold = hold_text(longest_hold_, "");
  if (!hold.empty()) text += "\n" + hold;
  if (losses_.any()) text += "\nIncomplete:\n" + losses_text(losses_, "  ");
  return text;
}

std::vector<Contention> Summary::contentions() const {
  std::vector<Contention> all;
  for (const auto& [key, lock] : contentions_) all.push_back(lock);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.total > b.total; });
  return all;
}

std::string Summary::json() const {
  using Json = nlohmann::ordered_json;
  const auto or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  Json culprits = Json::array();
  for (const Culprit* culprit : tally_.by_total()) {
    const Frame none;
    const Frame& frame = culprit->frame ? *culprit->frame : none;
    culprits.push_back({{"fingerprint", culprit->fingerprint},
                        {"cause", word(culprit->cause)},
                        {"function", or_null(frame.function)},
                        {"file", or_null(frame.file)},
                        {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)},
                        {"module", or_null(frame.module)},
                        {"call", or_null(culprit->call)},
                        {"object", or_null(culprit->object)},
                        {"more_objects", culprit->more_objects},
                        {"count", culprit->count},
                        {"unfinished", culprit->unfinished},
                        {"total_ms", milliseconds(culprit->total)},
                        {"longest_ms", milliseconds(culprit->longest)},
                        {"share", share(culprit->total, tally_.stalled())}});
  }
  Json loops = Json::array();
  for (const LoopSummary& loop : this->loops()) {
    const LoopStatistics& s = loop.statistics;
    loops.push_back(
        {{"process", s.process},
         {"thread", s.thread},
         {"pid", s.pid != 0 ? Json(s.pid) : Json(nullptr)},
         {"tid", s.tid != 0 ? Json(s.tid) : Json(nullptr)},
         {"loop",
          {{"wait", s.loop.wait}, {"fd", s.loop.fd >= 0 ? Json(s.loop.fd) : Json(nullptr)}}},
         {"loops", loop.loops},
         {"iterations", s.iterations},
         {"busy_share", share(s.busy, s.lifetime)},
         {"p50_ms", milliseconds(s.p50)},
         {"p90_ms", milliseconds(s.p90)},
         {"p99_ms", milliseconds(s.p99)},
         {"p999_ms", milliseconds(s.p999)},
         {"longest_ms", milliseconds(s.longest)}});
  }
  Json blocking_calls = Json::array();
  for (const BlockingCall* blocking_call : blocking_calls_.by_total()) {
    const Stall& longest = blocking_call->longest;
    const Frame none;
    const Frame* const culprit = culprit_frame(longest);
    const Frame& frame = culprit != nullptr ? *culprit : none;
    blocking_calls.push_back(
        {{"fingerprint", longest.fingerprint},
         {"kind", word(blocking_call->kind)},
         {"cause", word(longest.cause)},
         {"function", or_null(frame.function)},
         {"file", or_null(frame.file)},
         {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)},
         {"module", or_null(frame.module)},
         {"call", longest.call ? or_null(longest.call->function) : Json(nullptr)},
         {"object", longest.call ? or_null(longest.call->object) : Json(nullptr)},
         {"count", blocking_call->count},
         {"total_ms", milliseconds(blocking_call->total)},
         {"longest_ms", milliseconds(longest.duration)}});
  }
  Json deadlocks = Json::array();
  for (const auto& [fingerprint, known] : deadlocks_) {
    deadlocks.push_back({{"fingerprint", fingerprint},
                         {"kind", word(known.first.kind)},
                         {"count", known.count},
                         {"text", deadlock_headline(known.first)}});
  }
  // As they are recorded.
  Json contention = Json::array();
  for (const Contention& lock : contentions()) contention.push_back(Json::parse(json_line(lock)));
  Json assessments = Json::array();
  for (const Assessment& assessment : assessments_) {
    Json one = Json::parse(json_line(assessment));
    one.erase("measured");  // stands in the recording
    assessments.push_back(std::move(one));
  }
  // Of what is told once for each place: what it is, and in how many runs or processes.
  const auto listed = [](const auto& tallies, auto what) {
    Json list = Json::array();
    for (const auto& [fingerprint, tally] : tallies) {
      list.push_back(
          {{"fingerprint", fingerprint}, {"count", tally.count}, {"text", what(tally.first)}});
    }
    return list;
  };
  const Json summary = {{"schema", kReportSchema},
                        {"type", "summary"},
                        {"runs", runs_},
                        {"runs_without_end", runs_without_end_},
                        {"duration_ms", milliseconds(duration_)},
                        {"stalls", tally_.stalls()},
                        {"stalled_ms", milliseconds(tally_.stalled())},
                        {"suppressed", suppressed_},
                        {"suppressed_ms", milliseconds(suppressed_time_)},
                        {"culprits", std::move(culprits)},
                        {"other_culprits",
                         {{"count", tally_.others().count},
                          {"total_ms", milliseconds(tally_.others().total)},
                          {"longest_ms", milliseconds(tally_.others().longest)}}},
                        {"longest_hold_ms", milliseconds(longest_hold_)},
                        {"losses",
                         {{"events", losses_.events},
                          {"threads", losses_.threads},
                          {"processes", losses_.processes},
                          {"programs", losses_.programs},
                          {"corrupt", losses_.corrupt},
                          {"samples", losses_.samples}}},
                        {"loops", std::move(loops)},
                        {"blocking_calls", std::move(blocking_calls)},
                        {"deadlocks", std::move(deadlocks)},
                        {"lock_orders", listed(lock_orders_, lock_order_what)},
                        {"races", listed(races_, race_headline)},
                        {"never_awaited", listed(never_awaited_, never_awaited_headline)},
                        {"contention", std::move(contention)},
                        {"assessments", std::move(assessments)}};
  return summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tailback

#include "runtime/report/summary.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/report/assessment_text.h"
#include "runtime/report/blocking_call_text.h"
#include "runtime/report/contention_text.h"
#include "runtime/report/duration_text.h"
#include "runtime/report/finding_text.h"
#include "runtime/report/json_record.h"

namespace tailback {
namespace {

constexpr size_t kRows = 50;

void add_to(Losses& sum, const Losses& losses) {
  sum.events = saturating_sum(sum.events, losses.events);
  sum.threads = saturating_sum(sum.threads, losses.threads);
  sum.processes = saturating_sum(sum.processes, losses.processes);
  sum.programs = saturating_sum(sum.programs, losses.programs);
  sum.corrupt = saturating_sum(sum.corrupt, losses.corrupt);
  sum.samples = saturating_sum(sum.samples, losses.samples);
  sum.lock_acquisitions = saturating_sum(sum.lock_acquisitions, losses.lock_acquisitions);
  sum.lock_programs = saturating_sum(sum.lock_programs, losses.lock_programs);
  sum.lock_stacks = saturating_sum(sum.lock_stacks, losses.lock_stacks);
  sum.lock_waits = saturating_sum(sum.lock_waits, losses.lock_waits);
}

void add_to(LoopSummary& sum, const LoopStatistics& loop) {
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

void Summary::report(const Record& record) {
  const bool is_summed =
      !std::holds_alternative<Note>(record) && !std::holds_alternative<SessionStatus>(record);
  if (!in_run_ && is_summed && !std::holds_alternative<SessionStart>(record)) begin_run();
  std::visit(
      [&](const auto& value) {
        if constexpr (requires { add(value); }) {
          add(value);
        } else {
          add_finding(record);
        }
      },
      record);
}

void Summary::add(const SessionStart&) {
  begin_run();
}

void Summary::add(const Stall& stall) {
  if (stall.state == StallState::kOngoing) {
    ongoing_[stall.id] = stall;
    return;
  }
  ongoing_.erase(stall.id);
  tally_.add(stall);
}

void Summary::add(const BlockingCall& blocking_call) {
  (blocking_call.state == BlockingCallState::kSum ? blocking_calls_ : blocking_calls_seen_)
      .add(blocking_call);
}

void Summary::add_finding(const Record& record) {
  const std::string_view fingerprint = fingerprint_of(record);
  if (finding_headline(record).empty()) return;
  FirstOfEach& all = findings_[kind_of(record)];
  auto it = all.find(fingerprint);
  if (it == all.end()) {
    if (all.size() >= row_of(kind_of(record)).cap) return;
    it = all.emplace(fingerprint, Counted{record, 0}).first;
  }
  ++it->second.count;
}

const Summary::FirstOfEach& Summary::findings(RecordKind kind) const {
  static const FirstOfEach kNone;
  const auto it = findings_.find(kind);
  return it == findings_.end() ? kNone : it->second;
}

void Summary::add(const Assessment& assessment) {
  if (assessments_.size() < row_of(RecordKind::kAssessment).cap) {
    assessments_.push_back(assessment);
  }
}

// Of one lock in several runs: of one name, or initialised at one place, else waited for at one.
void Summary::add(const Contention& contention) {
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
    if (contentions_.size() < row_of(RecordKind::kContention).cap)
      contentions_.emplace(key, contention);
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

void Summary::add(const SessionEnd& end) {
  duration_ = saturating_sum(duration_, end.duration);
  longest_pause_ = std::max(longest_pause_, end.longest_pause);
  add_to(losses_, end.losses);
  suppressed_ = saturating_sum(suppressed_, end.counts[RecordKind::kStall].suppressed);
  suppressed_time_ = saturating_sum(suppressed_time_, end.suppressed_time);
  for (const LoopStatistics& loop : end.loops) {
    if (runs_ == 1) loops_.push_back(loop);
    const LoopKey key(loop.process, loop.thread, loop.loop.wait, loop.loop.fd);
    const auto [it, fresh] = merged_loops_.try_emplace(key, LoopSummary{loop, 1});
    if (fresh) {
      it->second.statistics.pid = 0;
      it->second.statistics.tid = 0;
    } else {
      add_to(it->second, loop);
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
  const std::string blocking_call_rows = blocking_calls_text(blocking_calls_, {}, kRows);
  if (!blocking_call_rows.empty()) text += "\n" + blocking_call_rows;
  for (const auto& [kind, all] : findings_) {
    text += fmt::format("\n{} {}\n", count_text(all.size()),
                        all.size() == 1 ? row_of(kind).one : row_of(kind).many);
    for (const auto& [fingerprint, counted] : all) {
      text += fmt::format("  {}{}\n", finding_headline(counted.first),
                          counted.count > 1 ? fmt::format(" ({} times)", counted.count) : "");
    }
  }
  const std::string contention_rows = contentions_text(contentions(), 0, kRows);
  if (!contention_rows.empty()) text += "\n" + contention_rows;
  const std::string loop_rows = loop_table(loops(), kRows, "");
  if (!loop_rows.empty()) text += "\n" + loop_rows;
  for (const Assessment& assessment : assessments_) text += "\n" + verdict_text(assessment.verdict);
  const std::string pause = pause_text(longest_pause_, "");
  if (!pause.empty()) text += "\n" + pause;
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
  // As they are recorded.
  Json contention = Json::array();
  for (const Contention& lock : contentions()) contention.push_back(Json::parse(json_line(lock)));
  Json assessments = Json::array();
  for (const Assessment& assessment : assessments_) {
    Json one = Json::parse(json_line(assessment));
    one.erase("measured");  // stands in the recording
    assessments.push_back(std::move(one));
  }
  // Of what is reported once for each place: what it is, and in how many runs or processes.
  const auto listed = [&](RecordKind kind) {
    Json list = Json::array();
    for (const auto& [fingerprint, counted] : findings(kind)) {
      list.push_back({{"fingerprint", fingerprint},
                      {"count", counted.count},
                      {"text", finding_headline(counted.first)}});
      if (const auto* const deadlock = std::get_if<Deadlock>(&counted.first)) {
        list.back()["kind"] = word(deadlock->kind);
      }
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
                        {"longest_pause_ms", milliseconds(longest_pause_)},
                        {"losses",
                         {{"events", losses_.events},
                          {"threads", losses_.threads},
                          {"processes", losses_.processes},
                          {"programs", losses_.programs},
                          {"corrupt", losses_.corrupt},
                          {"samples", losses_.samples},
                          {"lock_acquisitions", losses_.lock_acquisitions},
                          {"lock_programs", losses_.lock_programs},
                          {"lock_stacks", losses_.lock_stacks},
                          {"lock_waits", losses_.lock_waits}}},
                        {"loops", std::move(loops)},
                        {"blocking_calls", std::move(blocking_calls)},
                        {"deadlocks", listed(RecordKind::kDeadlock)},
                        {"lock_orders", listed(RecordKind::kLockOrder)},
                        {"races", listed(RecordKind::kRace)},
                        {"never_awaited", listed(RecordKind::kNeverAwaited)},
                        {"contention", std::move(contention)},
                        {"assessments", std::move(assessments)}};
  return summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tailback

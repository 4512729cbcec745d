#include "runtime/report/assessment_record.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/report/json_record.h"
#include "runtime/report/record_fields.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(Nanoseconds time) {
  return std::round(static_cast<double>(std::max<int64_t>(time.count(), 0)) / 1e3) / 1e3;
}

double hundredths(double number) {
  return std::round(number * 100) / 100;
}

std::string cut(const std::string& text) {
  if (text.size() <= kListedStringBytes) return text;
  return std::string(utf8_prefix(text, kListedStringBytes)) + "…";
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(cut(text));
}

Json threads(const ThreadTime& time) {
  Json blocked = Json::object();
  for (size_t i = 0; i < kActivityWords.size(); ++i) {
    blocked[std::string(kActivityWords[i])] = milliseconds(time.blocked[i]);
  }
  return {{"on_cpu_ms", milliseconds(time.on_cpu)},
          {"runnable_ms", milliseconds(time.runnable)},
          {"blocked_ms", std::move(blocked)}};
}

Json program(const ProgramTime& time) {
  return {{"computing_ms", milliseconds(time.computing)},
          {"waiting_ms", milliseconds(time.waiting)},
          {"locked_ms", milliseconds(time.locked)},
          {"resting_ms", milliseconds(time.resting)}};
}

Json in_flight(const InFlight& flight) {
  return {{"time_ms", milliseconds(flight.time)},
          {"mean", hundredths(flight.mean)},
          {"p50", flight.p50},
          {"p90", flight.p90},
          {"most", flight.most},
          {"operations", flight.operations}};
}

Json spawning(const Spawning& spawning) {
  return {{"ended", spawning.ended},
          {"short_lived", spawning.short_lived},
          {"median_life_ms", milliseconds(spawning.median_life)},
          {"lives_ms", milliseconds(spawning.lives)},
          {"start_ms", spawning.start_known ? Json(milliseconds(spawning.start)) : Json(nullptr)}};
}

Json trouble(const LoopTrouble& trouble) {
  if (trouble.stalls == 0) return nullptr;
  return {{"cause", word(trouble.cause)},
          {"call", or_null(trouble.call)},
          {"function", or_null(trouble.culprit.function)},
          {"file", or_null(trouble.culprit.file)},
          {"line", trouble.culprit.line > 0 ? Json(trouble.culprit.line) : Json(nullptr)},
          {"stalls", trouble.stalls},
          {"total_ms", milliseconds(trouble.total)},
          {"longest_ms", milliseconds(trouble.longest)}};
}

Json measured(const Measurement& m) {
  return {{"duration_ms", milliseconds(m.duration)},
          {"samples", m.samples},
          {"cpus", m.cpus},
          {"throttled_ms", milliseconds(m.throttled)},
          {"threads", threads(m.threads)},
          {"program", program(m.program)},
          {"in_flight", in_flight(m.in_flight)},
          {"descriptors", m.descriptors},
          {"loops", m.loops},
          {"blocked_loops_ms", milliseconds(m.blocked_loops)},
          {"loop_call", or_null(m.loop_call)},
          {"threads_seen", m.threads_seen},
          {"most_threads", m.most_threads},
          {"computing_threads", m.computing_threads},
          {"processes_seen", m.processes_seen},
          {"computing_processes", m.computing_processes},
          {"resident_bytes", m.resident_bytes},
          {"stack_threads", m.stack_threads},
          {"stack_bytes", m.stack_bytes},
          {"interpreter", m.interpreter},
          {"spawning", spawning(m.spawning)},
          {"blocked_loop", trouble(m.blocked_loop)},
          {"computing_loop", trouble(m.computing_loop)},
          {"lock", or_null(m.lock)},
          {"incomplete", m.incomplete}};
}

}  // namespace

std::string json_line(const Assessment& assessment) {
  const Verdict& verdict = assessment.verdict;
  const Json line = {
      {"schema", kReportSchema},          {"type", "assessment"},
      {"time", rfc3339(assessment.time)}, {"limit", word(verdict.limit)},
      {"present", word(verdict.present)}, {"model", word(verdict.model)},
      {"change", verdict.change},         {"confidence", word(verdict.confidence)},
      {"doubts", verdict.doubts},         {"finding", verdict.finding},
      {"advice", verdict.advice},         {"measured", measured(assessment.measured)}};
  // Targets name things in any bytes: those that are no UTF-8 become U+FFFD.
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Assessment assessment_of(const Fields& fields) {
  Assessment assessment;
  assessment.time = fields.time("time");
  Verdict& verdict = assessment.verdict;
  verdict.limit = fields.word_of<Limit>("limit", kLimitWords);
  verdict.present = fields.word_of<Model>("present", kModelWords);
  verdict.model = fields.word_of<Model>("model", kModelWords);
  verdict.change = fields.flag("change", false);
  verdict.confidence = fields.word_of<Confidence>("confidence", kConfidenceWords);
  verdict.doubts = fields.texts("doubts");
  verdict.finding = fields.text("finding");
  verdict.advice = fields.text("advice");
  return assessment;
}

}  // namespace tailback

#include "runtime/report/jsonl_reporter.h"

#include <utility>

#include "runtime/report/assessment_record.h"
#include "runtime/report/json_record.h"
#include "runtime/report/never_awaited_record.h"
#include "runtime/report/race_record.h"

namespace tailback {

JsonlReporter::JsonlReporter(const std::string& path, ReportFile::Complain complain)
    : file_(path, std::move(complain)) {}

void JsonlReporter::session(const SessionStart& start) {
  file_.append(json_line(start));
}
void JsonlReporter::stall(const Stall& stall) {
  file_.append(json_line(stall));
}
void JsonlReporter::note(const Note& note) {
  file_.append(json_line(note));
}
void JsonlReporter::blocking_call(const BlockingCall& blocking_call) {
  file_.append(json_line(blocking_call));
}
void JsonlReporter::deadlock(const Deadlock& deadlock) {
  file_.append(json_line(deadlock));
}
void JsonlReporter::lock_order(const LockOrder& order) {
  file_.append(json_line(order));
}

void JsonlReporter::never_awaited(const NeverAwaited& never_awaited) {
  file_.append(json_line(never_awaited));
}
void JsonlReporter::race(const Race& race) {
  file_.append(json_line(race));
}
void JsonlReporter::contention(const Contention& contention) {
  file_.append(json_line(contention));
}
void JsonlReporter::status(const SessionStatus& status) {
  file_.append(json_line(status));
}
void JsonlReporter::end(const SessionEnd& end) {
  file_.append(json_line(end));
}
void JsonlReporter::assessment(const Assessment& assessment) {
  file_.append(json_line(assessment));
}

}  // namespace tailback

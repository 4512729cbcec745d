#include "runtime/suppress/rule_subject.h"

namespace tailback {
namespace {

using Subjects = std::vector<RuleSubject>;

Subjects subjects(const Stall& stall) {
  RuleSubject subject{word(stall.cause), {}, {}, {&stall.stack}};
  if (stall.call) {
    subject.calls.push_back(stall.call->function);
    if (!stall.call->object.empty()) subject.objects.push_back(stall.call->object);
  }
  return {subject};
}

Subjects subjects(const BlockingCall& blocking_call) {
  return subjects(blocking_call.longest);
}

Subjects subjects(const Deadlock& deadlock) {
  RuleSubject subject{row_of(RecordKind::kDeadlock).word, {}, {}, {}};
  for (const DeadlockedThread& thread : deadlock.threads) {
    if (!thread.in_cycle) continue;
    subject.calls.push_back(thread.call.function);
    subject.objects.push_back(thread.wants.name);
    subject.stacks.push_back(&thread.stack);
  }
  return {subject};
}

Subjects subjects(const LockOrder& order) {
  Subjects all;
  for (const LockStep& step : order.steps) {
    RuleSubject subject{
        word(Cause::kLock), {row_of(RecordKind::kLockOrder).word}, {}, {&step.stack}};
    if (step.taken < order.locks.size() && !order.locks[step.taken].name.empty()) {
      subject.objects.push_back(order.locks[step.taken].name);
    }
    all.push_back(subject);
  }
  return all;
}

Subjects subjects(const Race& race) {
  RuleSubject subject{word(race.type), {race.kind}, {}, {}};
  if (race.location) subject.objects.push_back(race.location->name);
  for (const RaceStack& one : race.stacks) subject.stacks.push_back(&one.stack);
  for (const RaceAccess& access : race.accesses) subject.stacks.push_back(&access.at.stack);
  return {subject};
}

Subjects subjects(const NeverAwaited& never_awaited) {
  return {{row_of(RecordKind::kNeverAwaited).word,
           {},
           {never_awaited.coroutine},
           {&never_awaited.stack}}};
}

}  // namespace

std::vector<RuleSubject> rule_subjects(const Record& record) {
  return std::visit(
      [](const auto& value) -> Subjects {
        if constexpr (requires { subjects(value); }) return subjects(value);
        return {};
      },
      record);
}

std::vector<std::string_view> finding_causes() {
  std::vector<std::string_view> causes = {row_of(RecordKind::kDeadlock).word,
                                          row_of(RecordKind::kNeverAwaited).word};
  causes.insert(causes.end(), kRaceTypeWords.begin(), kRaceTypeWords.end());
  return causes;
}

}  // namespace tailback

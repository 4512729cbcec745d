// A record as the keys of a rule see it.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/values/record.h"

namespace tailback {

// What a rule's patterns are matched with. Of a key with several texts any may match.
struct RuleSubject {
  std::string_view cause;
  std::vector<std::string_view> calls;
  std::vector<std::string_view> objects;
  std::vector<const std::vector<Frame>*> stacks;  // any frame of any may match `function`
};

// A rule that matches one of them matches the record. Empty: no rule can match it. They point into
// the record.
//
// Stall, blocking call: its cause, call, object and stack.
// Deadlock: cause "deadlock"; of the threads in the cycle the calls, stacks and the locks that they
// want.
// Lock-order inversion: one subject for each acquisition, cause "lock", call "lock-order", the lock
// that was taken as the object.
// Race: cause is the record's type ("race"), call ThreadSanitizer's word ("data-race"), object the
// variable; the stacks of the accesses and of the report as a whole.
// Never-awaited: cause "never-awaited", object the coroutine, the stack of where it was made.
std::vector<RuleSubject> rule_subjects(const Record& record);

// What `cause` can be of findings that are no stall.
std::vector<std::string_view> finding_causes();

}  // namespace tailback

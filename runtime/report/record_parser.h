// One line of a recording as a plain value: what json_record.h writes, read back. A line is hostile
// input: it may come from a damaged file, another tool or a later version.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/values/assessment.h"
#include "runtime/values/blocking_call.h"
#include "runtime/values/contention.h"
#include "runtime/values/deadlock.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/never_awaited.h"
#include "runtime/values/note.h"
#include "runtime/values/race.h"
#include "runtime/values/session.h"
#include "runtime/values/stall.h"

namespace tailback {

// A record of our schema whose type this version does not know. Later versions add types without a
// new schema number; readers step over them.
struct OtherRecord {
  std::string type;
};

using Record =
    std::variant<SessionStart, Stall, Note, BlockingCall, Deadlock, LockOrder, Race, NeverAwaited,
                 Contention, Assessment, SessionStatus, SessionEnd, OtherRecord>;

// The line is no record. what() says why in a few words, without file or line.
class MalformedRecord : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The line is a record of another schema. what() is the schema as the line has it.
class UnknownSchema : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws MalformedRecord or UnknownSchema. Fields that a record can do without may be absent;
// unknown fields are ignored.
Record parse_record(std::string_view line);

}  // namespace tailback

// The parts that recorded JSON records have in common. All throw MalformedRecord.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/report/record_fields.h"
#include "runtime/values/lock.h"
#include "runtime/values/stall.h"

namespace tailback {

Frame frame_of(const nlohmann::json& value);
// The fields that say which thread of which process it is.
template <typename Record>
void read_thread(const Fields& fields, Record& record) {
  record.pid = fields.number<int>("pid");
  record.tid = fields.number<int>("tid");
  record.process = fields.text("process");
  record.thread = fields.text("thread");
}
// The fields "stack" and "culprit", and the one that says whether the stack is whole.
void read_stack(const Fields& fields, const char* complete_field, std::vector<Frame>& stack,
                size_t& culprit, bool& complete);
LoopIdentity loop_of(const nlohmann::json& value);
BlockedCall call_of(const nlohmann::json& value);
Lock lock_of(const nlohmann::json& value);
LockOwner owner_of(const nlohmann::json& value);

}  // namespace tailback

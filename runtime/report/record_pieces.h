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
// The fields "stack" and "culprit", and the one that says whether the stack is whole.
void read_stack(const Fields& fields, const char* complete_field, std::vector<Frame>& stack,
                size_t& culprit, bool& complete);
LoopIdentity loop_of(const nlohmann::json& value);
BlockedCall call_of(const nlohmann::json& value);
Lock lock_of(const nlohmann::json& value);
LockOwner owner_of(const nlohmann::json& value);

}  // namespace tailback

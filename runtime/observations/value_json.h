// What detectors read of the kernel and of targets, as JSON.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/capture/snapshot.h"
#include "runtime/kernel/descriptor_facts.h"
#include "runtime/kernel/kernel_facts.h"
#include "runtime/lock_state/lock_reading.h"
#include "runtime/observations/segment_json.h"
#include "runtime/sampling/sample.h"
#include "runtime/unwind/unwinder.h"
#include "runtime/values/frame.h"

namespace tailback {

void to_json(Json& json, const ThreadStat& stat);
void from_json(const Json& json, ThreadStat& stat);
void to_json(Json& json, const ScheduleTimes& times);
void from_json(const Json& json, ScheduleTimes& times);
void to_json(Json& json, const KernelCall& call);
void from_json(const Json& json, KernelCall& call);
void to_json(Json& json, const ExecutableFile& file);
void from_json(const Json& json, ExecutableFile& file);
void to_json(Json& json, const MachineClocks& clocks);
void from_json(const Json& json, MachineClocks& clocks);
void to_json(Json& json, const DescriptorFacts& facts);
void from_json(const Json& json, DescriptorFacts& facts);
void to_json(Json& json, const LockReading& lock);
void from_json(const Json& json, LockReading& lock);
void to_json(Json& json, const Frame& frame);
void from_json(const Json& json, Frame& frame);
void to_json(Json& json, const RawFrame& frame);
void from_json(const Json& json, RawFrame& frame);
void to_json(Json& json, const RawStack& stack);
void from_json(const Json& json, RawStack& stack);
void to_json(Json& json, const Mapping& mapping);
void from_json(const Json& json, Mapping& mapping);

Json json_of(const ModuleMap& modules);
std::shared_ptr<const ModuleMap> modules_from(const Json& json);

// The snapshot without its stack and its modules; `id` names it in the recording.
Json json_of(const Snapshot& snapshot);
Snapshot snapshot_from(const Json& json);
Json json_of(const std::vector<InterpreterStack>& stacks);
// Null is none.
std::vector<InterpreterStack> interpreted_from(const Json& json);
// Without owners, which detectors add.
Json json_of(const Sample& sample);
Sample sample_from(const Json& json);

Json json_of(const contract::Context& context);
contract::Context context_from(const Json& json);

template <typename T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
template <typename T>
std::optional<T> optional_from(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

}  // namespace tailback

#include "runtime/analysis/answer_waits.h"

#include <algorithm>
#include <string_view>

#include "runtime/values/frame.h"

namespace tailback {

namespace {

bool is_extension_module(std::string_view path) {
  const std::string_view name = file_name(path);
  return name.find(".cpython-") != std::string_view::npos || name.ends_with(".abi3.so");
}

bool uses_greenlets(const ModuleMap& modules) {
  return std::any_of(modules.mappings().begin(), modules.mappings().end(), [](const Mapping& one) {
    return file_name(one.path).find("greenlet") != std::string_view::npos;
  });
}

bool has_module(const RawStack& stack, const ModuleMap& modules, std::string_view path) {
  return std::any_of(stack.frames.begin(), stack.frames.end(), [&](const RawFrame& frame) {
    const Mapping* mapping = modules.find(frame.address);
    return mapping && mapping->path == path;
  });
}

}  // namespace

bool is_after_wait_for_answer(const StallSeen& observation, StackReader& reader) {
  if (observation.samples.empty() || observation.wait.call_site == 0 || !observation.modules) {
    return false;
  }
  const Mapping* waiter = observation.modules->find(RemoteAddress(observation.wait.call_site));
  if (!waiter || !is_extension_module(waiter->path) ||
      file_name(waiter->path).starts_with("select.") || uses_greenlets(*observation.modules)) {
    return false;
  }
  return std::all_of(
      observation.samples.begin(), observation.samples.end(), [&](const WeighedSample& observed) {
        const Sample& sample = *observed.sample;
        if (!sample.snapshot) return false;
        const RawStack stack = reader.source().unwind(*sample.snapshot);
        return stack.complete && !has_module(stack, *sample.snapshot->modules, waiter->path);
      });
}

}  // namespace tailback

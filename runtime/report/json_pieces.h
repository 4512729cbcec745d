// The parts that records have in common, as JSON.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/report/json_record.h"
#include "runtime/report/terminal_escape.h"

namespace tailback {

// Keeps the order of the fields, so that a line begins with what it is.
using Json = nlohmann::ordered_json;

inline constexpr size_t kListEntries = 1024;

inline double json_milliseconds(Nanoseconds duration) {
  const int64_t nanoseconds = std::max<int64_t>(duration.count(), 0);
  return std::round(static_cast<double>(nanoseconds) / 1e3) / 1e3;
}

template <typename Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Renders with every string cut to a number of bytes.
class JsonPieces {
 public:
  explicit JsonPieces(size_t string_bytes) : string_bytes_(string_bytes) {}

  std::string cut(std::string_view text) const {
    if (text.size() <= string_bytes_) return std::string(text);
    return std::string(utf8_prefix(text, string_bytes_)) + "…";
  }

  Json or_null(std::string_view text) const {
    return text.empty() ? Json(nullptr) : Json(cut(text));
  }
  template <typename T>
  static Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
  }

  Json frame(const Frame& frame) const {
    return {{"function", or_null(frame.function)},
            {"file", or_null(frame.file)},
            {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)},
            {"module", or_null(frame.module)},
            {"offset", offset(frame.offset)},
            {"inlined", frame.inlined},
            {"language", cut(frame.language)}};
  }

  // As text: JSON readers that keep numbers as doubles would round the address of JIT code.
  static std::string offset(uint64_t value) {
    char digits[18] = "0x";
    const auto [end, error] = std::to_chars(digits + 2, std::end(digits), value, 16);
    return {digits, end};
  }

  Json loop(const LoopIdentity& loop) const {
    return {{"wait", cut(loop.wait)}, {"fd", loop.fd >= 0 ? Json(loop.fd) : Json(nullptr)}};
  }

  Json loop(const LoopStatistics& statistics) const {
    return {{"pid", statistics.pid},
            {"tid", statistics.tid},
            {"process", cut(statistics.process)},
            {"thread", cut(statistics.thread)},
            {"loop", loop(statistics.loop)},
            {"iterations", statistics.iterations},
            {"busy_ms", json_milliseconds(statistics.busy)},
            {"lifetime_ms", json_milliseconds(statistics.lifetime)},
            {"p50_ms", json_milliseconds(statistics.p50)},
            {"p90_ms", json_milliseconds(statistics.p90)},
            {"p99_ms", json_milliseconds(statistics.p99)},
            {"p999_ms", json_milliseconds(statistics.p999)},
            {"longest_ms", json_milliseconds(statistics.longest)}};
  }

  Json loops(const std::vector<LoopStatistics>& all) const {
    Json list = Json::array();
    for (const LoopStatistics& statistics : all) list.push_back(loop(statistics));
    return list;
  }

  Json lock(const OrderedLock& lock) const {
    const bool known = !lock.initialised.function.empty() || !lock.initialised.module.empty();
    return {{"address", offset(lock.address)},
            {"kind", cut(lock.kind)},
            {"name", or_null(lock.name)},
            {"initialised", known ? frame(lock.initialised) : Json(nullptr)}};
  }

  Json contention_stacks(const std::vector<ContentionStack>& all) const {
    Json list = Json::array();
    for (const ContentionStack& one : all) {
      Listed stack = listed(one.stack, one.culprit, one.complete);
      list.push_back({{"stack", std::move(stack.stack)},
                      {"culprit", stack.culprit},
                      {"complete", stack.complete},
                      {"call", or_null(one.call)},
                      {"samples", one.samples},
                      {"weight_ms", json_milliseconds(one.weight)}});
    }
    return list;
  }

  Json argument(const Argument& argument) const {
    if (argument.is_number) {
      if (const auto number = whole_number<int64_t>(argument.value)) return *number;
      if (const auto number = whole_number<uint64_t>(argument.value)) return *number;
    }
    return cut(argument.value);
  }

  Json call(const BlockedCall& call) const {
    Json arguments = Json::object();
    for (const Argument& one : call.arguments) {
      if (arguments.size() == kListEntries) break;
      arguments[cut(one.name)] = argument(one);
    }
    Json rendered = {{"function", cut(call.function)},
                     {"arguments", std::move(arguments)},
                     {"object", or_null(call.object)},
                     {"intercepted", call.intercepted}};
    if (call.owner_stack.empty()) return rendered;
    rendered["owner_stack"] = listed(call.owner_stack, 0, true).stack;
    return rendered;
  }

  Json lock(const Lock& lock) const {
    return {{"kind", word(lock.kind)},
            {"type", or_null(lock.type)},
            {"name", or_null(lock.name)},
            {"address", lock.address != 0 ? Json(offset(lock.address)) : Json(nullptr)},
            {"holders", or_null(lock.holders)}};
  }

  Json texts(const std::vector<std::string>& all) const {
    Json list = Json::array();
    for (size_t i = 0; i < std::min(all.size(), kListEntries); ++i) list.push_back(cut(all[i]));
    return list;
  }

  // A stack as far as it is listed, the place of its culprit there, and whether it is whole.
  struct Listed {
    Json stack = Json::array();
    Json culprit;
    bool complete;
  };
  Listed listed(const std::vector<Frame>& stack, size_t culprit, bool complete,
                size_t most = kListedFrames) const {
    const size_t frames = std::min(stack.size(), most);
    Listed list;
    for (size_t i = 0; i < frames; ++i) list.stack.push_back(frame(stack[i]));
    list.culprit = culprit < frames ? Json(culprit) : Json(nullptr);
    list.complete = complete && frames == stack.size();
    return list;
  }

  Json owners(const std::vector<LockOwner>& owners) const {
    const JsonPieces brief(kListedStringBytes);
    Json list = Json::array();
    for (const LockOwner& owner : owners) {
      if (list.size() == kListedStacks) break;
      Listed stack = brief.listed(owner.stack, owner.culprit, owner.stack_complete);
      list.push_back({{"pid", owner.pid},
                      {"tid", owner.tid > 0 ? Json(owner.tid) : Json(nullptr)},
                      {"process", or_null(owner.process)},
                      {"thread", or_null(owner.thread)},
                      {"state", word(owner.state)},
                      {"lock", lock(owner.lock)},
                      {"call", owner.call ? call(*owner.call) : Json(nullptr)},
                      {"culprit", stack.culprit},
                      {"complete", stack.complete},
                      {"stack", std::move(stack.stack)}});
    }
    return list;
  }

  Json contributor(const ContributorShare& share) const {
    return {{"function", cut(share.function)},
            {"caller", frame(share.caller)},
            {"count", share.count},
            {"total_ms", json_milliseconds(share.total)},
            {"longest_ms", json_milliseconds(share.longest)}};
  }

  static Json spent(const TimeSpent& spent) {
    if (!spent.known) return nullptr;
    return {{"on_cpu_ms", json_milliseconds(spent.on_cpu)},
            {"runnable_ms", json_milliseconds(spent.runnable)},
            {"in_calls_ms", json_milliseconds(spent.in_calls)},
            {"major_faults", spent.major_faults},
            {"in_kernel_ms", json_milliseconds(spent.in_kernel)},
            {"blocked_ms", json_milliseconds(spent.blocked)},
            {"throttled_ms", json_milliseconds(spent.throttled)},
            {"in_faults_ms", json_milliseconds(spent.in_faults)}};
  }

 private:
  size_t string_bytes_;
};

// A line of a recording. Targets name things in any bytes: those that are no UTF-8 become U+FFFD.
inline std::string json_text(const Json& record) {
  return record.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace tailback

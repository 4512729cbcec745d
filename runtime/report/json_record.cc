#include "runtime/report/json_record.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "runtime/report/assessment_fields.h"
#include "runtime/report/record_fields.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

// Keeps the order of the fields, so that a line begins with what it is.
using Json = nlohmann::ordered_json;

constexpr size_t kShortStringBytes = 512;

double milliseconds(Nanoseconds duration) {
  const int64_t nanoseconds = std::max<int64_t>(duration.count(), 0);
  return std::round(static_cast<double>(nanoseconds) / 1e3) / 1e3;
}

std::string hexadecimal(uint64_t value) {
  char digits[18] = "0x";
  const auto [end, error] = std::to_chars(digits + 2, std::end(digits), value, 16);
  return {digits, end};
}

template <typename Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Renders the fields of one value.
class JsonWriter {
 public:
  explicit JsonWriter(size_t string_bytes) : string_bytes_(string_bytes) {}

  template <typename Value>
  void operator()(const Field& field, Value&& value) {
    const size_t bytes = field.brief ? std::min(string_bytes_, kListedStringBytes) : string_bytes_;
    object_[field.name] = JsonWriter(bytes).json(value, field.most);
  }

  void operator()(const StackFields& fields) {
    const JsonWriter writer(fields.brief ? std::min(string_bytes_, kListedStringBytes)
                                         : string_bytes_);
    const size_t frames = std::min(fields.stack.size(), fields.most);
    object_["stack"] = writer.json(fields.stack, frames);
    object_["stack_complete"] = fields.complete && frames == fields.stack.size();
    object_["culprit"] = fields.culprit < frames ? Json(fields.culprit) : Json(nullptr);
  }

  template <typename Value>
  Json object_of(Value& value) const {
    JsonWriter writer(string_bytes_);
    fields(writer, value);
    return std::move(writer.object_);
  }

  Json take() { return std::move(object_); }

 private:
  std::string cut(std::string_view text) const {
    if (text.size() <= string_bytes_) return std::string(text);
    return std::string(utf8_prefix(text, string_bytes_)) + "…";
  }

  template <typename Value>
  Json json(Value& value, size_t most) const {
    using Type = std::remove_cv_t<Value>;
    if constexpr (std::is_same_v<Type, double>) {
      return std::round(value * 100) / 100;
    } else if constexpr (std::is_arithmetic_v<Type>) {
      return value;
    } else if constexpr (std::is_same_v<Type, std::string>) {
      return cut(value);
    } else if constexpr (std::is_same_v<Type, Nanoseconds>) {
      return milliseconds(value);
    } else if constexpr (std::is_same_v<Type, WallTime>) {
      return rfc3339(value);
    } else if constexpr (std::is_enum_v<Type>) {
      return word(value);
    } else {
      return compound(value, most);
    }
  }

  template <typename Value>
  Json compound(std::vector<Value>& list, size_t most) const {
    Json all = Json::array();
    for (size_t i = 0; i < std::min(list.size(), most); ++i) all.push_back(json(list[i], most));
    return all;
  }
  template <typename Value>
  Json compound(std::optional<Value>& value, size_t most) const {
    return value ? json(*value, most) : Json(nullptr);
  }
  template <typename Value>
  Json compound(Nullable<Value>& nullable, size_t most) const {
    return nullable.is_null ? Json(nullptr) : json(nullable.value, most);
  }
  Json compound(Hex& number, size_t) const {
    return number.is_null ? Json(nullptr) : Json(hexadecimal(number.value));
  }
  Json compound(Sentence& sentence, size_t) const { return cut(sentence.text); }
  Json compound(Arguments& arguments, size_t most) const {
    Json object = Json::object();
    for (const Argument& one : arguments.arguments) {
      if (object.size() == most) break;
      object[cut(one.name)] = argument(one);
    }
    return object;
  }
  template <typename Value>
  Json compound(Value& value, size_t) const {
    return object_of(value);
  }

  Json argument(const Argument& argument) const {
    if (argument.is_number) {
      if (const auto number = whole_number<int64_t>(argument.value)) return *number;
      if (const auto number = whole_number<uint64_t>(argument.value)) return *number;
    }
    return cut(argument.value);
  }

  size_t string_bytes_;
  Json object_ = Json::object();
};

// Bytes that the strings of a stack take when each is cut to kStringBytes and every byte needs an
// escape of six characters.
size_t longest_stack_text(const std::vector<Frame>& stack) {
  size_t bytes = 0;
  for (size_t i = 0; i < std::min(stack.size(), kStackFrames); ++i) {
    for (const std::string* text : {&stack[i].function, &stack[i].file, &stack[i].module}) {
      bytes += 6 * std::min(text->size(), kStringBytes);
    }
  }
  return bytes;
}

size_t string_bytes_of(const Record& record) {
  const std::vector<Frame>* stack = nullptr;
  if (const auto* const stall = std::get_if<Stall>(&record)) stack = &stall->stack;
  if (const auto* const call = std::get_if<BlockingCall>(&record)) stack = &call->longest.stack;
  const bool too_long = stack != nullptr && longest_stack_text(*stack) > kStallLineBytes;
  return too_long ? kShortStringBytes : kStringBytes;
}

}  // namespace

std::string_view type_of(const Record& record) {
  const auto* const race = std::get_if<Race>(&record);
  return race != nullptr ? word(race->type) : row_of(kind_of(record)).word;
}

std::string json_line(const Record& record) {
  Json line = {{"schema", kReportSchema}, {"type", type_of(record)}};
  const JsonWriter writer(string_bytes_of(record));
  // A description names the members for the reader, too; the writer only reads them.
  Json values =
      std::visit([&](auto& value) { return writer.object_of(value); }, const_cast<Record&>(record));
  for (auto& [name, value] : values.items()) line[name] = std::move(value);
  // Targets name things in any bytes: those that are no UTF-8 become U+FFFD.
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace tailback

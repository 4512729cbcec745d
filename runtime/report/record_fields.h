// The fields of a recorded JSON object.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/report/record_parser.h"
#include "runtime/report/wall_time.h"

namespace tailback {

[[noreturn]] inline void malformed(std::string_view field, std::string_view expected) {
  throw MalformedRecord(fmt::format("'{}' is not {}", field, expected));
}

// Reads the fields of one object, with a clear complaint where one is not what it should be. An
// absent field and null are the same. Throws MalformedRecord.
class Fields {
 public:
  explicit Fields(const nlohmann::json& object) : object_(object) {
    if (!object.is_object()) throw MalformedRecord("an object is missing");
  }

  const nlohmann::json* find(const char* name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  const nlohmann::json& need(const char* name) const {
    const nlohmann::json* const value = find(name);
    if (value == nullptr) throw MalformedRecord(fmt::format("'{}' is missing", name));
    return *value;
  }
  const nlohmann::json& list(const char* name) const {
    static const nlohmann::json kNone = nlohmann::json::array();
    const nlohmann::json* const value = find(name);
    if (value == nullptr) return kNone;
    if (!value->is_array()) malformed(name, "a list");
    return *value;
  }

  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> all;
    for (const nlohmann::json& one : list(name)) {
      if (!one.is_string()) malformed(name, "a list of strings");
      all.push_back(one.get<std::string>());
    }
    return all;
  }

  std::string text(const char* name) const {
    const nlohmann::json* const value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) malformed(name, "a string");
    return value->get<std::string>();
  }
  bool flag(const char* name, bool otherwise) const {
    const nlohmann::json* const value = find(name);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) malformed(name, "true or false");
    return value->get<bool>();
  }
  template <typename Integer>
  std::optional<Integer> integer(const char* name) const {
    const nlohmann::json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_unsigned()) {
      const auto number = value->get<uint64_t>();
      if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
    } else if (value->is_number_integer()) {
      const auto number = value->get<int64_t>();
      if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
    }
    malformed(name, "a whole number in range");
  }
  template <typename Integer>
  Integer number(const char* name) const {
    return integer<Integer>(name).value_or(0);
  }
  Nanoseconds duration(const char* name) const {
    const nlohmann::json* const value = find(name);
    if (value == nullptr) return {};
    constexpr double kLongest = 9.2e12;  // milliseconds; Nanoseconds goes a little further
    if (!value->is_number()) malformed(name, "a number of milliseconds");
    const auto milliseconds = value->get<double>();
    if (!(milliseconds >= 0 && milliseconds <= kLongest)) {
      malformed(name, "a number of milliseconds");
    }
    // Recordings have microseconds; what is finer is rounding of the double.
    return Nanoseconds(std::llround(milliseconds * 1e3) * 1000);
  }
  uint64_t address(const char* name) const {
    const std::string digits = text(name);
    if (digits.empty()) return 0;
    uint64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const bool hexadecimal = digits.starts_with("0x") && digits.size() > 2;
    const auto parsed =
        std::from_chars(digits.data() + (hexadecimal ? 2 : 0), end, number, hexadecimal ? 16 : 10);
    if (parsed.ec != std::errc() || parsed.ptr != end) malformed(name, "a hexadecimal number");
    return number;
  }
  WallTime time(const char* name) const {
    const std::string text = need(name).is_string() ? need(name).get<std::string>() : "";
    const auto parsed = parse_rfc3339(text);
    if (!parsed) malformed(name, "a time as RFC 3339 has it");
    return *parsed;
  }
  template <typename Word, size_t kCount>
  Word word_of(const char* name, const std::array<std::string_view, kCount>& words) const {
    const nlohmann::json& value = need(name);
    const auto it = value.is_string()
                        ? std::find(words.begin(), words.end(), value.get_ref<const std::string&>())
                        : words.end();
    if (it == words.end()) malformed(name, "a word of the schema");
    return static_cast<Word>(it - words.begin());
  }

 private:
  const nlohmann::json& object_;
};

}  // namespace tailback

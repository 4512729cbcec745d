#include "runtime/report/record_parser.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "runtime/report/assessment_fields.h"
#include "runtime/report/json_record.h"
#include "runtime/report/record_fields.h"
#include "runtime/report/schema_1.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

using nlohmann::json;

constexpr int kDeepestNesting = 16;  // a record needs 6

// A value nested a million deep costs far more memory than its text.
bool nested_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

[[noreturn]] void malformed(std::string_view field, std::string_view expected) {
  throw MalformedRecord(fmt::format("'{}' is not {}", field, expected));
}

// Fills the members of one value, with a clear complaint where a field is not what it should be. An
// absent field and null are the same.
class JsonReader {
 public:
  explicit JsonReader(const json& object) : object_(object) {
    if (!object.is_object()) throw MalformedRecord("an object is missing");
  }

  template <typename Value>
  void operator()(const Field& field, Value&& value) {
    const json* const found = find(field.name);
    if (found != nullptr) {
      read(field.name, *found, value);
      return;
    }
    constexpr bool kIsTime = std::is_same_v<std::remove_cvref_t<Value>, WallTime>;
    if (field.needed || kIsTime) {
      throw MalformedRecord(fmt::format("'{}' is missing", field.name));
    }
  }

  void operator()(const StackFields& fields) {
    if (const json* const found = find("stack")) read("stack", *found, fields.stack);
    fields.culprit = fields.stack.size();
    if (const json* const found = find("culprit")) read("culprit", *found, fields.culprit);
    fields.culprit = std::min(fields.culprit, fields.stack.size());
    fields.complete = true;
    if (const json* const found = find("stack_complete")) {
      read("stack_complete", *found, fields.complete);
    }
  }

 private:
  const json* find(const char* name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  static void read(const char*, const json&, Sentence&) {}  // made anew where it is written

  template <typename Value>
  static void read(const char* name, const json& found, Nullable<Value>& nullable) {
    read(name, found, nullable.value);
    if (nullable.present != nullptr) *nullable.present = true;
  }
  template <typename Value>
  static void read(const char* name, const json& found, std::optional<Value>& value) {
    read(name, found, value.emplace());
  }
  template <typename Value>
  static void read(const char* name, const json& found, std::vector<Value>& list) {
    if (!found.is_array()) malformed(name, "a list");
    for (const json& one : found) read(name, one, list.emplace_back());
  }
  static void read(const char* name, const json& found, Hex& number) {
    if (!found.is_string()) malformed(name, "a hexadecimal number");
    const auto& digits = found.get_ref<const std::string&>();
    const char* const end = digits.data() + digits.size();
    const bool hexadecimal = digits.starts_with("0x") && digits.size() > 2;
    const auto parsed = std::from_chars(digits.data() + (hexadecimal ? 2 : 0), end, number.value,
                                        hexadecimal ? 16 : 10);
    if (parsed.ec != std::errc() || parsed.ptr != end) malformed(name, "a hexadecimal number");
  }
  static void read(const char* name, const json& found, Arguments& arguments) {
    if (!found.is_object()) malformed(name, "an object");
    for (const auto& [key, argument] : found.items()) {
      const bool is_number = argument.is_number_integer();
      if (!is_number && !argument.is_string()) malformed(name, "made of strings and numbers");
      arguments.arguments.push_back(
          {key, is_number ? argument.dump() : argument.get<std::string>(), is_number});
    }
  }
  static void read(const char* name, const json& found, std::string& text) {
    if (!found.is_string()) malformed(name, "a string");
    text = found.get<std::string>();
  }
  static void read(const char* name, const json& found, WallTime& time) {
    const auto parsed = parse_rfc3339(found.is_string() ? found.get<std::string>() : "");
    if (!parsed) malformed(name, "a time as RFC 3339 has it");
    time = *parsed;
  }
  static void read(const char* name, const json& found, Nanoseconds& duration) {
    constexpr double kLongest = 9.2e12;  // milliseconds; Nanoseconds goes a little further
    if (!found.is_number()) malformed(name, "a number of milliseconds");
    const auto milliseconds = found.get<double>();
    if (!(milliseconds >= 0 && milliseconds <= kLongest)) {
      malformed(name, "a number of milliseconds");
    }
    // Recordings have microseconds; what is finer is rounding of the double.
    duration = Nanoseconds(std::llround(milliseconds * 1e3) * 1000);
  }
  static void read(const char* name, const json& found, bool& flag) {
    if (!found.is_boolean()) malformed(name, "true or false");
    flag = found.get<bool>();
  }
  static void read(const char* name, const json& found, double& number) {
    if (!found.is_number()) malformed(name, "a number");
    number = found.get<double>();
  }

  template <typename Value>
  static void read(const char* name, const json& found, Value& value) {
    if constexpr (std::is_integral_v<Value>) {
      read_integer(name, found, value);
    } else if constexpr (std::is_enum_v<Value>) {
      const auto words = words_of(Value{});
      const auto it = found.is_string()
                          ? std::find(words.begin(), words.end(),
                                      std::string_view(found.get_ref<const std::string&>()))
                          : words.end();
      if (it == words.end()) malformed(name, "a word of the schema");
      value = static_cast<Value>(it - words.begin());
    } else {
      JsonReader reader(found);
      fields(reader, value);
    }
  }

  template <typename Integer>
  static void read_integer(const char* name, const json& found, Integer& value) {
    if (found.is_number_unsigned()) {
      const auto number = found.get<uint64_t>();
      if (std::in_range<Integer>(number)) {
        value = static_cast<Integer>(number);
        return;
      }
    } else if (found.is_number_integer()) {
      const auto number = found.get<int64_t>();
      if (std::in_range<Integer>(number)) {
        value = static_cast<Integer>(number);
        return;
      }
    }
    malformed(name, "a whole number in range");
  }

  const json& object_;
};

// What one field alone can't say.
void check(const Deadlock& deadlock) {
  for (const DeadlockedThread& thread : deadlock.threads) {
    for (const size_t index : thread.waits_for) {
      if (index >= deadlock.threads.size()) {
        malformed("waits_for", "a list of indexes into 'threads'");
      }
    }
  }
}
void check(const LockOrder& order) {
  for (const LockStep& step : order.steps) {
    if (std::max(step.held, step.taken) >= order.locks.size()) {
      malformed("held", "the number of a lock");
    }
  }
}

template <typename Value>
Record read_record(const json& object) {
  Value value;
  JsonReader reader(object);
  fields(reader, value);
  if constexpr (requires { check(value); }) check(value);
  return value;
}

template <size_t kIndex = 0>
Record read_kind(RecordKind kind, const json& object) {
  if constexpr (kIndex < std::variant_size_v<Record>) {
    if (static_cast<size_t>(kind) == kIndex) {
      return read_record<std::variant_alternative_t<kIndex, Record>>(object);
    }
    return read_kind<kIndex + 1>(kind, object);
  } else {
    throw MalformedRecord("of no kind");
  }
}

}  // namespace

Record parse_record(std::string_view line) {
  if (nested_too_deep(line)) throw MalformedRecord("nested too deep for a record");
  json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) throw MalformedRecord("not JSON");
  if (!object.is_object()) throw MalformedRecord("not a JSON object");

  const auto need = [&](const char* name) -> const json& {
    const auto it = object.find(name);
    if (it == object.end() || it->is_null()) {
      throw MalformedRecord(fmt::format("'{}' is missing", name));
    }
    return *it;
  };
  if (!need("schema").is_number_integer()) malformed("schema", "a whole number");
  if (!need("type").is_string()) malformed("type", "a string");
  if (object["schema"] == 1) {
    object = from_schema_1(std::move(object));
  } else if (object["schema"] != kReportSchema) {
    throw UnknownSchema(object["schema"].dump());
  }

  const auto type = object["type"].get<std::string>();
  const auto* const race = std::find(kRaceTypeWords.begin(), kRaceTypeWords.end(), type);
  if (race != kRaceTypeWords.end()) {
    Record record = read_kind(RecordKind::kRace, object);
    std::get<Race>(record).type = static_cast<RaceType>(race - kRaceTypeWords.begin());
    return record;
  }
  for (const RecordKindRow& row : kRecordKinds) {
    if (row.word == type) return read_kind(row.kind, object);
  }
  throw UnknownType(std::string(utf8_prefix(type, 64)));
}

}  // namespace tailback

#include "runtime/report/record_format.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/report/assessment_fields.h"
#include "runtime/report/json_record.h"
#include "runtime/report/record_fields.h"
#include "runtime/report/summary_schema.h"

namespace tailback {
namespace {

using Json = nlohmann::ordered_json;

// What a record is, for people, by its kind.
constexpr std::string_view kAbouts[] = {
    "The first line of a session.",
    "An iteration of an event loop that took longer than the threshold. A stall that lasts has "
    "several lines with one `id`: any number of `ongoing` ones, then exactly one final line, "
    "`ended` "
    "or `unfinished`. Count final lines only.",
    "With `--blocking-calls` and `--strict`: calls on loop threads, per culprit. One line when it "
    "is "
    "seen for the first time, one with the sum of all before the end record. Count the sums only; "
    "if "
    "the end record is missing, so are they.",
    "Threads that wait for each other, or for what nobody will release, so that none of them will "
    "ever go on: any threads of the session, not only loops. Written once, within a second of its "
    "closing, while the program hangs. Waits with a time limit are none.",
    "With `--lock-order`: locks that threads take in orders which can deadlock, whether they did "
    "or "
    "not. One line per cycle; others of locks that were initialised at the same places are counted "
    "only.",
    "With `--locks`: the locks that were waited for, one line each before the end, most time "
    "first, "
    "1,000 at most. A lock that was always free when it was taken has none.",
    "What ThreadSanitizer finds in a program that is compiled for it: each place once, others like "
    "it are counted. `race`: two threads at one place in memory, of which one writes (or frees); "
    "`signal-unsafe`: a call in a signal handler that is not allowed there, or a handler that "
    "changes errno; `thread-sanitizer`: what this version has no word for. An inversion of locks "
    "is "
    "written as a `lock-order` whose `found_by` is `ThreadSanitizer`.",
    "A coroutine that was made and dropped without being awaited: its body has never run. One line "
    "per place; more from the same place are counted. The culprit is the caller of the coroutine's "
    "function. Of Python one frame: where it was made if the warning says so, else where it was "
    "dropped; empty if it was dropped at the interpreter's end.",
    "Time that does not count, and what limits the observer.",
    "The answer to SIGUSR1, sent to the observer: how things stand.",
    "Of `tailback advise`, one line before the end: what slows the program down, and which kind of "
    "concurrency fits it.",
    "The last line of a session."};
static_assert(std::size(kAbouts) == kRecordKinds.size());

// A field of a value: its schema, what the page calls its type, what it means.
struct Described {
  std::string name;
  Json schema;
  std::string type;
  std::string about;
};

struct Type {
  Json schema;
  std::string words;  // for the page
};

// Values that others refer to, in the order in which they are met first.
struct Definitions {
  std::vector<std::pair<std::string, std::vector<Described>>> values;

  bool has(std::string_view name) const {
    return std::any_of(values.begin(), values.end(),
                       [&](const auto& value) { return value.first == name; });
  }
};

Json reference(std::string_view name) {
  return {{"$ref", fmt::format("#/definitions/{}", name)}};
}

Type nullable(Type type) {
  Json& schema = type.schema;
  if (schema.contains("type") && schema["type"].is_string()) {
    schema["type"] = {schema["type"], "null"};
  } else {
    schema = {{"anyOf", {std::move(schema), {{"type", "null"}}}}};
  }
  type.words += " or null";
  return type;
}

class Describer {
 public:
  explicit Describer(Definitions& definitions) : definitions_(definitions) {}

  template <typename Value>
  void operator()(const Field& field, Value&& value) {
    Type type = type_of(value);
    add(field.name, std::move(type), field.about);
  }

  void operator()(const StackFields& stack) {
    add("stack", type_of(stack.stack), fmt::format("innermost first, at most {}", stack.most));
    add("stack_complete", type_of(stack.complete),
        "false: the stack does not reach the start of the thread");
    add("culprit", nullable(type_of(stack.culprit)),
        "index into `stack` of the frame to blame; null if none is known");
  }

  std::vector<Described> take() { return std::move(fields_); }

 private:
  void add(std::string name, Type type, std::string about) {
    fields_.push_back(
        {std::move(name), std::move(type.schema), std::move(type.words), std::move(about)});
  }

  template <typename Value>
  Type type_of(Value& value) {
    using Plain = std::remove_cv_t<Value>;
    if constexpr (std::is_same_v<Plain, bool>) {
      return {{{"type", "boolean"}}, "boolean"};
    } else if constexpr (std::is_same_v<Plain, double>) {
      return {{{"type", "number"}, {"minimum", 0}}, "number"};
    } else if constexpr (std::is_unsigned_v<Plain>) {
      return {{{"type", "integer"}, {"minimum", 0}}, "integer"};
    } else if constexpr (std::is_integral_v<Plain>) {
      return {{{"type", "integer"}}, "integer"};
    } else if constexpr (std::is_same_v<Plain, std::string> || std::is_same_v<Plain, Sentence>) {
      return {{{"type", "string"}}, "string"};
    } else if constexpr (std::is_same_v<Plain, Nanoseconds>) {
      return {{{"type", "number"}, {"minimum", 0}}, "number"};
    } else if constexpr (std::is_same_v<Plain, WallTime>) {
      return {reference("time"), "time"};
    } else if constexpr (std::is_same_v<Plain, Hex>) {
      Type type{{{"type", "string"}, {"pattern", "^0x[0-9a-f]+$"}}, "string"};
      return value.may_be_null ? nullable(std::move(type)) : type;
    } else if constexpr (std::is_same_v<Plain, Arguments>) {
      return {{{"type", "object"}, {"additionalProperties", {{"type", {"string", "integer"}}}}},
              "object"};
    } else if constexpr (std::is_enum_v<Plain>) {
      const auto words = words_of(Plain{});
      return {{{"enum", std::vector<std::string>(words.begin(), words.end())}},
              fmt::format("`{}`", fmt::join(words, "`, `"))};
    } else {
      return compound(value);
    }
  }

  template <typename Value>
  Type compound(std::vector<Value>&) {
    Value one{};
    Type type = type_of(one);
    return {{{"type", "array"}, {"items", std::move(type.schema)}}, "list of " + type.words};
  }
  template <typename Value>
  Type compound(std::optional<Value>&) {
    Value one{};
    return nullable(type_of(one));
  }
  template <typename Value>
  Type compound(Nullable<Value>& value) {
    Type type = type_of(value.value);
    if (std::is_integral_v<Value>) type.schema["minimum"] = 0;  // what is less is written as null
    return nullable(std::move(type));
  }
  template <typename Value>
  Type compound(Value& value) {
    constexpr const char* kName = ValueName<Value>::kName;
    if (!definitions_.has(kName)) {
      const size_t index = definitions_.values.size();
      definitions_.values.push_back({kName, {}});
      Describer inner(definitions_);
      fields(inner, value);
      definitions_.values[index].second = inner.take();
    }
    return {reference(kName), fmt::format("[{}](#{})", kName, kName)};
  }

  Definitions& definitions_;
  std::vector<Described> fields_;
};

Json object_schema(const std::vector<Described>& all, Json required, Json properties) {
  for (const Described& one : all) {
    required.push_back(one.name);
    properties[one.name] = one.schema;
  }
  return {
      {"type", "object"}, {"required", std::move(required)}, {"properties", std::move(properties)}};
}

struct Format {
  std::vector<std::vector<Described>> records;  // by kind
  Definitions definitions;
};

template <size_t kIndex = 0>
void describe_records(Format& format) {
  if constexpr (kIndex < std::variant_size_v<Record>) {
    std::variant_alternative_t<kIndex, Record> value{};
    Describer describer(format.definitions);
    fields(describer, value);
    format.records.push_back(describer.take());
    describe_records<kIndex + 1>(format);
  }
}

Format describe() {
  Format format;
  describe_records(format);
  return format;
}

std::vector<std::string> types_of(RecordKind kind) {
  if (kind == RecordKind::kRace) return {kRaceTypeWords.begin(), kRaceTypeWords.end()};
  return {std::string(row_of(kind).word)};
}

std::string table(const std::vector<Described>& all) {
  std::string text = "| field | type | meaning |\n|---|---|---|\n";
  for (const Described& one : all) {
    text += fmt::format("| `{}` | {} | {} |\n", one.name, one.type, one.about);
  }
  return text;
}

}  // namespace

std::string schema_text() {
  const Format format = describe();
  Json definitions = {
      {"time",
       {{"description", "RFC 3339 with a zone and milliseconds"},
        {"type", "string"},
        {"pattern",
         "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}(Z|[+-][0-9]{2}:[0-9]{2}"
         ")$"}}}};
  for (const auto& [name, all] : format.definitions.values) {
    definitions[name] = object_schema(all, Json::array(), Json::object());
  }
  Json one_of = Json::array();
  for (const RecordKindRow& row : kRecordKinds) {
    const std::string name = fmt::format("record-{}", row.word);
    const auto types = types_of(row.kind);
    const Json type = types.size() == 1 ? Json{{"const", types[0]}} : Json{{"enum", types}};
    definitions[name] =
        object_schema(format.records[static_cast<size_t>(row.kind)], {"schema", "type"},
                      {{"schema", {{"const", kReportSchema}}}, {"type", type}});
    one_of.push_back(reference(name));
  }
  const Json summary = Json::parse(kSummaryDefinitions);
  for (const auto& [name, definition] : summary.items()) definitions[name] = definition;
  one_of.push_back(reference("summary"));
  const Json schema = {
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", fmt::format("Tailback's records, schema {}", kReportSchema)},
      {"description",
       "One line of a recording, or the output of 'tailback report --json' (summary). "
       "docs/recording-format.md describes the fields in words. Readers step over fields and types "
       "that they do not know: versions that keep this schema's number may add them. This file is "
       "made by print_record_format."},
      {"oneOf", std::move(one_of)},
      {"definitions", std::move(definitions)}};
  return schema.dump(1) + "\n";
}

std::string field_tables() {
  const Format format = describe();
  std::string text;
  for (const RecordKindRow& row : kRecordKinds) {
    const auto index = static_cast<size_t>(row.kind);
    text += fmt::format("## {}\n\n{}\n\n{}\n", fmt::join(types_of(row.kind), ", "), kAbouts[index],
                        table(format.records[index]));
  }
  for (const auto& [name, all] : format.definitions.values) {
    text += fmt::format("### {}\n\n{}\n", name, table(all));
  }
  return text;
}

}  // namespace tailback

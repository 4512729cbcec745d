// How a value is described for the recording: once, for the JSON writer, the reader, the schema and
// the page of the format. A description is a function fields(visitor, value), which calls
// visitor(field, member) for each field in order; value_fields.h and record_fields.h have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/values/call.h"
#include "runtime/values/frame.h"

namespace tailback {

// Bounds on what a target can make us write.
inline constexpr size_t kListEntries = 1024;
inline constexpr size_t kStackFrames = 1024;
// Of stacks that are listed beside others: shorter, and so are their strings.
inline constexpr size_t kListedStacks = 24;
inline constexpr size_t kListedFrames = 64;

struct Field {
  const char* name;
  const char* about;           // what it means, in Markdown
  bool needed = false;         // a record without it is malformed
  bool brief = false;          // the strings in it are cut short
  size_t most = kListEntries;  // of a list
};

// A member that is written as null where it says nothing. Null or absent leaves it as it is.
template <typename Value>
struct Nullable {
  Value& value;
  bool is_null;
  bool* present = nullptr;  // set by the reader where it is not null
};

template <typename Value>
Nullable<Value> or_null(Value& value, bool is_null, bool* present = nullptr) {
  return {value, is_null, present};
}
inline Nullable<std::string> or_null(std::string& text) {
  return {text, text.empty()};
}

// A number as hexadecimal text: JSON readers that keep numbers as doubles would round it.
struct Hex {
  uint64_t& value;
  bool is_null = false;
  bool may_be_null = false;
};

// A sentence that is made of the other members: only written.
struct Sentence {
  std::string text;
};

// The arguments of a call: an object whose keys are their names.
struct Arguments {
  std::vector<Argument>& arguments;
};

// A list of frames with the index of its culprit: three fields, "stack", "stack_complete" and
// "culprit". A stack that is cut counts as incomplete.
struct StackFields {
  std::vector<Frame>& stack;
  size_t& culprit;
  bool& complete;
  size_t most = kListedFrames;
  bool brief = true;
};

}  // namespace tailback

#include "runtime/interpreters/v8/stack.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>

#include "runtime/interpreters/v8/baseline.h"
#include "runtime/interpreters/v8/heap.h"
#include "runtime/interpreters/v8/lines.h"
#include "runtime/interpreters/v8/scope.h"

namespace tailback {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint32_t kLongestTable = 256 * 1024;
constexpr size_t kMostCandidates = 2048;  // whose objects are looked at

class Gatherer {
 public:
  Gatherer(RemoteMemory& memory, const V8Layout& layout, const Snapshot& snapshot)
      : layout_(layout), heap_(memory, layout), snapshot_(snapshot) {}

  GatheredV8Stack run() {
    const size_t words = snapshot_.stack.size() / kWord;
    size_t candidates = 0;
    // What a frame needs below its frame pointer, and above it.
    for (size_t i = kBelow; i + 1 < words && out_.frames.size() < kMostV8Frames; ++i) {
      if (!looks_like_frame(i)) continue;
      if (++candidates > kMostCandidates) break;
      take(i);
    }
    mark_linked();
    return std::move(out_);
  }

 private:
  static constexpr size_t kBelow = 5;

  uint64_t word(size_t index) const {
    uint64_t value = 0;
    std::memcpy(&value, snapshot_.stack.data() + index * kWord, sizeof value);
    return value;
  }
  RemoteAddress address(size_t index) const { return snapshot_.stack_begin + index * kWord; }

  bool looks_like_frame(size_t index) const {
    if (!V8Heap::is_pointer(word(index - 1)) || !V8Heap::is_pointer(word(index - 2))) return false;
    const uint64_t outer = word(index);
    if (outer <= address(index).value || outer % kWord != 0) return false;
    const Mapping* code = snapshot_.modules->find(RemoteAddress(word(index + 1) - 1));
    return code != nullptr && code->executable;
  }

  size_t index_of(RemoteAddress place) const { return (place - snapshot_.stack_begin) / kWord; }
  // Frames of V8's own have a small number where others have their context.
  bool has_marker(size_t index, uint64_t& type) const {
    if (index < 1 || index + 1 >= snapshot_.stack.size() / kWord) return false;
    constexpr uint64_t kMostTypes = 64;
    type = word(index - 1) / 2;
    return word(index - 1) % 2 == 0 && type > 0 && type < kMostTypes;
  }

  void mark_linked();
  // The frames that may be the one that this one has called, the likeliest first: what lies
  // further in may have been left behind.
  std::vector<size_t> callees_of(size_t index) const;
  bool calls_out(size_t index) const;
  // Marks from this one on, as far as the call into V8, whose place it returns; 0, and nothing
  // marked, if there is none.
  uint64_t mark_from(size_t number);
  void take(size_t index);
  std::string_view describe(size_t index, uint64_t shared, uint64_t script,
                            GatheredV8Stack::Frame& out);
  std::optional<uint32_t> current_position(size_t index, uint64_t shared);
  std::optional<uint32_t> interpreted_offset(size_t index, uint64_t bytecode);
  std::optional<uint32_t> compiled_offset(size_t index, uint64_t shared, uint64_t bytecode);
  std::string_view take_script(uint64_t script, GatheredV8Stack::Frame& out);

  const V8Layout& layout_;
  V8Heap heap_;
  const Snapshot& snapshot_;
  GatheredV8Stack out_;
  std::map<uint64_t, size_t> scripts_;  // by their pointers
};

std::vector<size_t> Gatherer::callees_of(size_t index) const {
  constexpr size_t kMostLocals = 1024;  // words of a function
  constexpr size_t kMost = 8;
  std::vector<size_t> found;
  const size_t end = index - std::min(index - 1, kMostLocals);
  for (size_t i = index - 1; i >= end && found.size() < kMost; --i)
    if (word(i) == address(index).value) found.push_back(i);
  return found;
}

bool Gatherer::calls_out(size_t index) const {
  const std::vector<size_t> callees = callees_of(index);
  return std::any_of(callees.begin(), callees.end(), [&](size_t callee) {
    uint64_t type = 0;
    return has_marker(callee, type);
  });
}

uint64_t Gatherer::mark_from(size_t number) {
  constexpr size_t kMostBetween = 1000;
  constexpr uint64_t kEntry = 1;
  constexpr uint64_t kConstructEntry = 2;
  std::vector<size_t> chain;
  size_t next = number;
  RemoteAddress at = out_.frames[number].frame.frame_pointer;
  for (size_t i = 0; i < kMostBetween; ++i) {
    while (next < out_.frames.size() && out_.frames[next].frame.frame_pointer < at) ++next;
    uint64_t type = 0;
    if (next < out_.frames.size() && out_.frames[next].frame.frame_pointer == at) {
      chain.push_back(next);
    } else if (has_marker(index_of(at), type)) {
      if (type == kEntry || type == kConstructEntry) {
        for (const size_t frame : chain) out_.frames[frame].frame.linked = true;
        return at.value;
      }
    } else if (index_of(at) < kBelow || !V8Heap::is_pointer(word(index_of(at) - 1))) {
      return 0;
    }
    const RemoteAddress outer(word(index_of(at)));
    const RemoteAddress end = snapshot_.stack_begin + snapshot_.stack.size();
    if (outer <= at || outer.value % kWord != 0 || outer + 2 * kWord > end) return 0;
    at = outer;
  }
  return 0;
}

void Gatherer::mark_linked() {
  uint64_t done = 0;  // up to this address
  for (size_t i = 0; i < out_.frames.size(); ++i) {
    const RemoteAddress at = out_.frames[i].frame.frame_pointer;
    if (at.value <= done || !calls_out(index_of(at))) continue;
    done = std::max(done, mark_from(i));
  }
}

void Gatherer::take(size_t index) {
  const uint64_t function = word(index - 2);
  const auto type = heap_.type(function);
  if (!type || !layout_.functions.contains(*type)) return;
  const auto context = heap_.type(word(index - 1));
  if (!context || !layout_.contexts.contains(*context)) return;
  const auto shared = heap_.word(function, layout_.function_shared);
  if (!shared || !heap_.is(*shared, layout_.shared)) return;
  const auto script = heap_.word(*shared, layout_.shared_script);
  if (!script) return;
  // What V8 itself brings along ("map") has no script.
  if (heap_.is(*script, layout_.oddball)) return;
  GatheredV8Stack::Frame found;
  const std::string_view failure = describe(index, *shared, *script, found);
  if (!failure.empty()) found = {};
  found.frame.frame_pointer = address(index);
  found.frame.return_address = RemoteAddress(word(index + 1));
  found.frame.failure = failure;
  out_.frames.push_back(std::move(found));
}

std::string_view Gatherer::describe(size_t index, uint64_t shared, uint64_t script,
                                    GatheredV8Stack::Frame& out) {
  const auto name = heap_.word(shared, layout_.shared_name);
  if (!name) return "a function could not be read";
  std::optional<uint32_t> begin;
  if (heap_.is(*name, layout_.scope)) {
    auto scope = read_v8_scope(heap_, layout_, *name);
    if (!scope) return "what a function says of itself makes no sense";
    out.frame.function = std::move(scope->name.empty() ? scope->inferred : scope->name);
    begin = scope->begin;
    constexpr uint16_t kNoToken = 0xffff;
    const auto token = heap_.field<uint16_t>(shared, layout_.shared_token);
    if (token && *token != kNoToken && *token <= *begin) *begin -= *token;
  } else if (heap_.is_string(*name)) {
    auto text = heap_.text(*name);
    if (!text) return "the name of a function could not be read";
    out.frame.function = std::move(*text);
  } else if (!V8Heap::is_smi(*name)) {
    return "what should be the name of a function is none";
  }
  if (out.frame.function.empty()) out.frame.function = "<anonymous>";
  if (const auto failure = take_script(script, out); !failure.empty()) return failure;
  out.position = current_position(index, shared);
  if (!out.position) out.position = begin;
  if (out.position && *out.position > out_.scripts[*out.script].length)
    return "a function lies outside of its script";
  return {};
}

// Of a function that is interpreted, or compiled by the baseline compiler, and whose table of
// positions is there.
std::optional<uint32_t> Gatherer::current_position(size_t index, uint64_t shared) {
  const uint64_t bytecode = word(index - 4);
  if (!heap_.is(bytecode, layout_.bytecode)) return std::nullopt;
  const auto at = V8Heap::is_smi(word(index - 5)) ? interpreted_offset(index, bytecode)
                                                  : compiled_offset(index, shared, bytecode);
  const auto positions = heap_.word(bytecode, layout_.bytecode_positions);
  if (!at || !positions) return std::nullopt;
  const auto table = heap_.bytes(*positions, kLongestTable);
  return table ? v8_position(*table, *at) : std::nullopt;
}

std::optional<uint32_t> Gatherer::interpreted_offset(size_t index, uint64_t bytecode) {
  const auto offset = V8Heap::smi(word(index - 5));
  const auto length = heap_.smi_field(bytecode, layout_.array_length);
  const auto begin = static_cast<int64_t>(layout_.bytecode_data) - 1;
  if (!offset || !length || *offset < begin || *offset - begin >= *length) return std::nullopt;
  return static_cast<uint32_t>(*offset - begin);
}

std::optional<uint32_t> Gatherer::compiled_offset(size_t index, uint64_t shared,
                                                  uint64_t bytecode) {
  for (const size_t callee : callees_of(index)) {
    const auto found = baseline_offset(heap_, layout_, shared, bytecode, word(callee + 1));
    if (found) return found;
  }
  return std::nullopt;
}

std::string_view Gatherer::take_script(uint64_t script, GatheredV8Stack::Frame& out) {
  const auto [known, is_new] = scripts_.try_emplace(script, out_.scripts.size());
  out.script = known->second;
  if (!is_new) {
    out.frame.file = out_.scripts[known->second].file;
    return {};
  }
  GatheredV8Stack::Script& added = out_.scripts.emplace_back();
  const auto fail = [&](std::string_view why) {
    out_.scripts.pop_back();
    scripts_.erase(script);
    return why;
  };
  if (!heap_.is(script, layout_.script)) return fail("what should be a script is none");
  const auto name = heap_.word(script, layout_.script_name);
  const auto source = heap_.word(script, layout_.script_source);
  const auto id = heap_.smi_field(script, layout_.script_id);
  const auto first_line = heap_.smi_field(script, layout_.script_first_line);
  if (!name || !source || !id || !first_line) return fail("a script could not be read");
  added.pointer = script;
  added.source = *source;
  added.id = *id;
  added.first_line = *first_line;
  if (heap_.is_string(*name)) {
    const auto text = heap_.text(*name);
    if (!text) return fail("the name of a script could not be read");
    added.file = path_of_script(*text);
  } else if (!V8Heap::is_smi(*name) && !heap_.is(*name, layout_.oddball)) {
    return fail("what should be the name of a script is none");
  }
  const auto length = heap_.is_string(*source) ? heap_.string_length(*source) : std::nullopt;
  if (!length) return fail("what should be a script's source is none");
  added.length = *length;
  out.frame.file = added.file;
  return {};
}

}  // namespace

GatheredV8Stack gather_v8_stack(RemoteMemory& memory, const V8Layout& layout,
                                const Snapshot& snapshot) {
  if (snapshot.modules == nullptr) return {};
  return Gatherer(memory, layout, snapshot).run();
}

std::optional<std::u16string> read_v8_source(RemoteMemory& memory, const V8Layout& layout,
                                             const GatheredV8Stack::Script& script) {
  constexpr uint32_t kLongest = 32 * 1024 * 1024;
  V8Heap heap(memory, layout);
  const auto is_there = [&] {
    return heap.is(script.pointer, layout.script) &&
           heap.smi_field(script.pointer, layout.script_id) == script.id &&
           heap.word(script.pointer, layout.script_source) == script.source &&
           heap.is_string(script.source) && heap.string_length(script.source) == script.length;
  };
  if (script.length > kLongest || !is_there()) return std::nullopt;
  auto source = heap.characters(script.source, kLongest);
  if (!is_there() || !source || source->size() != script.length) return std::nullopt;
  return source;
}

std::string path_of_script(std::string_view name) {
  constexpr std::string_view kFile = "file://";
  if (!name.starts_with(kFile)) return std::string(name);
  std::string_view rest = name.substr(kFile.size());
  rest = rest.substr(0, rest.find_first_of("?#"));
  std::string path;
  for (size_t i = 0; i < rest.size(); ++i) {
    unsigned value = 0;
    if (rest[i] == '%' && i + 2 < rest.size()) {
      const char* const digits = rest.data() + i + 1;
      const auto parsed = std::from_chars(digits, digits + 2, value, 16);
      if (parsed.ec == std::errc() && parsed.ptr == digits + 2 && value != 0) {
        path += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    path += rest[i];
  }
  return path;
}

}  // namespace tailback

#include "runtime/interpreters/python/layout.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace tailback {
namespace {

constexpr size_t kWords = 83;  // of _Py_DebugOffsets, as far as one is needed here
constexpr std::array<char, 8> kCookie = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};
constexpr size_t kFreeThreaded = 2;

// Adds the offsets that the interpreter says. Nothing if it is of another version than it should.
std::optional<PythonLayout> layout_from_words(const PythonRelease& release, RemoteMemory& memory,
                                              RemoteAddress runtime) {
  const PythonVersion version = release.version;
  const PythonOffsetWords& at = *release.words;
  std::array<uint64_t, kWords> words;
  if (!memory.read(runtime, std::as_writable_bytes(std::span(words)))) return std::nullopt;
  if (std::memcmp(words.data(), kCookie.data(), kCookie.size()) != 0) return std::nullopt;
  const uint64_t said = words[1] >> 16;  // as Py_Version has it
  if (said != static_cast<uint64_t>(version.major << 8 | version.minor)) return std::nullopt;
  PythonLayout layout = release.layout;
  layout.first_interpreter = words[at.first_interpreter];
  layout.next_interpreter = words[at.next_interpreter];
  layout.first_thread = words[at.first_thread];
  layout.modules = words[at.modules];
  layout.gil = words[at.gil];
  layout.next_thread = words[at.next_thread];
  layout.thread_interpreter = words[at.thread_interpreter];
  layout.thread_frame = words[at.thread_frame];
  layout.thread_id = words[at.thread_id];
  layout.native_thread_id = words[at.native_thread_id];
  layout.frame_previous = words[at.frame_previous];
  layout.frame_code = words[at.frame_code];
  layout.frame_position = words[at.frame_position];
  layout.frame_owner = words[at.frame_owner];
  layout.code_file = words[at.code_file];
  layout.code_name = words[at.code_name];
  layout.code_lines = words[at.code_lines];
  layout.code_first_line = words[at.code_first_line];
  layout.code_code = words[at.code_code];
  layout.bytes_size = words[at.bytes_size];
  layout.bytes_data = words[at.bytes_data];
  layout.string_state = words[at.string_state];
  layout.string_length = words[at.string_length];
  layout.string_ascii = words[at.string_ascii];
  layout.string_other = layout.string_ascii + 16;  // utf8_length, utf8
  return layout;
}

// How much of a structure is read for these fields, of a word at most. Nothing if that is more than
// any version has: offsets that come from a target may be anything.
std::optional<uint64_t> extent(std::initializer_list<uint64_t> offsets) {
  constexpr uint64_t kMost = 4096;
  constexpr uint64_t kWord = 8;
  const uint64_t last = std::max(offsets);
  if (last > kMost) return std::nullopt;
  return last + kWord;
}

// Sets how much of each structure is read. False if the layout makes no sense.
bool measure(PythonLayout& layout) {
  const auto thread = extent({layout.next_thread, layout.thread_interpreter,
                              layout.native_thread_id, layout.thread_id, layout.thread_frame});
  const auto frame = extent({layout.frame_code, layout.frame_previous, layout.frame_position,
                             layout.frame_owner, layout.frame_is_entry});
  const auto code = extent({layout.code_file, layout.code_name, layout.code_first_line,
                            layout.code_lines, layout.code_code});
  if (!thread || !frame || !code) return false;
  layout.thread_bytes = *thread;
  layout.frame_bytes = *frame;
  layout.code_bytes = *code;
  constexpr uint64_t kMostHeader = 128;  // of strings and bytes: they are read in one piece
  constexpr uint64_t kMostState = 16 * 1024 * 1024;
  return std::max({layout.string_length, layout.string_state, layout.string_ascii,
                   layout.string_other, layout.bytes_size, layout.bytes_data}) <= kMostHeader &&
         std::max({layout.first_interpreter, layout.next_interpreter, layout.first_thread,
                   layout.modules, layout.gil}) <= kMostState;
}

}  // namespace

std::optional<PythonLayout> python_layout(PythonVersion version, RemoteMemory& memory,
                                          RemoteAddress runtime) {
  const PythonRelease* const release = python_release(version);
  if (release == nullptr) return std::nullopt;
  auto layout = release->words == nullptr ? std::optional(release->layout)
                                          : layout_from_words(*release, memory, runtime);
  if (!layout) return std::nullopt;
  return measure(*layout) ? layout : std::nullopt;
}

bool is_free_threaded(RemoteMemory& memory, RemoteAddress runtime) {
  return memory.value<uint64_t>(runtime + kFreeThreaded * sizeof(uint64_t)).value_or(1) != 0;
}

}  // namespace tailback

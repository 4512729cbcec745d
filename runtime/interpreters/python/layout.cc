#include "runtime/interpreters/python/layout.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace tailback {
namespace {

// Found with offsetof() against the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7 and 3.12.1.
PythonLayout layout_3_8() {
  PythonLayout layout;
  layout.frames = PythonFrames::kObjects;
  layout.first_interpreter = 32;
  layout.gil = 1152;
  layout.next_interpreter = 0;
  layout.first_thread = 8;
  layout.modules = 56;
  layout.next_thread = 8;
  layout.thread_interpreter = 16;
  layout.thread_id = 176;
  layout.thread_frame = 24;
  layout.frame_code = 32;
  layout.frame_previous = 24;
  layout.frame_position = 104;
  layout.code_file = 104;
  layout.code_name = 112;
  layout.code_first_line = 40;
  layout.code_lines = 120;
  layout.code_code = 48;
  layout.string_ascii = 48;
  layout.string_other = 72;
  return layout;
}

PythonLayout layout_3_9() {
  PythonLayout layout = layout_3_8();
  layout.gil = 352;
  layout.modules = 856;
  return layout;
}

PythonLayout layout_3_10() {
  PythonLayout layout = layout_3_9();
  layout.frame_position = 96;
  return layout;
}

PythonLayout layout_3_11() {
  PythonLayout layout;
  layout.frames = PythonFrames::kEntries;
  layout.first_interpreter = 40;
  layout.gil = 360;
  layout.next_interpreter = 0;
  layout.first_thread = 16;
  layout.modules = 888;
  layout.next_thread = 8;
  layout.thread_interpreter = 16;
  layout.native_thread_id = 160;
  layout.thread_id = 152;
  layout.thread_frame = 56;
  layout.through_cframe = true;
  layout.cframe_frame = 8;
  layout.frame_code = 32;
  layout.frame_previous = 48;
  layout.frame_position = 56;
  layout.frame_is_entry = 68;
  layout.code_file = 112;
  layout.code_name = 128;
  layout.code_first_line = 72;
  layout.code_lines = 136;
  layout.code_code = 184;
  layout.string_ascii = 48;
  layout.string_other = 72;
  return layout;
}

PythonLayout layout_3_12() {
  PythonLayout layout = layout_3_11();
  layout.frames = PythonFrames::kShims;
  layout.first_thread = 72;
  layout.modules = 944;
  layout.gil = 384;
  layout.gil_of_interpreter = true;
  layout.native_thread_id = 144;
  layout.thread_id = 136;
  layout.cframe_frame = 0;
  layout.frame_code = 0;
  layout.frame_previous = 8;
  layout.frame_owner = 70;
  layout.code_first_line = 68;
  layout.code_code = 192;
  layout.string_ascii = 40;
  layout.string_other = 56;
  return layout;
}

constexpr size_t kWords = 83;  // of _Py_DebugOffsets, as far as one is needed here
constexpr std::array<char, 8> kCookie = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};
constexpr size_t kFreeThreaded = 2;

// Which word of _Py_DebugOffsets holds what. It differs from one minor version to the next.
struct OffsetWords {
  size_t first_interpreter, next_interpreter, first_thread, modules, gil;
  size_t next_thread, thread_interpreter, thread_frame, thread_id, native_thread_id;
  size_t frame_previous, frame_code, frame_position, frame_owner;
  size_t code_file, code_name, code_lines, code_first_line, code_code;
  size_t bytes_size, bytes_data;
  size_t string_state, string_length, string_ascii;
};
constexpr OffsetWords kWords313 = {5,  8,  9,  11, 14, 21, 22, 23, 24, 25, 29, 30,
                                   31, 33, 35, 37, 38, 39, 43, 65, 66, 68, 69, 70};
constexpr OffsetWords kWords314 = {5,  8,  9,  12, 15, 24, 25, 26, 27, 28, 32, 33,
                                   34, 36, 40, 42, 43, 44, 48, 75, 76, 78, 79, 80};

std::optional<PythonLayout> layout_from_words(PythonVersion version, RemoteMemory& memory,
                                              RemoteAddress runtime) {
  std::array<uint64_t, kWords> words;
  if (!memory.read(runtime, std::as_writable_bytes(std::span(words)))) return std::nullopt;
  if (std::memcmp(words.data(), kCookie.data(), kCookie.size()) != 0) return std::nullopt;
  const uint64_t said = words[1] >> 16;  // as Py_Version has it
  if (said != static_cast<uint64_t>(version.major << 8 | version.minor)) return std::nullopt;
  const OffsetWords& at = version.minor == 13 ? kWords313 : kWords314;
  PythonLayout layout;
  layout.frames = PythonFrames::kShims;
  layout.first_interpreter = words[at.first_interpreter];
  layout.next_interpreter = words[at.next_interpreter];
  layout.first_thread = words[at.first_thread];
  layout.modules = words[at.modules];
  layout.gil = words[at.gil];
  layout.gil_of_interpreter = true;
  layout.next_thread = words[at.next_thread];
  layout.thread_interpreter = words[at.thread_interpreter];
  layout.thread_frame = words[at.thread_frame];
  layout.thread_id = words[at.thread_id];
  layout.native_thread_id = words[at.native_thread_id];
  layout.frame_previous = words[at.frame_previous];
  layout.frame_code = words[at.frame_code];
  layout.frame_position = words[at.frame_position];
  layout.frame_owner = words[at.frame_owner];
  // From 3.14 on the low bits of the pointer are tags.
  if (version.minor >= 14) layout.frame_code_mask = ~uint64_t{7};
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
  if (version < kOldestPython || version > kNewestPython) return std::nullopt;
  std::optional<PythonLayout> layout;
  if (version.minor >= 13) {
    layout = layout_from_words(version, memory, runtime);
  } else if (version.minor == 12) {
    layout = layout_3_12();
  } else if (version.minor == 11) {
    layout = layout_3_11();
  } else {
    layout = version.minor == 10 ? layout_3_10() : version.minor == 9 ? layout_3_9() : layout_3_8();
  }
  if (!layout) return std::nullopt;
  return measure(*layout) ? layout : std::nullopt;
}

bool is_free_threaded(RemoteMemory& memory, RemoteAddress runtime) {
  return memory.value<uint64_t>(runtime + kFreeThreaded * sizeof(uint64_t)).value_or(1) != 0;
}

}  // namespace tailback

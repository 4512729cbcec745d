// The versions of CPython whose frames are read, and all that differs between them: one row of
// versions.cc for each.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tailback {

struct PythonVersion {
  int major = 0;
  int minor = 0;
  constexpr auto operator<=>(const PythonVersion&) const = default;
};

// "3.14".
std::string text_of(PythonVersion version);

// How a thread's frames hang together, and which native frames run them.
enum class PythonFrames {
  kObjects,  // to 3.10: frame objects; one call of the eval loop for each
  kEntries,  // 3.11: a call of the eval loop runs the frames up to one marked as its entry
  kShims,    // from 3.12: the outermost frame of each call of the eval loop is a stand-in
};

// The format of a code object's line table.
enum class PythonLines {
  kIncrements,  // to 3.9, co_lnotab
  kRanges,      // 3.10
  kLocations,   // from 3.11
};

// Offsets in bytes, and which of the formats that differ from version to version holds.
struct PythonLayout {
  PythonFrames frames = PythonFrames::kObjects;

  // _PyRuntimeState, PyInterpreterState
  uint64_t first_interpreter = 0;
  uint64_t next_interpreter = 0;
  uint64_t first_thread = 0;
  uint64_t modules = 0;  // what points to sys.modules

  // The GIL: in _PyRuntimeState, or what points to it in the interpreter
  uint64_t gil = 0;
  bool gil_of_interpreter = false;

  // PyThreadState
  uint64_t next_thread = 0;
  uint64_t thread_interpreter = 0;
  uint64_t native_thread_id = 0;  // 0: the version has none, and `thread_id` (a pthread_t) serves
  uint64_t thread_id = 0;
  uint64_t thread_frame = 0;    // the innermost frame, or what points to it
  bool through_cframe = false;  // `thread_frame` points to a struct with that pointer
  uint64_t cframe_frame = 0;    // offset in that struct
  uint64_t thread_bytes = 0;    // up to the last field above

  // A frame
  uint64_t frame_code = 0;
  uint64_t frame_code_mask = ~uint64_t{0};  // of the pointer to the code
  uint64_t frame_previous = 0;
  uint64_t frame_position = 0;  // f_lasti (int), or the instruction's address
  uint64_t frame_owner = 0;     // kShims
  uint64_t frame_is_entry = 0;  // kEntries
  uint64_t frame_bytes = 0;

  // PyCodeObject
  uint64_t code_file = 0;
  uint64_t code_name = 0;  // the qualified name, where there is one
  uint64_t code_first_line = 0;
  uint64_t code_lines = 0;  // the line table, a bytes object
  uint64_t code_code = 0;   // kObjects: a bytes object; else the first instruction itself
  uint64_t code_bytes = 0;

  // PyUnicodeObject, PyBytesObject
  uint64_t string_length = 16;
  uint64_t string_state = 32;
  uint64_t string_ascii = 0;  // the characters, where all are ASCII
  uint64_t string_other = 0;  // the characters else
  uint64_t bytes_size = 16;
  uint64_t bytes_data = 32;

  // asyncio's tasks
  bool running_task_of_thread = false;  // its module says the offsets, and a thread has its task
  uint64_t task_name = 0;
  uint64_t task_coroutine = 0;
  uint64_t coroutine_frame = 0;  // what points to its frame (kObjects), or the frame itself

  PythonLines lines = PythonLines::kLocations;
  unsigned position_unit = 1;    // bytes that `frame_position` counts in
  bool dict_says_size = false;   // the size of its table; else the logarithm of that
  bool tagged_integers = false;  // an int has its sign in two bits beside the number of digits
  bool byte_locks = false;       // a lock is a byte; else a semaphore
};

// Which word of _Py_DebugOffsets, the table that an interpreter has of its own offsets, holds what.
struct PythonOffsetWords {
  size_t first_interpreter, next_interpreter, first_thread, modules, gil;
  size_t next_thread, thread_interpreter, thread_frame, thread_id, native_thread_id;
  size_t frame_previous, frame_code, frame_position, frame_owner;
  size_t code_file, code_name, code_lines, code_first_line, code_code;
  size_t bytes_size, bytes_data;
  size_t string_state, string_length, string_ascii;
};

struct PythonRelease {
  PythonVersion version;
  PythonLayout layout;  // without the offsets that the interpreter says itself
  // nullptr: it says none.
  const PythonOffsetWords* words = nullptr;
};

// From the oldest to the newest.
std::span<const PythonRelease> python_releases();

// nullptr: frames of this version are not read. There is no guess from another version.
const PythonRelease* python_release(PythonVersion version);

}  // namespace tailback

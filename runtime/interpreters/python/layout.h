// Where the fields of CPython's structures lie, for each version that is read: 3.8 to 3.14, builds
// with the GIL and without debug checks. Up to 3.12 the offsets are known here; from 3.13 on the
// interpreter says them itself.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/capture/remote_address.h"
#include "runtime/capture/remote_memory.h"
#include "runtime/interpreters/python/version.h"

namespace tailback {

// How a thread's frames hang together, and which native frames run them.
enum class PythonFrames {
  kObjects,  // to 3.10: frame objects; one call of the eval loop for each
  kEntries,  // 3.11: a call of the eval loop runs the frames up to one marked as its entry
  kShims,    // from 3.12: the outermost frame of each call of the eval loop is a stand-in
};

// Offsets in bytes.
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
};

// The layout of a version; from 3.13 on as the interpreter whose _PyRuntime lies at `runtime` says.
// Nothing if it is not known, or what the interpreter says makes no sense.
std::optional<PythonLayout> python_layout(PythonVersion version, RemoteMemory& memory,
                                          RemoteAddress runtime);

// Whether the interpreter says that it has no GIL. From 3.13 on.
bool is_free_threaded(RemoteMemory& memory, RemoteAddress runtime);

}  // namespace tailback

// The JavaScript frames of one thread's stack. They are found by what they look like: a frame of
// V8's has its context and its function below the caller's frame pointer. That can also be what an
// earlier call has left in the stack, so these are candidates, which unwinding confirms or not (see
// merge_by_frames.h).
//
// Gathering copies what is needed while the thread stands still; pure functions of a snapshot's
// stack and a memory, which may be a recorded image. What is read is checked: tags, types by the
// objects' maps, lengths, the formats of tables and strings. What fails a check is marked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/capture/remote_memory.h"
#include "runtime/capture/snapshot.h"
#include "runtime/interpreters/interpreter_stack.h"
#include "runtime/interpreters/v8/finder.h"

namespace tailback {

struct GatheredV8Stack {
  struct Script {
    uint64_t pointer = 0;
    uint64_t source = 0;
    int32_t id = 0;
    int32_t first_line = 0;  // counted from 0
    uint32_t length = 0;     // of its source, in characters
    std::string file;
  };
  struct Frame {
    InterpretedFrame frame;        // without its line
    std::optional<size_t> script;  // of `scripts`
    std::optional<uint32_t> position;
  };
  std::vector<Frame> frames;
  std::vector<Script> scripts;
};

inline constexpr size_t kMostV8Frames = 256;

GatheredV8Stack gather_v8_stack(RemoteMemory& memory, const V8Layout& layout,
                                const Snapshot& snapshot);

// The script's source where it was, if it is still there: a collector may have moved it.
std::optional<std::u16string> read_v8_source(RemoteMemory& memory, const V8Layout& layout,
                                             const GatheredV8Stack::Script& script);

// The path of a file:// URL; anything else as it is.
std::string path_of_script(std::string_view name);

}  // namespace tailback

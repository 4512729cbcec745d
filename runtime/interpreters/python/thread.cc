#include "runtime/interpreters/python/thread.h"

#include <climits>
#include <cstring>
#include <vector>

namespace tailback {
namespace {

constexpr size_t kMostInterpreters = 64;
constexpr size_t kMostThreads = 8192;
// struct pthread's tid, of glibc on x86-64, from where pthread_self() points.
constexpr uint64_t kTidOfPthread = 0x2d0;

// The bytes of one thread state.
class ThreadState {
 public:
  ThreadState(RemoteMemory& memory, const PythonLayout& layout, RemoteAddress address)
      : memory_(memory), layout_(layout), bytes_(layout.thread_bytes) {
    read_ = address.value != 0 && memory.read(address, bytes_);
  }

  bool is_read() const { return read_; }
  RemoteAddress next() const { return RemoteAddress(word(layout_.next_thread)); }
  RemoteAddress interpreter() const { return RemoteAddress(word(layout_.thread_interpreter)); }

  std::optional<int> tid() const {
    if (layout_.native_thread_id != 0) {
      const uint64_t id = word(layout_.native_thread_id);
      if (id == 0 || id > INT_MAX) return std::nullopt;
      return static_cast<int>(id);
    }
    const uint64_t pthread = word(layout_.thread_id);
    if (pthread == 0) return std::nullopt;
    return memory_.value<int>(RemoteAddress(pthread) + kTidOfPthread);
  }
  bool is_of(int id) const { return tid() == id; }

  // Nothing if it can't be read.
  std::optional<RemoteAddress> frame() const {
    const RemoteAddress first(word(layout_.thread_frame));
    if (!layout_.through_cframe || first.value == 0) return first;
    return memory_.value<RemoteAddress>(first + layout_.cframe_frame);
  }

 private:
  uint64_t word(uint64_t offset) const {
    uint64_t value = 0;
    if (offset + sizeof value <= bytes_.size())
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  RemoteMemory& memory_;
  const PythonLayout& layout_;
  std::vector<std::byte> bytes_;
  bool read_ = false;
};

}  // namespace

std::optional<PythonThread> find_python_thread(RemoteMemory& memory,
                                               const PythonInterpreter& python, int tid) {
  const PythonLayout& layout = python.layout;
  std::optional<PythonThread> found;
  size_t threads = 0;
  RemoteAddress interpreter = memory.value<RemoteAddress>(python.runtime + layout.first_interpreter)
                                  .value_or(RemoteAddress());
  for (size_t i = 0; i < kMostInterpreters && interpreter.value != 0; ++i) {
    RemoteAddress address =
        memory.value<RemoteAddress>(interpreter + layout.first_thread).value_or(RemoteAddress());
    while (address.value != 0 && ++threads <= kMostThreads) {
      const ThreadState state(memory, layout, address);
      if (!state.is_read()) break;
      if (state.is_of(tid) && state.interpreter() == interpreter) {
        const auto frame = state.frame();
        if (!frame) return std::nullopt;
        const bool runs = frame->value != 0;
        if (found && found->frame.value != 0 && runs) return std::nullopt;
        if (!found || runs) found = PythonThread{address, *frame};
      }
      address = state.next();
    }
    interpreter = memory.value<RemoteAddress>(interpreter + layout.next_interpreter)
                      .value_or(RemoteAddress());
  }
  return found;
}

std::optional<PythonThread> read_python_thread(RemoteMemory& memory,
                                               const PythonInterpreter& python, RemoteAddress state,
                                               int tid) {
  const ThreadState thread(memory, python.layout, state);
  if (!thread.is_read() || !thread.is_of(tid)) return std::nullopt;
  const auto frame = thread.frame();
  if (!frame) return std::nullopt;
  return PythonThread{state, *frame};
}

std::optional<int> python_thread_id(RemoteMemory& memory, const PythonInterpreter& python,
                                    RemoteAddress state) {
  const ThreadState thread(memory, python.layout, state);
  if (!thread.is_read()) return std::nullopt;
  return thread.tid();
}

std::optional<int> python_thread_of_ident(RemoteMemory& memory, const PythonInterpreter& python,
                                          uint64_t ident) {
  const auto tid = memory.value<int>(RemoteAddress(ident) + kTidOfPthread);
  return tid && *tid > 0 && find_python_thread(memory, python, *tid) ? tid : std::nullopt;
}

}  // namespace tailback

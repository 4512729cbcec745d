#include "runtime/interpreters/python/gil.h"

namespace tailback {
namespace {

// struct _gil_runtime_state, the same in all versions that are read.
constexpr uint64_t kLastHolder = 8;
constexpr uint64_t kLocked = 16;  // int: -1 before the lock is made
constexpr uint64_t kSize = 208;

}  // namespace

std::optional<PythonGil> read_python_gil(RemoteMemory& memory, const PythonInterpreter& python,
                                         RemoteAddress thread_state) {
  const PythonLayout& layout = python.layout;
  PythonGil gil;
  gil.address = python.runtime + layout.gil;
  if (layout.gil_of_interpreter) {
    const auto interpreter = memory.value<RemoteAddress>(thread_state + layout.thread_interpreter);
    if (!interpreter || interpreter->value == 0) return std::nullopt;
    const auto address = memory.value<RemoteAddress>(*interpreter + layout.gil);
    if (!address || address->value == 0) return std::nullopt;
    gil.address = *address;
  }
  const auto holder = memory.value<RemoteAddress>(gil.address + kLastHolder);
  const auto locked = memory.value<int>(gil.address + kLocked);
  if (!holder || !locked || *locked < 0 || *locked > 1) return std::nullopt;
  if (*locked == 1) gil.holder = *holder;
  return gil;
}

bool lies_in_gil(const PythonGil& gil, RemoteAddress address) {
  return address >= gil.address && address - gil.address < kSize;
}

}  // namespace tailback

// What the observer keeps of the stacks that it reads does not grow with their number: native ones
// with lines and inlined functions, and Python's merged with the interpreter's own.
// TAILBACK_TEST_LONG=1 reads 50,000.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "runtime/interpreters/merged_stack.h"
#include "runtime/interpreters/python/processes.h"
#include "runtime/kernel/kernel_view.h"
#include "runtime/symbolize/symbolizer.h"
#include "tests/unit/python_versions.h"
#include "tests/unit/running_python.h"
#include "tests/unit/targets/running_target.h"

namespace tailback {
namespace {

// The reading part of the observer: what it has learnt of modules and processes stays.
struct Reader {
  std::unique_ptr<Unwinder> unwinder = make_unwinder();
  Symbolizer symbolizer;
  PythonProcesses processes;

  std::vector<Frame> native(const Snapshot& snapshot, bool& complete) {
    const RawStack raw = unwinder->unwind(snapshot);
    complete = raw.complete;
    return symbolizer.symbolize(snapshot.pid, *snapshot.modules, raw);
  }

  // Of a thread that is blocked. The whole map is read each time, as when modules change.
  std::vector<Frame> python(int pid, int tid) {
    const auto call = read_kernel_call(pid, tid);
    auto map = ModuleMap::read(pid);
    if (!call || !map) return {};
    Registers registers;
    registers.context.instruction_pointer = call->instruction_pointer;
    registers.context.stack_pointer = call->stack_pointer;
    registers.complete = false;
    registers.after_call = true;
    const auto modules = std::make_shared<const ModuleMap>(std::move(*map));
    const auto snapshot = take_snapshot(pid, tid, registers, modules);
    processes.prepare(pid, tid, modules);
    const auto copy = processes.copy(pid, tid, nullptr);
    if (!snapshot || !copy) return {};
    bool complete = false;
    std::vector<Frame> stack = native(*snapshot, complete);
    merge_frames(copy->decode(), RawStack(), false, stack, complete);
    return stack;
  }
};

// Bytes that are allocated and not freed.
size_t in_use() {
  return mallinfo2().uordblks;
}

TEST(StackMemory, ManyStacks_NoGrowth) {
  const char* const is_long = std::getenv("TAILBACK_TEST_LONG");
  const int stacks = is_long != nullptr && std::string(is_long) == "1" ? 50000 : 2000;
  std::string command;
  for (const std::string& version : kPythonVersions) {
    if (command.empty()) command = python_command(version);
  }
  if (command.empty()) GTEST_SKIP() << "no Python on this machine";
  const RunningPython running(command);
  ASSERT_FALSE(running.threads().empty());
  const RunningTarget target(std::string(TAILBACK_TARGETS) + "/unwind_target_optimised");
  ASSERT_TRUE(target.ready());

  Reader reader;
  size_t read = 0;
  size_t python_frames = 0;
  const auto read_stacks = [&](int count) {
    auto thread = target.threads().begin();
    for (int i = 0; i < count; i += 2) {
      if (thread == target.threads().end()) thread = target.threads().begin();
      bool complete = false;
      if (!reader.native(target.snapshot_of((thread++)->first), complete).empty()) ++read;
      const auto& threads = running.threads();
      const int tid = threads[static_cast<size_t>(i / 2) % threads.size()].tid;
      const std::vector<Frame> merged = reader.python(running.pid(), tid);
      if (!merged.empty()) ++read;
      for (const Frame& frame : merged) python_frames += frame.language == "python" ? 1 : 0;
    }
  };
  read_stacks(500);  // what is learnt
  read = 0;
  python_frames = 0;
  const size_t before = in_use();
  read_stacks(stacks);
  const size_t after = in_use();
  EXPECT_EQ(read, static_cast<size_t>(stacks));
  EXPECT_GT(python_frames, static_cast<size_t>(stacks));
  const long grown = static_cast<long>(after) - static_cast<long>(before);
  std::printf("%d stacks: %ld bytes more in use\n", stacks, grown);
  EXPECT_LT(grown, 64 * 1024);
}

}  // namespace
}  // namespace tailback

// What the stacks of threads take of real memory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tailback {

struct StackMemory {
  uint64_t threads = 0;  // whose stacks were found
  uint64_t bytes = 0;    // resident, in all
};

// `smaps`: the text of /proc/PID/smaps; lines that make no sense are left out. `stack_pointers`: of
// threads.
StackMemory stack_memory(std::string_view smaps, std::vector<uint64_t> stack_pointers);

// Of a process that is there; else nothing is found. The process can't change its memory map for as
// long as one mapping is looked at.
StackMemory read_stack_memory(int pid, std::vector<uint64_t> stack_pointers);

// Real memory of a process; 0: it is gone.
uint64_t read_resident_bytes(int pid);

}  // namespace tailback

// Copies of the calling thread's registers and stack, for the observer to unwind later.
#pragma once

#include "instrument/contract/record_contract.h"

namespace tailback {

// Returns the index of a filled capture plus one; 0 if none is free, or if the process may not make
// the system call that copies a stack of unknown end.
uint32_t capture_stack(const contract::ThreadRecord& record);
// Frees one that was not published.
void discard_capture(uint32_t capture);

// Copies the mapped memory from `from` upwards, kStackCaptureBytes at most, and returns how much
// that was. A system call on process `pid`, which is this one.
uint32_t copy_mapped(int pid, uint64_t from, char* to, uint32_t size);

// To be called in the constructor: finds out whether the process has inherited a filter of system
// calls.
void find_inherited_filter();
// The same later, once: for what most programs never do.
void find_inherited_filter_once();
// From now on no stack is captured: the program is about to allow only some system calls.
void capture_no_more();
// Whether no filter of system calls is known, so that any may be made.
bool may_make_system_calls();

}  // namespace tailback

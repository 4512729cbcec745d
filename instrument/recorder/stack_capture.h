// Copies of the calling thread's registers and stack, for the observer to unwind later.
#pragma once

#include "instrument/contract/record_contract.h"

namespace tailback {

// Returns the index of a filled capture and one, or 0: there is none free, or the process may not
// make the system call that copies a stack whose end nobody knows.
uint32_t capture_stack(const contract::ThreadRecord& record);
// Gives one back that nobody was told of.
void discard_capture(uint32_t capture);

// Copies what is mapped at `from` and upwards, kStackCaptureBytes at most, wherever memory ends:
// returns how much that was. A system call of process `pid`, this one.
uint32_t copy_mapped(int pid, uint64_t from, char* to, uint32_t size);

// To be called in the constructor: whether a filter of system calls is in force, that this process
// has inherited.
void note_inherited_filter();
// From now on no stack is captured: the program will allow itself but some system calls.
void capture_no_more();
// Whether no filter of system calls is known of, so that any may be made.
bool may_make_system_calls();

}  // namespace tailback

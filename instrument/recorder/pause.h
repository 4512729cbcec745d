// The hold: a bounded pause of a running thread, so that the observer can read its stack while it
// stands still. See PauseState in the record contract.
//
// The signal is SIGURG, whose default action is to be ignored: should it ever reach a process
// without our handler (after exec, after the program took the signal for itself), nothing happens.
#pragma once

#include <signal.h>

namespace tailback {

inline constexpr int kPauseSignal = SIGURG;

// Installs the handler, unless the signal is ignored or handled already.
void install_pause_handler();

// Whether the signal's handler is ours. Makes no system call.
bool pause_handler_in_place();

// Puts back what the program had in place. Returns false if the handler was not in place.
bool remove_pause_handler();

}  // namespace tailback

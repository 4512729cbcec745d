// A bounded pause of a running thread, so that the observer can read its stack while it is stopped.
// See PauseState in the record contract.
//
// The signal is SIGURG, which is ignored by default: where it reaches a process without the
// recorder's handler (after exec, after the program took the signal for itself), nothing happens.
#pragma once

#include <signal.h>

namespace tailback {

inline constexpr int kPauseSignal = SIGURG;

// Installs the handler, unless the signal is ignored or handled already.
void install_pause_handler();

// Whether the signal's handler is the recorder's. Makes no system call.
bool pause_handler_in_place();

// Restores the program's own action. Returns false if the handler was not in place.
bool remove_pause_handler();

}  // namespace tailback

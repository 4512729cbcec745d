// Making this process one that observes in the background.
#pragma once

namespace tailback {

// A session of its own without a terminal; /dev/null as standard input, and as standard output too
// unless `keeps_output`; standard error stays. Outlasts the signals that end a command, since they
// often go to all processes around it and the observer has yet to report.
void become_background(bool keeps_output);

}  // namespace tailback

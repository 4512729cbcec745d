// One stall as a person reads it.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/report/culprit_tally.h"
#include "runtime/report/text_style.h"
#include "runtime/values/session.h"
#include "runtime/values/stall.h"

namespace tailback {

// All that is known, over several lines.
std::string full_stall_text(const Stall& stall, const TextStyle& style);

// The same without its first line.
std::string stall_details(const Stall& stall, const TextStyle& style);

// "sleep in load_config (src/config.cc:42), on /etc/server.conf"
std::string what_text(const Stall& stall);

// One line each, ending in a newline. `tally` holds the culprit with this stall counted in;
// nullptr if it is not counted.
std::string repeated_stall_text(const Stall& stall, const Culprit* tally);
std::string still_blocked_text(const Stall& stall);
std::string unblocked_text(const Stall& stall);

// "load_config (src/config.cc:42)", "clock_nanosleep", or "unknown code".
std::string culprit_text(const Stall& stall, size_t limit);
std::string culprit_text(const Culprit& culprit, size_t limit);

// "server[4711], thread io-0[4713], epoll_wait on fd 5"
std::string loop_text(const std::string& process, int pid, const std::string& thread, int tid,
                      const LoopIdentity& loop);

}  // namespace tailback

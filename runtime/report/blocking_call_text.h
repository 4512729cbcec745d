// BlockingCalls in words.
#pragma once

#include <string>
#include <string_view>

#include "runtime/report/blocking_call_tally.h"
#include "runtime/report/text_style.h"
#include "runtime/values/blocking_call.h"
#include "runtime/values/session.h"

namespace tailback {

// One that is seen for the first time, with its call, stack and advice.
std::string full_blocking_call_text(const BlockingCall& blocking_call, const TextStyle& style);

// A line that counts them and a table: most total time first, the rest beyond `rows` in one line.
// What was not seen to wait is said too. Empty if there is nothing to say.
std::string blocking_calls_text(const BlockingCallTally& tally, const Counts& counts, size_t rows);

}  // namespace tailback

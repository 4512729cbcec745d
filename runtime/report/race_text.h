// Findings of ThreadSanitizer in words.
#pragma once

#include <string>

#include "runtime/report/text_style.h"
#include "runtime/values/race.h"

namespace tailback {

// "data race on counter: write in increment (counter.cc:12), write in increment (counter.cc:12)"
std::string race_headline(const Race& race);

// All that is known, over several lines.
std::string full_race_text(const Race& race, const TextStyle& style);

}  // namespace tailback

// Findings that are reported once for each place, in words: what every stage that prints them needs
// of each kind.
#pragma once

#include <string>

#include "runtime/report/text_style.h"
#include "runtime/values/record.h"

namespace tailback {

// "data race on counter: write in increment (counter.cc:12), …"; empty of records that are no such
// finding.
std::string finding_headline(const Record& record);

// All that is known, over several lines. Empty of records that are no such finding.
std::string full_finding_text(const Record& record, const TextStyle& style);

// What the end of a session says of one kind, as one line: "tailback: 2 lock-order inversions, 1
// not reported (address reused)". Empty if there is nothing to say.
std::string counts_text(RecordKind kind, const Counts& counts);

}  // namespace tailback

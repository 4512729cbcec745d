// What a thread says of the iteration in progress, through the annotation header: its name, and
// time in scopes that are allowed to block. Hostile input, like all of the segment.
#pragma once

#include <cstdint>
#include <string>

#include "instrument/contract/record_contract.h"

namespace tailback {

// The name of the iteration that began at this tick; empty if it has none, or is just being given
// one.
std::string iteration_name(const contract::IterationName& name, uint64_t iteration_begin);

// A name as it stands in the segment, without the rest of a character that did not fit.
std::string iteration_name(const char (&text)[contract::kIterationNameBytes]);

// Whether the thread is in a scope that is allowed to block.
bool blocking_is_allowed(const contract::ThreadRecord& record);

// Ticks in such scopes, of the iteration in progress at `site` that began at `iteration_begin`,
// until `now`.
uint64_t allowed_so_far(const contract::ThreadRecord& record, const contract::WaitSite& site,
                        uint64_t iteration_begin, uint64_t now);

}  // namespace tailback

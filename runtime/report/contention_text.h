// Locks that were waited for, in words.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/values/contention.h"

namespace tailback {

// A table of the first `rows` locks, each with where it was waited for and held. `all`: how many
// were waited for, if `locks` has not all of them. Empty if there is none.
std::string contentions_text(const std::vector<Contention>& locks, uint64_t all, size_t rows);

}  // namespace tailback

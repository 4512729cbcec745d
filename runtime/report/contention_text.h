// Locks that were waited for, in words.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/values/contention.h"

namespace tailback {

// A table of the first `rows` locks, each with where it was waited for and held. Empty if there is
// none and nothing is missing.
std::string contentions_text(const std::vector<Contention>& locks, const ContentionCounts& counts,
                             size_t rows);

}  // namespace tailback

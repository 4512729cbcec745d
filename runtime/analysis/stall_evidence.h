// What an observation of a stall knows of its cause, gathered for decide_cause().
#pragma once

#include "runtime/detectors/observation.h"
#include "runtime/explain/cause.h"

namespace tailback {

// Where a sample has seen the object of a call, the sums of that call get its cause in place of the
// family's.
Evidence evidence_of(const StallSeen& observation);

}  // namespace tailback

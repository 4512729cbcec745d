// Runs the detectors and analyzers over a recording, as they ran beside the program.
#pragma once

#include "runtime/observations/observation_file.h"
#include "runtime/report/reporter.h"

namespace tailback {

// Deterministic: the same recording gives the same records in the same order.
void replay(const Observations& observations, Reporter& reporter);

}  // namespace tailback

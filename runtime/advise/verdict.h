// From what was measured to which kind of concurrency fits: the decision tree that everybody is
// taught, with figures in place of guesses.
#pragma once

#include "runtime/values/assessment.h"

namespace tailback {

Verdict judge(const Measurement& measured);

}  // namespace tailback

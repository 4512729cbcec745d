// An assessment for people.
#pragma once

#include <string>

#include "runtime/values/assessment.h"

namespace tailback {

// Several lines: the answer, then the figures that it was decided on.
std::string assessment_text(const Assessment& assessment);

// The answer alone.
std::string verdict_text(const Verdict& verdict);

}  // namespace tailback

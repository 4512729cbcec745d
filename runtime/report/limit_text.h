// What limits a report, as a sentence.
#pragma once

#include <string>

#include "runtime/values/limit.h"

namespace tailback {

std::string limit_text(const ReportLimit& limit);

}  // namespace tailback

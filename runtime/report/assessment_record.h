// An assessment as one line of a recording, of type "assessment". FORMAT.md describes the fields.
#pragma once

#include <string>

#include "runtime/values/assessment.h"

namespace tailback {

// As json_line() of json_record.h.
std::string json_line(const Assessment& assessment);

}  // namespace tailback

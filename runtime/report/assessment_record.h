// An assessment as one line of a recording, of type "assessment". FORMAT.md describes the fields.
#pragma once

#include <string>

#include "runtime/values/assessment.h"

namespace tailback {

class Fields;

// As json_line() of json_record.h.
std::string json_line(const Assessment& assessment);

// The verdict of such a line and the time; the figures are not read back. Throws MalformedRecord.
Assessment assessment_of(const Fields& fields);

}  // namespace tailback

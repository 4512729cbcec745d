// Coroutines that were never awaited as lines of a recording, and read back.
#pragma once

#include <string>

#include "runtime/report/record_fields.h"
#include "runtime/values/never_awaited.h"

namespace tailback {

// As json_record.h.
std::string json_line(const NeverAwaited& never_awaited);

// Throws MalformedRecord.
NeverAwaited never_awaited_of(const Fields& fields);

}  // namespace tailback

// The first line of a recording, and its last: what the observer was asked to look for, and how the
// command ended.
#pragma once

#include "runtime/detectors/settings.h"
#include "runtime/observations/segment_json.h"
#include "runtime/values/session.h"

namespace tailback {

Json header_of(const ObserverSettings& settings, const SessionStart& start);
ObserverSettings settings_in(const Json& header);
SessionStart start_in(const Json& header);

// What no detector says of the end.
Json end_of(const SessionEnd& end);
void add_end(const Json& json, SessionEnd& end);

}  // namespace tailback

// The environment that makes a command a target.
#pragma once

#include <string>
#include <vector>

namespace tailback {

// `environment` ("NAME=value", ended by a null pointer) with the recorder first in LD_PRELOAD,
// before what is there already, and the session's path in TAILBACK_SESSION.
std::vector<std::string> target_environment(const char* const* environment,
                                            const std::string& recorder,
                                            const std::string& session);

// Sets a variable, in place of any of that name.
void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value);

}  // namespace tailback

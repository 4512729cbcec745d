// The recorder's library, as it is preloaded.
#pragma once

#include <string>

namespace tailback {

// The path of libtailback.so, for LD_PRELOAD: found from the place of tailback's own executable, in
// the build tree as in an installed tree. Throws LaunchError if it isn't there or can't be
// preloaded.
std::string find_recorder();
std::string find_recorder(const std::string& own_executable);

// The path of another library that stands beside the recorder's. Throws LaunchError if it doesn't.
std::string beside_recorder(const std::string& recorder, const std::string& name);

}  // namespace tailback

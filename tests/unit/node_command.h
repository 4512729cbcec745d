// The versions of Node that a machine has.
#pragma once

#include <string>

namespace tailback {

// A command for this major version ("22"): TAILBACK_TEST_NODE_22 in the environment, what setup.sh
// has put into the build tree, or `node` in PATH if it is that version. Empty if there is none.
std::string node_command(const std::string& version);

}  // namespace tailback

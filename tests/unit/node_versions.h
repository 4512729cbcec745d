// The major versions of Node whose JavaScript frames are read: each has its image in
// tests/unit/images, and is looked for on the machine.
#pragma once

#include <string>

namespace tailback {

inline const std::string kNodeVersions[] = {"18", "20", "22", "24"};

}  // namespace tailback

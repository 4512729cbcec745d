// Opens what should be a plain file, at a path that a target may have chosen.
#pragma once

#include <sys/stat.h>

#include <string>

namespace tailback {

// A descriptor for reading, or -1. Regular files only: opening a FIFO or a device that stands in a
// file's place could block or do harm. `flags`: more of open(2)'s, as O_NOFOLLOW.
int open_regular_file(const std::string& path, struct stat& status, int flags = 0);

}  // namespace tailback

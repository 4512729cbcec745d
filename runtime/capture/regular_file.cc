#include "runtime/capture/regular_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace tailback {

int open_regular_file(const std::string& path, struct stat& status, int flags) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
  if (fd < 0) return -1;
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  ::close(fd);
  return -1;
}

}  // namespace tailback

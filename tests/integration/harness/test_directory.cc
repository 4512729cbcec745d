#include "tests/integration/harness/test_directory.h"

#include <errno.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <system_error>

namespace tailback::test {

TestDirectory::TestDirectory() {
  char name[] = "/tmp/tailback-test-XXXXXX";
  if (mkdtemp(name) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "can't make a directory in /tmp");
  }
  path_ = name;
}

TestDirectory::~TestDirectory() {
  if (!kept_) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

std::filesystem::path TestDirectory::write(const std::string& name, std::string_view text) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tailback::test

// The private directory of one test: programs run in it, logs and recordings are kept in it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tailback::test {

class TestDirectory {
 public:
  // Makes /tmp/tailback-test-XXXXXX. Throws std::system_error.
  TestDirectory();
  // Removes the directory with all that is in it, unless keep() was called.
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }

  // Writes a file and gives its path.
  std::filesystem::path write(const std::string& name, std::string_view text) const;

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

// The whole file; empty if there is none.
std::string file_text(const std::filesystem::path& path);

}  // namespace tailback::test

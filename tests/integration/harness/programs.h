// The programs that the tests run: ours in the build tree, others where the system has them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace tailback::test {

std::filesystem::path tailback_binary();
std::filesystem::path recorder_library();
// A demo or test target by name, from the build tree.
std::filesystem::path built_program(const std::string& name);
// A file of the source tree, by its path within it.
std::filesystem::path source_file(const std::string& path);

// The program's path, if it is installed. Searches PATH, then /usr/sbin and /sbin.
std::optional<std::filesystem::path> find_program(const std::string& name);

// Whether a filter of system calls is in force, as in some containers. The recorder then makes none
// of its own, and does not read the sets of a select.
bool system_calls_are_filtered();

// Whether TAILBACK_TEST_LONG=1 asks for loads of full length (10 s each in place of 3 s).
bool long_tests();

}  // namespace tailback::test

// Skips the test if the program is absent.
#define TAILBACK_NEEDS(name)                                      \
  if (!::tailback::test::find_program(name)) {                    \
    GTEST_SKIP() << "the program \"" << (name) << "\" is absent"; \
  }

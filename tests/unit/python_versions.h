// The Pythons whose frames are read: each has its image in tests/unit/images, and is looked for on
// the machine.
#pragma once

#include <algorithm>
#include <string>

namespace tailback {

inline const std::string kPythonVersions[] = {"3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"};

// "3_11", as the names of tests have no dots. `Info`: testing::TestParamInfo<std::string>.
template <typename Info>
std::string test_name_of_version(const Info& version) {
  std::string name = version.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace tailback

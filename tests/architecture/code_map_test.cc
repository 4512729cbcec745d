// docs/code-map.md and the list that it is made of.
#include "tests/architecture/code_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tailback {
namespace {

const std::filesystem::path kTop = TAILBACK_SOURCE_DIR;

bool has_sources(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator entries(folder);
  return std::any_of(begin(entries), end(entries),
                     [](const auto& entry) { return entry.is_regular_file(); });
}

TEST(CodeMap, EveryRoom_HasAPurpose) {
  for (const Room& room : house_rooms()) EXPECT_FALSE(room.purpose.empty()) << room.name;
}

TEST(CodeMap, EveryInstrumentFolder_IsListed) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kTop / "instrument")) {
    if (entry.is_directory() && has_sources(entry.path())) {
      found.push_back(std::filesystem::relative(entry.path(), kTop).string());
    }
  }
  std::vector<std::string> listed;
  for (const Folder& folder : house_folders()) listed.push_back(folder.path);
  std::sort(found.begin(), found.end());
  std::sort(listed.begin(), listed.end());
  EXPECT_EQ(listed, found);
}

TEST(CodeMap, Page_MatchesTheList) {
  const std::string page = code_map_page(house_rooms(), house_folders());
  const auto path = kTop / "docs" / "code-map.md";
  if (std::getenv("TAILBACK_WRITE") != nullptr) std::ofstream(path) << page;
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), page) << "write it again: TAILBACK_WRITE=1 build/bin/architecture_test";
}

}  // namespace
}  // namespace tailback

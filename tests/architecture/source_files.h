// The project's own sources, as far as the rules of the house look at them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tailback {

struct Include {
  std::string what;  // between the quotes or brackets
  bool bracketed = false;
  size_t line = 0;  // 1-based
};

struct SourceFile {
  std::string path;  // relative to the project's top, with '/'
  std::vector<Include> includes;
  std::vector<std::string> linked_rooms;  // of a CMakeLists.txt: X for each tailback_X it names
  size_t lines = 0;

  // Whether the file lies in a folder ("runtime/loops") or below it.
  bool is_in(std::string_view folder) const;
};

// One file's text, taken apart.
SourceFile parse_source(std::string path, std::string_view text);

// All sources below these folders of the project. Other files (recordings, binaries) are left out.
std::vector<SourceFile> read_sources(const std::filesystem::path& top,
                                     const std::vector<std::string>& folders);

}  // namespace tailback

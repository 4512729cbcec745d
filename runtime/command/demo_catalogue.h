// The demos, as their sources describe themselves (demos/README.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tailback {

// A line of a source, from 1.
struct DemoLine {
  int line = 0;
  std::string text;
};

struct Demo {
  std::string name;     // of its program too
  std::string summary;  // one line
  std::filesystem::path source;
  bool is_python = false;
  std::vector<DemoLine> options;   // of `tailback run`, each as "--flag" or "--flag=value"
  std::vector<DemoLine> expected;  // what must be reported, and on which line that is said
};

// The demos of one source. `source` names it, and tells its language. Most sources are no demo's.
std::vector<Demo> parse_demos(std::string_view text, const std::filesystem::path& source);

// All demos in the folders of `directory`, by name. A file that can't be read has none.
std::vector<Demo> read_demos(const std::filesystem::path& directory);

}  // namespace tailback

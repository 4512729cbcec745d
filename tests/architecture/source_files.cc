#include "tests/architecture/source_files.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <regex>

namespace tailback {

namespace fs = std::filesystem;

namespace {

bool is_source(const fs::path& path) {
  static constexpr std::array<std::string_view, 13> kExtensions = {
      ".cc", ".h", ".inc", ".c", ".S", ".rs", ".py", ".js", ".sh", ".cmake", ".in", ".md", ".lua"};
  const std::string extension = path.extension().string();
  return path.filename() == "CMakeLists.txt" ||
         std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

bool is_code(std::string_view path) {
  return path.ends_with(".cc") || path.ends_with(".h") || path.ends_with(".inc") ||
         path.ends_with(".c");
}

}  // namespace

bool SourceFile::is_in(std::string_view folder) const {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

SourceFile parse_source(std::string path, std::string_view text) {
  static const std::regex include_line(R"(^\s*#\s*include(?:_next)?\s*(["<])([^">]*)[">].*)");
  static const std::regex room(R"(\btailback_(\w+))");
  SourceFile file;
  file.path = std::move(path);
  const bool code = is_code(file.path);
  const bool build = file.path.ends_with("CMakeLists.txt");
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++file.lines;
    std::smatch match;
    if (code && std::regex_match(line, match, include_line)) {
      file.includes.push_back({match[2], match[1] == "<", file.lines});
    }
    if (build && !line.starts_with('#')) {
      for (std::sregex_iterator at(line.begin(), line.end(), room), last; at != last; ++at) {
        file.linked_rooms.push_back((*at)[1]);
      }
    }
  }
  return file;
}

std::vector<SourceFile> read_sources(const fs::path& top, const std::vector<std::string>& folders) {
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(top / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top / folder)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(stream), {}};
      files.push_back(parse_source(fs::relative(entry.path(), top).generic_string(), text));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace tailback

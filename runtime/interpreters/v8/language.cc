// What JavaScript's frames, files and programs are called.
#include "runtime/interpreters/languages.h"
#include "runtime/interpreters/v8/versions.h"

namespace tailback::v8 {

namespace {

constexpr std::string_view kWord = "javascript";

bool is_own_library(const Frame& frame) {
  return frame.language == kWord && frame.file.starts_with("node:");
}

bool is_package(const Frame& frame) {
  return frame.language == kWord && frame.file.find("/node_modules/") != std::string::npos;
}

// "node", "node20", "nodejs", but not "node_exporter".
bool is_program(std::string_view file, std::string_view name) {
  return file.starts_with(name) &&
         file.find_first_not_of("0123456789.", name.size()) == std::string_view::npos;
}

bool is_module(std::string_view path) {
  const std::string_view file = file_name(path);
  return is_program(file, "node") || is_program(file, "nodejs") || file.starts_with("libnode.so");
}

std::string supported() {
  const auto releases = v8_releases();
  std::string text = "Node ";
  for (size_t i = 0; i < releases.size(); ++i) {
    if (i > 0) text += i + 1 < releases.size() ? ", " : " and ";
    text += releases[i].node;
  }
  return text;
}

}  // namespace

const Language& language() {
  static constexpr Language kJavaScript = {.word = kWord,
                                           .name = "JavaScript",
                                           .runtime = "node",
                                           .is_own_library = is_own_library,
                                           .is_package = is_package,
                                           .is_module = is_module,
                                           .runs_one_thread = is_module,
                                           .supported = supported};
  return kJavaScript;
}

}  // namespace tailback::v8

// What Python's frames, files and programs are called.
#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "runtime/interpreters/languages.h"
#include "runtime/interpreters/python/module_name.h"
#include "runtime/interpreters/python/versions.h"

namespace tailback::python {

namespace {

constexpr std::string_view kWord = "python";

bool matches(const std::string& path, const auto& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return ::fnmatch(pattern, path.c_str(), 0) == 0; });
}

bool is_package(const Frame& frame) {
  static constexpr std::array kFolders = {"*/site-packages/*", "*/dist-packages/*"};
  return frame.language == kWord && matches(frame.file, kFolders);
}

bool is_own_library(const Frame& frame) {
  if (frame.language == "native") {  // an extension module of the standard library
    return frame.module.find("/lib-dynload/") != std::string::npos;
  }
  // A frozen module has no file; a standard library in an archive is named python311.zip.
  static constexpr std::array kPlaces = {"<frozen *>", "*/lib/python3.[0-9]*/*",
                                         "*/lib64/python3.[0-9]*/*", "*/python3[0-9]*.zip/*"};
  return frame.language == kWord && matches(frame.file, kPlaces) && !is_package(frame);
}

bool is_module(std::string_view path) {
  return python_module_name(path).has_value();
}

bool runs_one_thread(std::string_view path) {
  const auto name = python_module_name(path);
  return name && !name->free_threaded;
}

std::string supported() {
  const auto releases = python_releases();
  return "Python " + text_of(releases.front().version) + " to " + text_of(releases.back().version) +
         " with the GIL and without debug checks";
}

}  // namespace

const Language& language() {
  static constexpr Language kPython = {.word = kWord,
                                       .name = "Python",
                                       .runtime = "python",
                                       .is_own_library = is_own_library,
                                       .is_package = is_package,
                                       .is_module = is_module,
                                       .runs_one_thread = runs_one_thread,
                                       .supported = supported};
  return kPython;
}

}  // namespace tailback::python

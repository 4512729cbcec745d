#include "runtime/interpreters/languages.h"

#include <algorithm>
#include <array>

namespace tailback {

std::span<const Language* const> languages() {
  static const std::array all = {
#define INTERPRETER(folder) &folder::language(),
#include "runtime/interpreters/list.inc"
#undef INTERPRETER
  };
  return all;
}

namespace {

const Language* first_that(const auto& condition) {
  const auto all = languages();
  const auto found = std::find_if(all.begin(), all.end(), condition);
  return found != all.end() ? *found : nullptr;
}

}  // namespace

const Language* language_of(const Frame& frame) {
  return first_that([&](const Language* language) { return language->word == frame.language; });
}

const Language* language_of_module(std::string_view path) {
  return first_that([&](const Language* language) { return language->is_module(path); });
}

bool is_of_interpreter_library(const Frame& frame) {
  return first_that([&](const Language* language) { return language->is_own_library(frame); }) !=
         nullptr;
}

}  // namespace tailback

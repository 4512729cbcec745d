#include "runtime/explain/culprit.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "instrument/contract/intercepts.h"
#include "runtime/interpreters/languages.h"
#include "runtime/values/library_code.h"

namespace tailback {

bool is_system_library(const Frame& frame) {
  static constexpr std::array<std::string_view, 14> kPrefixes = {
      "libc.so",      "libc-",          "ld-linux",   "ld-musl",     "libpthread",
      "libstdc++.so", "libgcc_s.so",    "libm.so",    "librt.so",    "libdl.so",
      "[vdso]",       "libtailback.so", "libtsan.so", "libclang_rt."};
  const std::string_view name = file_name(frame.module);
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

namespace {

bool matches_any(const std::string& text, const std::vector<std::string>& patterns) {
  return !text.empty() &&
         std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
         });
}

// What a sanitizer that is linked into the program puts before a call of libc: it has the call's
// name, and unlike the program no source.
bool is_interceptor(const Frame& frame) {
  if (!frame.file.empty() || frame.function.empty()) return false;
  static const std::set<std::string_view> names = [] {
    std::set<std::string_view> all;
    for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
      all.insert(intercept::kFunctions[i].name);
    }
    return all;
  }();
  return names.contains(frame.function);
}

bool is_of(const Frame& frame, const std::vector<std::string>& patterns) {
  return matches_any(frame.file, patterns) || matches_any(frame.module, patterns);
}

bool is_interpreted(const Frame& frame) {
  return language_of(frame) != nullptr;
}

bool is_installed_package(const Frame& frame) {
  const Language* const language = language_of(frame);
  return language != nullptr && language->is_package(frame);
}

bool is_standard_library(const Frame& frame) {
  const Language* const language = language_of(frame);
  return language != nullptr && language->is_own_library(frame);
}

size_t first_of(const std::vector<Frame>& stack, const auto& condition) {
  return static_cast<size_t>(std::find_if(stack.begin(), stack.end(), condition) - stack.begin());
}

bool is_own_interpreted(const Frame& frame, const CulpritRule& rule) {
  if (is_of(frame, rule.own)) return true;
  return is_interpreted(frame) && !is_of(frame, rule.library) && !is_installed_package(frame) &&
         !is_standard_library(frame);
}

size_t find_interpreted_culprit(const std::vector<Frame>& stack, const CulpritRule& rule) {
  const size_t own =
      first_of(stack, [&](const Frame& frame) { return is_own_interpreted(frame, rule); });
  if (own != stack.size()) return own;
  const size_t package = first_of(stack, [](const Frame& frame) {
    return is_interpreted(frame) && !is_standard_library(frame);
  });
  return package != stack.size() ? package : first_of(stack, is_interpreted);
}

bool is_java(const Frame& frame) {
  return frame.language == "java";
}

// Of Java's own library: a method's name begins with its package.
bool is_of_jdk(const Frame& frame) {
  constexpr std::array<std::string_view, 5> kPackages = {"java.", "javax.", "jdk.", "sun.",
                                                         "com.sun."};
  return std::any_of(kPackages.begin(), kPackages.end(),
                     [&](std::string_view package) { return frame.function.starts_with(package); });
}

bool is_own_java(const Frame& frame) {
  return is_java(frame) && !is_of_jdk(frame);
}

// Packages have no files: what a user says of files says nothing of them.
size_t find_java_culprit(const std::vector<Frame>& stack) {
  const size_t own = first_of(stack, is_own_java);
  return own != stack.size() ? own : first_of(stack, is_java);
}

bool is_shared_library(const Frame& frame) {
  const std::string_view name = file_name(frame.module);
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

// The innermost function of a program without symbols, if the first that has a name is a shared
// library's further out, which called it back (libevent's event_base_loop).
size_t find_nameless(const std::vector<Frame>& stack, size_t named, const CulpritRule& rule) {
  if (!is_shared_library(stack[named]) || is_of(stack[named], rule.own)) return named;
  const auto end = stack.begin() + static_cast<ptrdiff_t>(named);
  const auto nameless = std::find_if(stack.begin(), end, [&](const Frame& frame) {
    return frame.function.empty() && !frame.module.empty() && !frame.module.starts_with('[') &&
           !is_shared_library(frame) && !is_of(frame, rule.library);
  });
  return static_cast<size_t>(nameless - stack.begin());
}

bool is_own_native(const Frame& frame, const CulpritRule& rule) {
  if (is_of(frame, rule.own)) return true;
  return !frame.function.empty() && frame.function != "_start" && !is_system_library(frame) &&
         library_of(frame).empty() && !is_interceptor(frame) && !is_of(frame, rule.library);
}

std::optional<size_t> last_of(const std::vector<Frame>& stack, size_t inner,
                              const auto& condition) {
  for (size_t i = inner; i > 0; --i) {
    if (condition(stack[i - 1])) return i - 1;
  }
  return std::nullopt;
}

}  // namespace

size_t find_culprit(const std::vector<Frame>& stack, const CulpritRule& rule) {
  if (std::any_of(stack.begin(), stack.end(), is_interpreted))
    return find_interpreted_culprit(stack, rule);
  if (std::any_of(stack.begin(), stack.end(), is_java)) return find_java_culprit(stack);
  const auto own = std::find_if(stack.begin(), stack.end(),
                                [&](const Frame& frame) { return is_own_native(frame, rule); });
  if (own != stack.end()) {
    return find_nameless(stack, static_cast<size_t>(own - stack.begin()), rule);
  }
  const auto outside = std::find_if(stack.begin(), stack.end(),
                                    [](const Frame& frame) { return !is_system_library(frame); });
  return static_cast<size_t>(outside - stack.begin());
}

std::optional<size_t> find_entry(const std::vector<Frame>& stack, size_t inner,
                                 const CulpritRule& rule) {
  inner = std::min(inner, stack.size());
  if (std::any_of(stack.begin(), stack.end(), is_interpreted)) {
    const auto own =
        last_of(stack, inner, [&](const Frame& frame) { return is_own_interpreted(frame, rule); });
    return own ? own : last_of(stack, inner, [](const Frame& frame) {
      return is_interpreted(frame) && !is_standard_library(frame);
    });
  }
  if (std::any_of(stack.begin(), stack.end(), is_java)) return last_of(stack, inner, is_own_java);
  const auto own = last_of(stack, inner, [&](const Frame& frame) {
    return is_own_native(frame, rule) && (!is_shared_library(frame) || is_of(frame, rule.own));
  });
  if (own) return own;
  return last_of(stack, inner, [&](const Frame& frame) {
    return is_own_native(frame, rule) &&
           (inner == stack.size() || frame.module != stack[inner].module);
  });
}

void strip_recorder(std::vector<Frame>& stack) {
  const auto first = std::find_if(stack.begin(), stack.end(), [](const Frame& frame) {
    return !file_name(frame.module).starts_with("libtailback.so");
  });
  stack.erase(stack.begin(), first);
}

}  // namespace tailback

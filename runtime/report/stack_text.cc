#include "runtime/report/stack_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "runtime/interpreters/languages.h"
#include "runtime/report/function_name.h"
#include "runtime/report/terminal_escape.h"
#include "runtime/values/library_code.h"

namespace tailback {
namespace {

constexpr size_t kFunctionColumns = 72;
constexpr size_t kPlaceColumns = 60;
constexpr size_t kCallersShown = 3;    // outward of the culprit
constexpr size_t kWithoutCulprit = 4;  // innermost frames shown when nobody is to blame
constexpr size_t kModulesNamed = 3;

// Files whose code is a runtime's, without the version that follows: libc.so.6, libc-2.31.so.
constexpr std::array<std::string_view, 17> kRuntimes = {
    "libc",   "ld",          "ld-linux-x86-64", "ld-linux-aarch64", "libpthread",
    "libm",   "libstdc++",   "libc++",          "libgcc_s",         "[vdso]",
    "libuv",  "libev",       "libevent",        "libevent_core",    "libglib",
    "libgio", "libtailback",
};

bool is_version(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.empty() || text.starts_with('.') || (text[0] >= '0' && text[0] <= '9');
}

bool of_runtime(const Frame& frame) {
  if (is_of_interpreter_library(frame)) return true;
  if (frame.language != "native") return false;
  if (language_of_module(frame.module) != nullptr) return true;
  const std::string_view file = file_name(frame.module);
  return std::any_of(kRuntimes.begin(), kRuntimes.end(), [file](std::string_view runtime) {
    return file.starts_with(runtime) && is_version(file.substr(runtime.size()));
  });
}

bool says_little(const Frame& frame) {
  return of_runtime(frame) || !library_of(frame).empty() ||
         (frame.function.empty() && frame.file.empty());
}

// "src/config.cc:42", else "server+0x4f20", else "0x4f20".
std::string place_text(const Frame& frame, size_t limit) {
  if (!frame.file.empty()) {
    const std::string line = frame.line > 0 ? fmt::format(":{}", frame.line) : "";
    return escape_for_terminal(frame.file, limit - std::min(limit, line.size()), Cut::kBeginning) +
           line;
  }
  if (frame.module.empty()) return fmt::format("{:#x}", frame.offset);
  const std::string offset = fmt::format("+{:#x}", frame.offset);
  return escape_for_terminal(file_name(frame.module), limit - std::min(limit, offset.size())) +
         offset;
}

std::vector<bool> frames_to_show(const std::vector<Frame>& stack, size_t culprit) {
  std::vector<bool> show(stack.size(), false);
  if (culprit >= stack.size()) {
    std::fill_n(show.begin(), std::min(kWithoutCulprit, stack.size()), true);
    return show;
  }
  const bool interpreted = stack[culprit].language != "native";
  for (size_t i = 0; i < culprit; ++i) {
    // Of a runtime: how the culprit entered it, and where it ended. How an interpreter got to the
    // call is nothing that its programs know of.
    show[i] = (!interpreted && (i == 0 || i + 1 == culprit)) || !says_little(stack[i]);
  }
  show[culprit] = true;
  for (size_t i = culprit + 1, shown = 0; i < stack.size() && shown < kCallersShown; ++i) {
    if (says_little(stack[i])) continue;
    show[i] = true;
    ++shown;
  }
  return show;
}

// What a frame is said to be of.
std::string_view origin_of(const Frame& frame) {
  if (const Language* language = language_of(frame)) return language->name;
  const std::string_view library = library_of(frame);
  return library.empty() ? file_name(frame.module) : library;
}

// "… 6 frames of libc.so.6, 2 of server …"
std::string run_text(const std::vector<Frame>& stack, size_t begin, size_t end) {
  struct Part {
    std::string_view module;
    size_t count;
  };
  std::vector<Part> parts;
  for (size_t i = begin; i < end; ++i) {
    const std::string_view module = origin_of(stack[i]);
    const auto it = std::find_if(parts.begin(), parts.end(),
                                 [module](const Part& part) { return part.module == module; });
    if (it == parts.end()) {
      parts.push_back({module, 1});
    } else {
      ++it->count;
    }
  }
  const auto name = [](std::string_view module) {
    return module.empty() ? std::string("anonymous memory") : escape_for_terminal(module, 40);
  };
  const size_t count = end - begin;
  if (parts.size() > kModulesNamed) {
    std::stable_sort(parts.begin(), parts.end(),
                     [](const Part& a, const Part& b) { return a.count > b.count; });
    size_t others = 0;
    for (size_t i = kModulesNamed - 1; i < parts.size(); ++i) others += parts[i].count;
    return fmt::format("… {} frames: {} of {}, {} of {}, {} of others …", count, parts[0].count,
                       name(parts[0].module), parts[1].count, name(parts[1].module), others);
  }
  if (parts.size() == 1) return fmt::format("… {} frames of {} …", count, name(parts[0].module));
  std::string text;
  for (const Part& part : parts) {
    text += text.empty()
                ? fmt::format("… {} frames: {} of {}", count, part.count, name(part.module))
                : fmt::format(", {} of {}", part.count, name(part.module));
  }
  return text + " …";
}

}  // namespace

std::string frame_text(const Frame& frame, size_t limit) {
  if (frame.function.empty()) return place_text(frame, limit);
  std::string place = place_text(frame, std::max<size_t>(limit / 2, 8));
  const size_t taken = columns(place) + 3;
  return fmt::format("{} ({})",
                     short_function_name(frame.function, limit > taken ? limit - taken : 1), place);
}

std::string stack_text(const std::vector<Frame>& stack, size_t culprit, const TextStyle& style,
                       std::string_view indent) {
  std::vector<bool> show =
      style.whole_stacks ? std::vector<bool>(stack.size(), true) : frames_to_show(stack, culprit);
  // A run of one is no shorter as a line about it.
  for (size_t i = 0; i < show.size(); ++i) {
    if (!show[i] && (i == 0 || show[i - 1]) && (i + 1 == show.size() || show[i + 1])) {
      show[i] = true;
    }
  }

  size_t width = 0;
  for (size_t i = 0; i < stack.size(); ++i) {
    if (show[i]) {
      width = std::max(width, columns(short_function_name(stack[i].function, kFunctionColumns)));
    }
  }

  std::string text;
  for (size_t i = 0; i < stack.size();) {
    if (!show[i]) {
      const size_t begin = i;
      while (i < stack.size() && !show[i]) ++i;
      text += fmt::format("{}     {}\n", indent, style.aside(run_text(stack, begin, i)));
      continue;
    }
    const Frame& frame = stack[i];
    std::string function = frame.function.empty()
                               ? std::string("?")
                               : short_function_name(frame.function, kFunctionColumns);
    const size_t used = columns(function);
    if (used < width) function.append(width - used, ' ');
    const std::string line =
        fmt::format("#{:<2} {} {}  {}{}", i, i == culprit ? '>' : ' ', function,
                    place_text(frame, kPlaceColumns), frame.inlined ? " (inlined)" : "");
    text += fmt::format("{}{}\n", indent, i == culprit ? style.culprit(line) : line);
    ++i;
  }
  return text;
}

}  // namespace tailback

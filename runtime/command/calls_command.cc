#include "runtime/command/calls_command.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "instrument/contract/intercepts.h"
#include "runtime/command/standard_output.h"

namespace tailback {

namespace {

using intercept::Recording;

struct Line {
  std::string_view section;  // of a line that begins one; else empty
  std::string_view name;
  Recording recording = Recording::kAlways;
};

constexpr Line kLines[] = {
#define SECTION(title) {title, "", Recording::kAlways},
#define EACH(name, family, traits, roles, recording) {"", #name, Recording::recording},
#include "instrument/contract/each_intercept.inc"
};

constexpr std::string_view kHead = R"(# Intercepted calls

What the recorder sees, by the names under which programs are linked with it. This page is the
output of `tailback calls`, which reads the table that the recorder is built from
(`instrument/contract/intercept_table.inc`).

* A name with a star is recorded only when it can't be done at once: a lock that is not free, a
  stream whose buffer does not hold what is asked for.
* A name with a plus looks at its caller, so only its entry is recorded.
* A name with a minus never waits: it is seen to know who holds which lock.
* Whatever a program waits in without passing here (inside libc, inline system calls, static parts)
  is explained from the kernel's side, by `/proc/PID/task/TID/syscall`.

{} functions.
)";

size_t count_functions() {
  size_t count = 0;
  for (const Line& line : kLines) count += line.name.empty() ? 0 : 1;
  return count;
}

std::string_view mark(Recording recording) {
  switch (recording) {
    case Recording::kAlways:
      return "";
    case Recording::kUnlessReady:
      return " *";
    case Recording::kEntryOnly:
      return " +";
    case Recording::kNever:
      return " -";
  }
  return "";
}

}  // namespace

std::string calls_page() {
  constexpr size_t kWidth = 100;
  std::string page = fmt::format(kHead, count_functions());
  size_t column = 0;
  for (const Line& line : kLines) {
    if (line.name.empty()) {
      page += fmt::format("{}\n## {}\n\n", column > 0 ? "\n" : "", line.section);
      column = 0;
      continue;
    }
    const std::string word = fmt::format("`{}{}`", line.name, mark(line.recording));
    if (column > 0 && column + 1 + word.size() > kWidth) {
      page += '\n';
      column = 0;
    }
    if (column > 0) page += ' ';
    page += word;
    column += word.size() + (column > 0 ? 1 : 0);
  }
  return page + '\n';
}

int calls_command() {
  return print(calls_page(), "the list") ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace tailback

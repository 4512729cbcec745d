#include "tests/architecture/house_rules.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tailback {

namespace {

struct Library {
  std::string_view name;
  std::string_view include_prefix;
};

constexpr Library kLibraries[] = {
    {"fmt", "fmt/"},
    {"fmt", "spdlog/fmt/"},
    {"spdlog", "spdlog/"},
    {"json", "nlohmann/"},
    {"schema", "valijson/"},
    {"options", "CLI/"},
    {"elf", "libelf.h"},
    {"elf", "gelf.h"},
    {"elf", "dwarf.h"},
    {"elf", "elfutils/"},
    {"unwind", "libunwind"},
    {"code", "capstone/"},  // what instructions do
    {"zlib", "zlib.h"},
    {"demangle", "libiberty/"},
    {"test", "gtest/"},
    {"test", "gmock/"},
    {"benchmark", "benchmark/"},
};

// libc's and the kernel's, and the compiler's for the CPU. Those with a folder are told by it.
constexpr std::array<std::string_view, 6> kSystemFolders = {"arpa/", "asm/",     "linux/",
                                                            "net/",  "netinet/", "sys/"};
const std::set<std::string_view>& system_headers() {
  static const std::set<std::string_view> headers = {
      "aio.h",     "assert.h",    "byteswap.h", "cpuid.h",    "ctype.h",    "dirent.h",  "dlfcn.h",
      "elf.h",     "endian.h",    "errno.h",    "fcntl.h",    "features.h", "fnmatch.h", "fts.h",
      "ftw.h",     "glob.h",      "grp.h",      "iconv.h",    "inttypes.h", "limits.h",  "link.h",
      "mqueue.h",  "netdb.h",     "nl_types.h", "poll.h",     "pthread.h",  "pwd.h",     "resolv.h",
      "sched.h",   "semaphore.h", "setjmp.h",   "shadow.h",   "signal.h",   "spawn.h",   "stdarg.h",
      "stddef.h",  "stdint.h",    "stdio.h",    "stdlib.h",   "string.h",   "syscall.h", "syslog.h",
      "termios.h", "threads.h",   "time.h",     "ucontext.h", "unistd.h",   "utime.h",   "utmpx.h",
      "wait.h",    "wchar.h",     "wordexp.h",  "x86intrin.h"};
  return headers;
}

bool is_system_header(std::string_view include) {
  return system_headers().contains(include) ||
         std::any_of(kSystemFolders.begin(), kSystemFolders.end(),
                     [&](std::string_view folder) { return include.starts_with(folder); });
}

// C++'s own headers have neither folder nor ending.
bool is_standard_header(std::string_view include) {
  return include.find_first_of("./") == std::string_view::npos;
}

// The library that a header belongs to; empty if it is none of the list.
std::string_view library_of(std::string_view include) {
  for (const Library& library : kLibraries) {
    if (include.starts_with(library.include_prefix)) return library.name;
  }
  return {};
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string at(const SourceFile& file, const Include& include, const std::string& what) {
  const std::string text = include.bracketed ? '<' + include.what + '>' : '"' + include.what + '"';
  return file.path + ":" + std::to_string(include.line) + ": " + text + ": " + what;
}

// "a/b/c.h" → "b" with `above` = "a/".
std::string_view folder_below(std::string_view path, std::string_view above) {
  path.remove_prefix(above.size());
  return path.substr(0, std::min(path.find('/'), path.size()));
}

bool may_include(const Room& room, const std::string& what) {
  const std::string inside = what.substr(std::string_view("runtime/").size());
  const std::string_view used = folder_below(what, "runtime/");
  return used == room.name || contains(room.rooms, used) || contains(room.rooms, inside);
}

void check_runtime_include(const SourceFile& file, const Include& include, const Room& room,
                           Violations& violations) {
  const std::string& what = include.what;
  if (!include.bracketed) {
    if (what.starts_with("instrument/contract/")) return;
    if (!what.starts_with("runtime/")) {
      violations.push_back(at(file, include, "runtime/ includes itself and the contract only"));
    } else if (!may_include(room, what)) {
      violations.push_back(at(file, include, room.name + " may not use this room"));
    }
    return;
  }
  const std::string_view library = library_of(what);
  if (!library.empty()) {
    if (!contains(room.libraries, library)) {
      violations.push_back(at(file, include, room.name + " may not use this library"));
    }
  } else if (!is_standard_header(what) && !is_system_header(what)) {
    violations.push_back(at(file, include, "a header that house_rules.cc does not know"));
  } else if (room.name == "values" && !is_standard_header(what)) {
    violations.push_back(at(file, include, "plain values include the standard library only"));
  }
}

void check_links(const SourceFile& file, const Room& room, const std::vector<Room>& rooms,
                 Violations& violations) {
  for (const std::string& linked : file.linked_rooms) {
    const bool is_room = std::any_of(rooms.begin(), rooms.end(),
                                     [&](const Room& one) { return one.name == linked; });
    if (is_room && linked != room.name && !contains(room.rooms, linked)) {
      violations.push_back(file.path + ": " + room.name + " may not link tailback_" + linked);
    }
  }
}

}  // namespace

const std::vector<Room>& house_rooms() {
  static const std::vector<Room> rooms = {
      {"values", {}, {}},
      {"kernel", {"values"}, {"fmt"}},
      {"capture", {"values"}, {"elf"}},
      {"control_flow", {"values", "capture"}, {"elf", "code"}},
      {"lock_state", {"values", "capture"}, {"fmt"}},
      {"segment", {"values"}, {"fmt"}},
      {"unwind", {"values", "capture"}, {"unwind", "elf"}},
      {"interpreters", {"values", "capture", "unwind"}, {"elf"}},
      {"symbolize", {"values", "capture", "unwind"}, {"elf", "zlib", "demangle"}},
      {"explain", {"values", "kernel", "capture", "lock_state"}, {"fmt"}},
      {"report", {"values"}, {"spdlog", "fmt", "json", "zlib"}},
      {"suppress", {"values", "report"}, {"fmt"}},
      {"sampling",
       {"values", "kernel", "capture", "interpreters", "lock_state", "segment", "unwind",
        "symbolize", "explain"},
       {"fmt"}},
      {"loops", {"values", "kernel", "capture", "segment", "sampling"}, {"fmt"}},
      {"locks",
       {"values", "kernel", "capture", "lock_state", "segment", "unwind", "symbolize", "explain",
        "sampling"},
       {"fmt"}},
      {"thread_sanitizer",
       {"values", "capture", "segment", "unwind", "symbolize", "explain"},
       {"fmt"}},
      {"detectors",
       {"values", "kernel", "capture", "lock_state", "segment", "unwind", "symbolize", "explain",
        "sampling", "loops", "locks", "thread_sanitizer"},
       {"fmt"}},
      // Of reports the analysis knows the interface that it calls, not one format.
      {"analysis",
       {"values", "kernel", "capture", "control_flow", "interpreters", "lock_state", "segment",
        "unwind", "symbolize", "explain", "sampling", "loops", "locks", "thread_sanitizer",
        "detectors", "report/reporter.h"},
       {"fmt"}},
      {"observer",
       {"values", "segment", "explain", "detectors", "analysis", "report/reporter.h"},
       {}},
      {"advise",
       {"values", "kernel", "capture", "interpreters", "segment", "explain", "loops", "locks"},
       {"fmt"}},
      {"launch", {"values", "capture", "report"}, {"spdlog", "fmt"}},
      {"command",
       {"values", "kernel", "capture", "interpreters", "lock_state", "segment", "unwind",
        "symbolize", "explain", "thread_sanitizer", "report", "suppress", "detectors", "observer",
        "advise", "launch"},
       {"options", "spdlog", "fmt"}},
  };
  return rooms;
}

Violations cycles_among(const std::vector<Room>& rooms) {
  Violations violations;
  std::vector<std::string> above;
  for (const Room& room : rooms) {
    for (const std::string& used : room.rooms) {
      if (!contains(above, used.substr(0, used.find('/')))) {
        violations.push_back(room.name + " uses " + used + ", which does not stand above it");
      }
    }
    above.push_back(room.name);
  }
  return violations;
}

Violations holes_in_the_wall(const std::vector<SourceFile>& files) {
  Violations violations;
  for (const SourceFile& file : files) {
    if (!file.is_in("instrument")) continue;
    const std::string_view own =
        file.is_in("instrument/contract") ? "instrument/contract/" : "instrument/";
    for (const Include& include : file.includes) {
      if (!include.bracketed) {
        if (!include.what.starts_with(own)) {
          violations.push_back(at(file, include, "includes of " + std::string(own) + " only"));
        }
      } else if (!is_system_header(include.what) && include.what != "atomic" &&
                 include.what != "type_traits") {
        violations.push_back(at(file, include, "needs more than libc"));
      }
    }
  }
  return violations;
}

Violations forbidden_uses(const std::vector<SourceFile>& files, const std::vector<Room>& rooms) {
  Violations violations;
  for (const SourceFile& file : files) {
    if (!file.is_in("runtime") || file.path == "runtime/CMakeLists.txt") continue;
    const std::string_view name = folder_below(file.path, "runtime/");
    const auto room =
        std::find_if(rooms.begin(), rooms.end(), [&](const Room& one) { return one.name == name; });
    if (room == rooms.end()) {
      violations.push_back(file.path + ": lies in no room of the list in house_rules.cc");
      continue;
    }
    for (const Include& include : file.includes) {
      check_runtime_include(file, include, *room, violations);
    }
    check_links(file, *room, rooms, violations);
  }
  return violations;
}

Violations too_long_files(const std::vector<SourceFile>& files, size_t most_lines) {
  Violations violations;
  for (const SourceFile& file : files) {
    if (file.lines > most_lines) {
      violations.push_back(file.path + ": " + std::to_string(file.lines) + " lines, of " +
                           std::to_string(most_lines) + " at most");
    }
  }
  return violations;
}

}  // namespace tailback

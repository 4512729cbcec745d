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

// A room of which one header may be included may be linked.
bool may_link(const Room& room, const std::string& linked) {
  return std::any_of(room.rooms.begin(), room.rooms.end(), [&](const std::string& used) {
    return used == linked || used.starts_with(linked + "/");
  });
}

void check_links(const SourceFile& file, const Room& room, const std::vector<Room>& rooms,
                 Violations& violations) {
  for (const std::string& linked : file.linked_rooms) {
    const bool is_room = std::any_of(rooms.begin(), rooms.end(),
                                     [&](const Room& one) { return one.name == linked; });
    if (is_room && linked != room.name && !may_link(room, linked)) {
      violations.push_back(file.path + ": " + room.name + " may not link tailback_" + linked);
    }
  }
}

}  // namespace

const std::vector<Room>& house_rooms() {
  static const std::vector<Room> rooms = {
      {"values",
       {},
       {},
       "plain values that everything downstream takes: stalls, calls, locks, races, frames"},
      {"kernel",
       {"values"},
       {"fmt"},
       "what the kernel says of a thread, a descriptor or a CPU quota (`/proc`, cgroups)"},
      {"capture",
       {"values"},
       {"elf"},
       "a thread's registers, stack and module map as values; reading a foreign process's memory"},
      {"control_flow",
       {"values", "capture"},
       {"elf", "code"},
       "where control can get to within a function, by its machine code (Capstone)"},
      {"lock_state",
       {"values", "capture"},
       {"fmt"},
       "what a lock says of itself: type, owner, holders; locks on files"},
      {"segment",
       {"values"},
       {"fmt"},
       "the only reader of the record contract: session, rings of events, tick clock, records"},
      {"unwind",
       {"values", "capture"},
       {"unwind", "elf"},
       "from a snapshot to return addresses: libunwind, and libdw where that falls short"},
      {"interpreters",
       {"values", "capture", "unwind"},
       {"elf"},
       "the list of interpreters: their frames, locks and tasks, read from outside"},
      {"symbolize",
       {"values", "capture", "unwind"},
       {"elf", "zlib", "demangle"},
       "functions, files and lines of addresses; demangling; perf maps"},
      {"explain",
       {"values", "kernel", "capture", "lock_state", "interpreters/languages.h"},
       {"fmt"},
       "cause, call, object, culprit and advice of one stall"},
      {"report",
       {"values", "interpreters/languages.h"},
       {"spdlog", "fmt", "json", "zlib"},
       "rendering: text, JSON Lines, summaries; all prose is written here"},
      {"suppress", {"values", "report"}, {"fmt"}, "rules that name known findings, and baselines"},
      {"sampling",
       {"values", "kernel", "capture", "interpreters", "lock_state", "segment", "unwind",
        "symbolize", "explain"},
       {"fmt"},
       "reading one thread: when, whether to pause it, what to copy"},
      // These three ask the kernel and read targets through interfaces, which recordings have too.
      {"loops",
       {"values", "kernel/proc_source.h", "kernel/kernel_facts.h", "capture/module_map.h",
        "segment", "sampling/thread_sampler.h", "sampling/sample.h"},
       {"fmt"},
       "which threads run event loops, where they wait, how long an iteration takes"},
      {"locks",
       {"values", "kernel/proc_source.h", "capture/module_map.h", "capture/remote_address.h",
        "lock_state/lock_reading.h", "segment", "unwind", "symbolize", "explain", "sampling"},
       {"fmt"},
       "owner chains, the wait-for graph, the graph of lock orders"},
      {"thread_sanitizer",
       {"values", "capture", "segment", "unwind", "symbolize", "explain", "sampling"},
       {"fmt"},
       "ThreadSanitizer's findings, from a paired program or from its text"},
      {"detectors",
       {"values", "kernel/proc_source.h", "capture/module_map.h", "capture/sanitizer_runtime.h",
        "segment", "unwind", "symbolize", "explain/culprit.h", "explain/fingerprint.h",
        "explain/lock_advice.h", "sampling/detector_input.h", "sampling/process_list.h",
        "sampling/sample.h", "sampling/stack_reader.h", "loops", "locks", "thread_sanitizer"},
       {"fmt"},
       "one per kind of finding: reads the segment and the kernel, emits observations"},
      // Of reports the analysis knows the interface that it calls, not one format.
      {"analysis",
       {"values", "kernel", "capture", "control_flow", "interpreters", "lock_state", "segment",
        "unwind", "symbolize", "explain", "sampling", "loops", "locks", "thread_sanitizer",
        "detectors", "report/reporter.h"},
       {"fmt"},
       "turns observations into records: stacks, names, cause, advice"},
      {"observations",
       {"values", "kernel", "capture", "interpreters", "lock_state", "segment", "unwind", "explain",
        "sampling", "detectors", "analysis/loop_ends.h"},
       {"json", "zlib"},
       "records what detectors read, and plays it back to them in tests"},
      {"observer",
       {"values", "segment", "explain", "sampling", "detectors", "analysis", "observations",
        "report/reporter.h"},
       {},
       "puts the threads of the observer together: detectors, analysis, reporter"},
      {"advise",
       {"values", "kernel", "capture", "interpreters", "segment", "explain", "loops", "locks"},
       {"fmt"},
       "`tailback advise`: what slows a program down, and which model of concurrency fits"},
      {"launch",
       {"values", "capture", "report"},
       {"spdlog", "fmt"},
       "starts a command as a target, and ends as it ended"},
      {"command",
       {"values", "kernel", "capture", "interpreters", "lock_state", "segment", "unwind",
        "symbolize", "explain", "thread_sanitizer", "report", "suppress", "detectors", "observer",
        "advise", "launch"},
       {"options", "spdlog", "fmt"},
       "the command line: subcommands, options, config file"},
  };
  return rooms;
}

const std::vector<Folder>& house_folders() {
  static const std::vector<Folder> folders = {
      {"instrument/contract", "what both sides say to each other: the record contract"},
      {"instrument/contract/table", "the intercepted functions, one line each, by family"},
      {"instrument/recorder",
       "`libtailback.so`: what runs inside the target; `rules.h` has its rules"},
      {"instrument/free_hooks",
       "`libtailback-free-hooks.so`: ends the locks in freed memory (`--lock-order`)"},
      {"instrument/thread_sanitizer",
       "the library that pairs a ThreadSanitizer program with Tailback"},
      {"instrument/annotations", "`tailback.h`: what a program can say of itself"},
      {"instrument/cmake", "the CMake package that `cmake --install` puts in place"},
  };
  return folders;
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

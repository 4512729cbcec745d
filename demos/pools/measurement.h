// What a way to wait costs, as it was measured, and the table that compares several.
#pragma once

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

namespace tailback::demo {

struct Measurement {
  const char* way;
  int tasks;
  std::chrono::duration<double> time;
  long kilobytes;           // of memory in use while all of them waited, more than before
  long reserved_kilobytes;  // of addresses
};

// A line of a file in /proc/self, in kB; 0 if there is none.
inline long own_kilobytes(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) {
      return std::stol(line.substr(name.size() + 1));
    }
  }
  return 0;
}

// Memory of this process that is in use, and that it has addresses for.
inline long kilobytes_in_use() {
  return own_kilobytes("/proc/self/smaps_rollup", "Anonymous");
}
inline long kilobytes_reserved() {
  return own_kilobytes("/proc/self/status", "VmSize");
}

inline void print_heading() {
  std::printf("%-16s %6s %9s %14s %18s\n", "way to wait", "tasks", "time", "memory a task",
              "addresses a task");
}

inline void print(const Measurement& measured) {
  std::printf("%-16s %6d %7.2f s %10.1f KiB %14.1f KiB\n", measured.way, measured.tasks,
              measured.time.count(), double(measured.kilobytes) / measured.tasks,
              double(measured.reserved_kilobytes) / measured.tasks);
}

}  // namespace tailback::demo

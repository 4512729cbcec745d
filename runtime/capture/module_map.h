// Which file is mapped where in one process: /proc/PID/maps as a value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/capture/remote_address.h"

namespace tailback {

// Lies in no mapping. For callers who do not know the addresses that matter.
inline constexpr RemoteAddress kNowhere{~uint64_t{0}};

struct Mapping {
  RemoteAddress begin;
  RemoteAddress end;
  uint64_t file_offset = 0;
  bool executable = false;
  bool writable = false;
  uint64_t device = 0;
  uint64_t inode = 0;
  std::string path;  // "/usr/lib/…", "[vdso]", "[stack]"; empty for anonymous memory; without the
                     // " (deleted)" of a removed file

  bool is_file() const { return !path.empty() && path.front() == '/'; }
  bool operator==(const Mapping&) const = default;
};

class ModuleMap {
 public:
  ModuleMap() = default;
  explicit ModuleMap(std::vector<Mapping> mappings);  // sorted by address on the way in

  // Parses the text of /proc/PID/maps. Lines that make no sense are left out.
  static ModuleMap parse(std::string_view text);
  // Reads /proc/PID/maps. Nothing if the process is gone or may not be read.
  static std::optional<ModuleMap> read(int pid);

  // The mapping that holds the address, or nullptr.
  const Mapping* find(RemoteAddress address) const;
  const std::vector<Mapping>& mappings() const { return mappings_; }
  // Whether there is code that no file holds: a just-in-time compiler's, which maps more as it
  // goes.
  bool has_generated_code() const;
  bool operator==(const ModuleMap&) const = default;

 private:
  std::vector<Mapping> mappings_;
};

}  // namespace tailback

// What limits all reports of a process for one reason is said once: by the first record that meets
// it, in all lines of that record.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace tailback {

class ProcessNotes {
 public:
  // Whether record `id` is the one that says it of the process.
  bool may_say(int pid, const std::string& note, uint64_t id) {
    return said_.emplace(std::make_pair(pid, note), id).first->second == id;
  }

 private:
  std::map<std::pair<int, std::string>, uint64_t> said_;
};

}  // namespace tailback

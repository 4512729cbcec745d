#include "runtime/thread_sanitizer/race_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tailback {

using contract::BlockKind;

namespace {

bool is_of_recorder(const Frame& frame) {
  return file_name(frame.module) == "libtailback.so";
}

// Frames in which ThreadSanitizer's own code shows: those of its interceptors.
bool is_of_runtime(const Frame& frame) {
  const std::string_view module = file_name(frame.module);
  return module.starts_with("libtsan.so") || module.starts_with("libclang_rt.tsan") ||
         frame.function.starts_with("__interceptor_") || frame.function.starts_with("__tsan_") ||
         frame.function.starts_with("__sanitizer_");
}

// How many of the innermost frames are interceptors'. Where the runtime is linked into the program
// they have names, but unlike the program that was compiled for it no source.
size_t count_interceptors(const std::vector<Frame>& stack) {
  size_t count = 0;
  while (count < stack.size() && is_of_runtime(stack[count])) ++count;
  if (count > 0 || stack.size() < 2 || !stack[0].file.empty()) return count;
  const bool program_has_source = std::any_of(
      stack.begin() + 1, stack.end(),
      [&](const Frame& frame) { return frame.module == stack[0].module && !frame.file.empty(); });
  return program_has_source ? 1 : 0;
}

}  // namespace

uint64_t RaceReader::address_of(const Frame& told) {
  if (told.module.empty() || told.offset == 0) return 0;
  const auto [known, is_new] = modules_by_name_.emplace(told.module, nullptr);
  if (is_new) {
    for (const Mapping& mapping : modules_->mappings()) {  // sorted by address
      if (file_name(mapping.path) != told.module) continue;
      known->second = &mapping;
      break;
    }
  }
  // The text has the place of the call itself.
  return known->second != nullptr ? known->second->begin.value + told.offset + 1 : 0;
}

RaceStack RaceReader::stack_of(const FindingPart& part) {
  std::vector<uint64_t> addresses = part.frames;
  for (const Frame& told : part.told) addresses.push_back(address_of(told));
  RaceStack read;
  for (size_t i = 0; i < addresses.size();) {
    const Frame* const told = i < part.frames.size() ? nullptr : &part.told[i - part.frames.size()];
    std::vector<Frame> here;
    if (addresses[i] != 0) {
      RawFrame raw;
      raw.address = RemoteAddress(addresses[i]);
      here = reader_.source().symbolize(pid_, *modules_, raw);
    }
    // ThreadSanitizer may know more: the file may be another by now.
    const bool says_nothing = here.empty() || here.front().function.empty();
    if (told != nullptr && says_nothing) {
      read.stack.push_back(*told);
      ++i;
      continue;
    }
    size_t run = 1;
    while (i + run < addresses.size() && addresses[i + run] == addresses[i]) ++run;
    // ThreadSanitizer gives an address once for each function that is inlined there. A function
    // that calls itself has it several times, too.
    const size_t times = here.size() > 1 && run % here.size() == 0 ? run / here.size() : run;
    for (size_t k = 0; k < times; ++k) {
      read.stack.insert(read.stack.end(), here.begin(), here.end());
    }
    i += run;
  }
  std::erase_if(read.stack, is_of_recorder);
  const size_t skipped = count_interceptors(read.stack);
  const std::vector<Frame> rest(read.stack.begin() + static_cast<ptrdiff_t>(skipped),
                                read.stack.end());
  read.culprit = skipped + reader_.culprit_of(rest);
  return read;
}

std::string RaceReader::variable_at(uint64_t address) {
  if (!addresses_are_its_) return {};
  return reader_.source().variable_at(pid_, *modules_, RemoteAddress(address)).value_or("");
}

RaceLocation RaceReader::location_of(const FindingPart& part, uint64_t accessed) {
  RaceLocation location;
  location.kind = part.text;
  const bool is_block = part.text == "heap";
  location.address = is_block && part.start != 0 ? part.start : part.address;
  location.size = part.size;
  if (part.text == "global") {
    location.address = part.address != 0 ? part.address : accessed;
    location.name = variable_at(accessed != 0 ? accessed : location.address);
    if (location.name.empty()) location.name = part.name;
  } else {
    if (part.thread >= 0) location.thread = part.thread;
  }
  if (part.text == "fd") location.fd = static_cast<int>(part.number);
  location.allocated = stack_of(part);
  return location;
}

Race RaceReader::read(int pid, const ModuleMap& modules, const std::vector<FindingPart>& parts,
                      bool addresses_are_its) {
  pid_ = pid;
  addresses_are_its_ = addresses_are_its;
  modules_ = &modules;
  modules_by_name_.clear();
  Race race;
  race.pid = pid;
  const auto flagged = [](const FindingPart& part, contract::BlockFlags flag) {
    return (part.flags & flag) != 0;
  };
  for (const FindingPart& part : parts) {
    switch (part.kind) {
      case BlockKind::kReport:
        race.kind = part.text;
        break;
      case BlockKind::kAccess:
        race.accesses.push_back({part.thread, part.address, part.size,
                                 flagged(part, contract::kWrite), flagged(part, contract::kAtomic),
                                 stack_of(part)});
        break;
      case BlockKind::kStack:
        race.stacks.push_back(stack_of(part));
        break;
      case BlockKind::kLocation:
        if (!race.location) {
          const uint64_t accessed = race.accesses.empty() ? 0 : race.accesses.front().address;
          race.location = location_of(part, accessed);
        }
        break;
      case BlockKind::kMutex:
        race.mutexes.push_back({static_cast<uint64_t>(part.number), part.address,
                                variable_at(part.address), flagged(part, contract::kDestroyed),
                                stack_of(part)});
        break;
      case BlockKind::kThread: {
        RaceThread thread;
        thread.id = part.thread;
        thread.tid = static_cast<int>(part.number);
        thread.name = part.text;
        thread.running = flagged(part, contract::kRunning);
        if (part.thread != 0 && part.parent >= 0) thread.parent = part.parent;
        thread.created = stack_of(part);
        race.threads.push_back(std::move(thread));
        break;
      }
      case BlockKind::kSleep:
        race.sleep = stack_of(part);
        break;
      case BlockKind::kStackCopy:
      case BlockKind::kText:
        break;  // of other findings
      case BlockKind::kThreadUsed:
        race.used_threads.push_back(part.thread);
        break;
    }
  }
  explain(race);
  return race;
}

}  // namespace tailback

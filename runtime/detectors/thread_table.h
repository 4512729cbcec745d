// The threads that are watched, and what they are called.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/detectors/watched_thread.h"
#include "runtime/loops/loop_choice.h"
#include "runtime/sampling/detector_input.h"
#include "runtime/sampling/process_list.h"

namespace tailback {

class ThreadTable {
 public:
  ThreadTable(DetectorInput& input, ProcessList& processes, LoopGlobs globs);

  // The thread that has this record now; it is watched from now on. nullptr if the record makes no
  // sense or its process is not known.
  WatchedThread* watch(uint32_t index);
  // The thread that is watched under this record, whoever has it now; nullptr if there is none.
  const WatchedThread* watched(uint32_t index) const;
  void forget(uint32_t index);
  std::vector<const WatchedThread*> all() const;

  // Those that lived at the last scan. Valid until the next.
  const std::vector<WatchedThread*>& live() const { return live_; }
  void set_live(std::vector<WatchedThread*>& live) { live_.swap(live); }

  // Reads the name again, which programs change.
  void read_name(WatchedThread& thread);
  // Whether options choose loops by name.
  bool names_matter() const { return loop_names_.any(); }
  // Options that matched no thread's name.
  std::vector<std::string> unused_options();
  // From now on the thread is a loop, however it waits; unless the record has another owner by now.
  void take_for_loop(uint32_t index, uint32_t generation);

  // Threads that were watched, and those that ended before they could be. Who executes a program
  // attaches anew, and is the same thread.
  uint64_t seen() const;

 private:
  void note_iterations(const WatchedThread& thread);
  // That the thread is a loop, however it waits.
  static void tell_recorder(const WatchedThread& thread);

  // Slots are used again and never freed: who has a pointer to a thread that was forgotten reads
  // old values.
  struct Slot {
    bool is_watched = false;
    WatchedThread thread;
  };

  contract::Segment& segment_;
  ProcSource& proc_;
  ProcessList& processes_;
  LoopNames loop_names_;
  std::vector<std::unique_ptr<Slot>> slots_;  // by record
  std::vector<WatchedThread*> live_;
  uint64_t seen_ = 0;
};

}  // namespace tailback

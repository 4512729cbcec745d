// Which threads run a loop, where somebody has said so: an option over the thread's own mark over
// its behaviour.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/segment/record_view.h"

namespace tailback {

enum class LoopChoice {
  kByBehaviour,
  kNamed,   // a loop from the first iteration that it completes (--loop)
  kMarked,  // a loop from its first turn on (the annotation header)
  kNone,    // no loop, whatever it does
};

// Patterns of fnmatch(3) for the names of threads.
struct LoopGlobs {
  std::vector<std::string> loops;      // --loop
  std::vector<std::string> not_loops;  // --not-loop, which wins
  bool any() const { return !loops.empty() || !not_loops.empty(); }
};

// What the options say of threads by their names. Remembers which patterns were of use.
class LoopNames {
 public:
  explicit LoopNames(LoopGlobs globs);

  bool any() const { return globs_.any(); }
  LoopChoice choose(const std::string& thread);
  // A thread of this name has completed an iteration.
  void note_iterations(const std::string& thread);
  // As options ("--loop worker*"): patterns for loops of which no thread has completed an
  // iteration, and those for others that matched no name.
  std::vector<std::string> unused() const;

 private:
  LoopGlobs globs_;
  std::vector<bool> loops_used_;
  std::vector<bool> not_loops_used_;
};

// What holds of a thread: `named` if the options say something, else its mark (a ThreadMark; one
// that makes no sense says nothing).
LoopChoice loop_choice(LoopChoice named, uint32_t mark);

// Whether a thread is a loop because somebody says so: then all its waits for events are the
// loop's.
bool is_said_to_be_loop(LoopChoice choice);

// Whether a loop's own wait is marked there, so that there is no doubt.
bool is_marked_wait(const SiteView& site);

// Those sites at which the thread runs an event loop, by all that is known so far. A thread that
// marks its own waits runs its loop there and nowhere else.
std::vector<SiteView> loops_among(LoopChoice choice, const std::vector<SiteView>& sites,
                                  const contract::ThreadRecord& record, uint64_t threshold_ticks);

// Whether a long iteration in progress counts at a site that is not among the loops, if it is very
// long.
bool may_become_loop(LoopChoice choice, const SiteView& site);

}  // namespace tailback

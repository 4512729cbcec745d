// What makes a thread an event loop, told from how it behaves.
#pragma once

#include <optional>
#include <vector>

#include "runtime/kernel/proc_source.h"
#include "runtime/loops/counted_lengths.h"
#include "runtime/segment/clock.h"
#include "runtime/segment/record_view.h"
#include "runtime/values/session.h"

namespace tailback {

// A poll or select with fewer iterations is no loop.
inline constexpr uint64_t kLeastPollIterations = 8;

// Whether waits at this site are those of an event loop.
//
// An epoll instance that is waited on a second time is a loop: programs make one to serve many.
// poll and select also serve for single waits with a timeout (a client library's, subprocess's), so
// a call site of theirs is a loop only after several iterations of which most are short. Waits for
// a signal and reads of what stands for events serve signal threads and workers far more often than
// loops: more iterations are asked for there, and hardly a long one.
bool is_loop(const SiteView& site, const contract::WaitSite& record, uint64_t threshold_ticks);

// Those of the sites that satisfy a predicate of the site and of its place in the record.
template <typename Predicate>
std::vector<SiteView> sites_where(const std::vector<SiteView>& sites,
                                  const contract::ThreadRecord& record, Predicate predicate) {
  std::vector<SiteView> found;
  for (const SiteView& site : sites) {
    for (const contract::WaitSite& place : record.wait_sites) {
      if (place.key.load(std::memory_order_relaxed) == site.key && predicate(site, place)) {
        found.push_back(site);
        break;
      }
    }
  }
  return found;
}

bool is_among(const std::vector<SiteView>& loops, const SiteView& site);

// Whether there have been many iterations at this site and hardly one of them long.
bool is_steady(const SiteView& site, const contract::WaitSite& record, uint64_t threshold_ticks);

// Those sites at which the thread runs an event loop, by all that is known so far. A poll or select
// as deep in the stack as the thread's epoll, or deeper, is a call like others; and a wait for a
// signal or by read() is where no other loop is.
std::vector<SiteView> loops_among(const std::vector<SiteView>& sites,
                                  const contract::ThreadRecord& record, uint64_t threshold_ticks);

// Whether a loop's epoll descriptor is still one, and what a loop reads stands for events and makes
// it wait: false after it was closed. True for waits that have no descriptor.
bool loop_is_open(ProcSource& proc, int pid, const SiteView& site);

// Whether the number of a loop's epoll descriptor stands for something else by now, of a thread
// with these sites. A poll or select of that number ends the loop's iterations, too.
bool is_number_reused(ProcSource& proc, int pid, const SiteView& site,
                      const std::vector<SiteView>& sites);

// The site within which this one is nested: a loop whose iteration began earlier and which waits
// nearer to the base of the stack. nullptr if this one is the outermost.
const SiteView* enclosing_loop(const SiteView& site, uint64_t iteration_begin,
                               const std::vector<SiteView>& loops);

// Time within an iteration that the thread spent waiting at loops of the same depth: several epoll
// instances served in one frame, or waits of any kind if all of them are the loop's. It is idle
// time.
uint64_t ticks_in_siblings(const SiteView& site, const std::vector<ContributorView>& contributors,
                           const std::vector<SiteView>& sites, bool all_are_loops = false);

// Where the last part of an iteration at `site` began: after the latest return from another epoll
// of the same frame within it, else where the iteration began. What lies before that return is of
// other iterations.
uint64_t latest_begin(const SiteView& site, const contract::Event& iteration,
                      const std::vector<SiteView>& sites);

// Whether a thread whose iteration is in progress at `site` is at this moment waiting at a loop of
// the same or of a lesser depth.
bool waits_at_sibling(const SiteView& site, const CallView& call,
                      const std::vector<SiteView>& sites);

// Whether a thread whose iteration is in progress at `site` may have left that loop: it has since
// waited at another epoll of the same frame, or nearer to the base of the stack at a place that is
// no callback's for all that is known.
bool may_have_moved_on(const SiteView& site, const std::optional<CallView>& call,
                       const std::vector<SiteView>& sites);

// What the recorder has counted at a wait site.
struct RecordedLoop {
  SiteView site;
  IterationFigures figures;
};

// Nothing for a site with too few iterations to be called a loop, unless it is known to be one.
std::optional<RecordedLoop> recorded_loop(const contract::WaitSite& record,
                                          uint64_t threshold_ticks, bool known = false);

// Iterations, busy time and percentiles; names and ids are for the caller to fill in. `lengths`:
// how long iterations were, where the recorder has counted more; nullptr if it has not.
LoopStatistics statistics(const RecordedLoop& loop, const Clock& clock, uint64_t threshold_ticks,
                          uint64_t last_tick, const CountedLengths* lengths = nullptr);

}  // namespace tailback

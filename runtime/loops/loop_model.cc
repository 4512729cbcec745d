#include "runtime/loops/loop_model.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "instrument/contract/histogram.h"
#include "instrument/contract/wait_key.h"

namespace tailback {

namespace {

constexpr uint64_t kLeastEpollIterations = 1;
// Of a poll loop's iterations at most one in so many is long.
constexpr uint64_t kLongIterationShare = 4;
// The same of what is most often no loop.
constexpr uint64_t kLeastSteadyIterations = 32;
constexpr uint64_t kLongSteadyShare = 16;

uint64_t iterations_longer_than(const contract::WaitSite& record, uint64_t ticks) {
  uint64_t count = 0;
  for (uint32_t i = contract::histogram_bucket(ticks); i < contract::kHistogramBuckets; ++i) {
    count += record.histogram[i];
  }
  return count;
}

// How much of a loop a wait makes its thread.
int rank(const SiteView& site) {
  return site.is_epoll() ? 2 : site.is_non_event_wait() || site.is_named_wait() ? 0 : 1;
}

// Whether `site` is no loop beside this other one, which is.
bool gives_way(const SiteView& site, const SiteView& other, uint64_t threshold_ticks) {
  if (other.key == site.key || rank(other) <= rank(site)) return false;
  if (!site.is_non_event_wait() && other.stack_pointer < site.stack_pointer) return false;
  // One that has not been waited at for long may have ended.
  constexpr uint64_t kRecent = 64;
  return other.iteration_begin == 0 || other.iteration_begin >= site.iteration_begin ||
         (site.iteration_begin - other.iteration_begin) / kRecent <= threshold_ticks;
}

// Whether both wait in one frame, by iterations. What a callback waits for may chance to be as
// deep, but does not turn as often.
bool are_siblings(const SiteView& other, const SiteView& site) {
  constexpr uint64_t kOften = 8;
  return other.key != site.key && other.stack_pointer == site.stack_pointer &&
         other.iterations >= site.iterations / kOften;
}

// Whether waits at `other` are as good as waits at `site`: it is a peer, or an outer loop.
bool is_sibling_or_outer(const SiteView& other, const SiteView& site) {
  return are_siblings(other, site) ||
         (other.stack_pointer > site.stack_pointer && other.iterations >= site.iterations);
}

}  // namespace

bool is_steady(const SiteView& site, const contract::WaitSite& record, uint64_t threshold_ticks) {
  return site.iterations >= kLeastSteadyIterations &&
         iterations_longer_than(record, threshold_ticks) * kLongSteadyShare <= site.iterations;
}

bool is_loop(const SiteView& site, const contract::WaitSite& record, uint64_t threshold_ticks) {
  if (site.is_named_wait()) return false;  // by its behaviour it is none
  if (site.is_epoll()) return site.iterations >= kLeastEpollIterations;
  if (site.is_non_event_wait()) return is_steady(site, record, threshold_ticks);
  if (site.iterations < kLeastPollIterations) return false;
  return iterations_longer_than(record, threshold_ticks) * kLongIterationShare <= site.iterations;
}

bool is_among(const std::vector<SiteView>& loops, const SiteView& site) {
  return std::any_of(loops.begin(), loops.end(),
                     [&](const SiteView& loop) { return loop.key == site.key; });
}

std::vector<SiteView> loops_among(const std::vector<SiteView>& sites,
                                  const contract::ThreadRecord& record, uint64_t threshold_ticks) {
  std::vector<SiteView> loops =
      sites_where(sites, record, [&](const SiteView& site, const contract::WaitSite& place) {
        return is_loop(site, place, threshold_ticks);
      });
  const std::vector<SiteView> all = loops;
  std::erase_if(loops, [&](const SiteView& site) {
    return std::any_of(all.begin(), all.end(), [&](const SiteView& other) {
      return gives_way(site, other, threshold_ticks);
    });
  });
  return loops;
}

bool loop_is_open(ProcSource& proc, int pid, const SiteView& site) {
  if (const int fd = site.read_fd(); fd >= 0) {
    constexpr std::string_view kKinds[] = {"[eventfd]", "[timerfd]", "[signalfd]", "inotify"};
    const std::string link = proc.descriptor_link(pid, fd).value_or("");
    return !proc.is_non_blocking(pid, fd) &&
           std::any_of(std::begin(kKinds), std::end(kKinds), [&](std::string_view kind) {
             return link == "anon_inode:" + std::string(kind);
           });
  }
  if (site.function == intercept::Function::io_uring_enter ||
      site.function == intercept::Function::io_uring_enter2) {
    const int ring = contract::descriptor_of_key(site.key);
    return proc.descriptor_link(pid, ring) == "anon_inode:[io_uring]";
  }
  if (!site.is_epoll()) return true;
  const auto link = proc.descriptor_link(pid, site.epoll_fd());
  return link && *link == "anon_inode:[eventpoll]";
}

bool is_number_reused(ProcSource& proc, int pid, const SiteView& site,
                      const std::vector<SiteView>& sites) {
  if (!site.is_epoll() || std::none_of(sites.begin(), sites.end(), [](const SiteView& other) {
        return contract::is_call_site_key(other.key);
      })) {
    return false;
  }
  const auto link = proc.descriptor_link(pid, site.epoll_fd());
  return link && *link != "anon_inode:[eventpoll]";
}

const SiteView* enclosing_loop(const SiteView& site, uint64_t iteration_begin,
                               const std::vector<SiteView>& loops) {
  for (const SiteView& other : loops) {
    if (other.key != site.key && other.iteration_begin != 0 &&
        other.iteration_begin < iteration_begin && other.stack_pointer > site.stack_pointer) {
      return &other;
    }
  }
  return nullptr;
}

uint64_t ticks_in_siblings(const SiteView& site, const std::vector<ContributorView>& contributors,
                           const std::vector<SiteView>& sites, bool all_are_loops) {
  uint64_t total = 0;
  for (const ContributorView& entry : contributors) {
    const bool at_sibling = std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
      const bool as_good =
          all_are_loops
              ? other.key != site.key && other.stack_pointer >= site.stack_pointer
              : is_sibling_or_outer(other, site) && (other.is_epoll() || site.is_non_event_wait());
      return as_good && other.function == entry.function && other.call_site == entry.call_site;
    });
    if (at_sibling) total += entry.total_ticks;
  }
  return total;
}

uint64_t latest_begin(const SiteView& site, const contract::Event& iteration,
                      const std::vector<SiteView>& sites) {
  if (iteration.sibling_return <= iteration.begin_tick ||
      iteration.sibling_return >= iteration.end_tick) {
    return iteration.begin_tick;
  }
  const bool at_sibling = std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
    return other.key == iteration.sibling_key && are_siblings(other, site) && other.is_epoll() &&
           site.is_epoll();
  });
  return at_sibling ? iteration.sibling_return : iteration.begin_tick;
}

bool waits_at_sibling(const SiteView& site, const CallView& call,
                      const std::vector<SiteView>& sites) {
  if (!is_event_wait(call.function) && !intercept::may_be_named_wait(call.function) &&
      !(site.is_non_event_wait() && tracks_iterations(call.function))) {
    return false;
  }
  // The recorder learns that such a call was the loop's wait when it ends.
  const bool is_named_wait =
      site.is_named_wait() && std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
        return other.stack_pointer == site.stack_pointer && other.function == call.function &&
               other.call_site == call.call_site;
      });
  if (is_named_wait) return true;
  return std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
    return is_sibling_or_outer(other, site) && other.function == call.function &&
           other.call_site == call.call_site;
  });
}

bool may_have_moved_on(const SiteView& site, const std::optional<CallView>& call,
                       const std::vector<SiteView>& sites) {
  return std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
    if (other.key == site.key || other.stack_pointer < site.stack_pointer) return false;
    const bool waits_there =
        call && call->function == other.function && call->call_site == other.call_site;
    if (!waits_there && other.iteration_begin <= site.iteration_begin) return false;
    if (other.stack_pointer == site.stack_pointer) return site.is_epoll() && other.is_epoll();
    return other.first_tick > site.iteration_begin ||
           other.iterations >= contract::kEstablishedIterations;
  });
}

std::optional<RecordedLoop> recorded_loop(const contract::WaitSite& record,
                                          uint64_t threshold_ticks, bool known) {
  const auto site = view_site(record);
  constexpr uint64_t kLeastIterations = 3;
  if (!site || site->iterations == 0) return std::nullopt;
  if (!known && (site->iterations < kLeastIterations || !is_loop(*site, record, threshold_ticks))) {
    return std::nullopt;
  }
  RecordedLoop loop{*site, {site->busy_ticks, site->longest_ticks, {}}};
  std::copy(std::begin(record.histogram), std::end(record.histogram),
            loop.figures.histogram.begin());
  return loop;
}

LoopStatistics statistics(const RecordedLoop& loop, const Clock& clock, uint64_t threshold_ticks,
                          uint64_t last_tick, const CountedLengths* lengths) {
  const SiteView& site = loop.site;
  const IterationFigures figures =
      lengths ? lengths->correct(loop.figures, threshold_ticks) : loop.figures;
  LoopStatistics result;
  result.loop.wait = intercept::kFunctions[static_cast<uint32_t>(site.function)].name;
  result.loop.fd = site.epoll_fd();
  result.iterations = site.iterations;
  result.busy = clock.duration(figures.busy_ticks);
  result.longest = clock.duration(figures.longest_ticks);
  result.lifetime = clock.duration(last_tick > site.first_tick ? last_tick - site.first_tick : 0);

  uint64_t total = 0;
  for (const uint32_t count : figures.histogram) total += count;
  const auto percentile = [&](double share) {
    const uint64_t rank = static_cast<uint64_t>(static_cast<double>(total) * share);
    uint64_t below = 0;
    for (uint32_t i = 0; i < contract::kHistogramBuckets; ++i) {
      below += figures.histogram[i];
      if (below <= rank) continue;
      return std::min(clock.duration(contract::histogram_middle(i)), result.longest);
    }
    return result.longest;
  };
  result.p50 = percentile(0.50);
  result.p90 = percentile(0.90);
  result.p99 = percentile(0.99);
  result.p999 = percentile(0.999);
  return result;
}

}  // namespace tailback

#include "runtime/watch/loop_model.h"

#include <algorithm>

#include "instrument/contract/histogram.h"
#include "runtime/kernel/kernel_view.h"

namespace tailback {

namespace {

constexpr uint64_t kLeastEpollTurns = 1;
constexpr uint64_t kLeastPollTurns = 8;
// Of a poll loop's turns at most one in so many is long.
constexpr uint64_t kLongTurnShare = 4;

uint64_t turns_longer_than(const contract::WaitSite& record, uint64_t ticks) {
  uint64_t count = 0;
  for (uint32_t i = contract::histogram_bucket(ticks); i < contract::kHistogramBuckets; ++i) {
    count += record.histogram[i];
  }
  return count;
}

}  // namespace

bool is_loop(const SiteView& site, const contract::WaitSite& record, uint64_t threshold_ticks) {
  if (site.is_epoll()) return site.turns >= kLeastEpollTurns;
  if (site.turns < kLeastPollTurns) return false;
  return turns_longer_than(record, threshold_ticks) * kLongTurnShare <= site.turns;
}

bool is_among(const std::vector<SiteView>& loops, const SiteView& site) {
  return std::any_of(loops.begin(), loops.end(),
                     [&](const SiteView& loop) { return loop.key == site.key; });
}

bool loop_is_open(int pid, const SiteView& site) {
  if (!site.is_epoll()) return true;
  const auto link = read_descriptor_link(pid, site.epoll_fd());
  return link && *link == "anon_inode:[eventpoll]";
}

const SiteView* enclosing_loop(const SiteView& site, uint64_t turn_begin,
                               const std::vector<SiteView>& loops) {
  for (const SiteView& other : loops) {
    if (other.key != site.key && other.turn_begin != 0 && other.turn_begin < turn_begin &&
        other.stack_pointer > site.stack_pointer) {
      return &other;
    }
  }
  return nullptr;
}

uint64_t ticks_in_peers(const SiteView& site, const std::vector<ContributorView>& contributors,
                        const std::vector<SiteView>& sites, bool all_are_loops) {
  uint64_t total = 0;
  for (const ContributorView& entry : contributors) {
    const bool at_peer = std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
      return other.key != site.key && (all_are_loops || (other.is_epoll() && site.is_epoll())) &&
             other.function == entry.function && other.call_site == entry.call_site &&
             other.stack_pointer >= site.stack_pointer;
    });
    if (at_peer) total += entry.total_ticks;
  }
  return total;
}

bool waits_at_peer(const SiteView& site, const CallView& call, const std::vector<SiteView>& sites) {
  if (!is_event_wait(call.function)) return false;
  return std::any_of(sites.begin(), sites.end(), [&](const SiteView& other) {
    return other.key != site.key && other.function == call.function &&
           other.call_site == call.call_site && other.stack_pointer >= site.stack_pointer;
  });
}

std::optional<LoopStatistics> statistics(const contract::WaitSite& record, const TickClock& clock,
                                         uint64_t threshold_ticks, uint64_t last_tick, bool known) {
  const auto site = view_site(record);
  constexpr uint64_t kLeastTurns = 3;
  if (!site || site->turns == 0) return std::nullopt;
  if (!known && (site->turns < kLeastTurns || !is_loop(*site, record, threshold_ticks))) {
    return std::nullopt;
  }
  LoopStatistics result;
  result.loop.wait = intercept::kFunctions[static_cast<uint32_t>(site->function)].name;
  result.loop.fd = site->epoll_fd();
  result.turns = site->turns;
  result.busy = clock.duration(site->busy_ticks);
  result.longest = clock.duration(site->longest_ticks);
  result.lifetime = clock.duration(last_tick > site->first_tick ? last_tick - site->first_tick : 0);

  uint64_t total = 0;
  for (const uint32_t count : record.histogram) total += count;
  const auto percentile = [&](double share) {
    const uint64_t rank = static_cast<uint64_t>(static_cast<double>(total) * share);
    uint64_t below = 0;
    for (uint32_t i = 0; i < contract::kHistogramBuckets; ++i) {
      below += record.histogram[i];
      if (below <= rank) continue;
      const uint64_t middle =
          (contract::histogram_lower_edge(i) + contract::histogram_lower_edge(i + 1)) / 2;
      return std::min(clock.duration(middle), result.longest);
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

// Which waits are a loop's, from records filled in by hand; and records that make no sense.
#include "runtime/loops/loop_model.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "instrument/contract/histogram.h"
#include "instrument/contract/wait_key.h"
#include "runtime/kernel/linux_proc_source.h"
#include "runtime/segment/tick_clock.h"

namespace tailback {
namespace {

using contract::ThreadRecord;
using contract::WaitSite;
using intercept::Function;

constexpr uint64_t kThreshold = 1000;

// A wait site as the recorder leaves it after iterations of these lengths.
class Site {
 public:
  Site(Function function, uint64_t key) {
    record_->key.store(key);
    record_->function = static_cast<uint32_t>(function);
    record_->call_site = 0x1000;
    record_->first_tick = 1;
  }
  static Site epoll(uint64_t fd) {
    return {Function::epoll_wait, contract::descriptor_key(static_cast<int>(fd), 0)};
  }
  static Site poll(uint64_t call_site) {
    return {Function::poll, contract::call_site_key(call_site)};
  }
  static Site read(uint64_t fd) {
    return {Function::read, contract::read_key(static_cast<int>(fd), 0x1000)};
  }

  Site&& iterations(uint64_t count, uint64_t length) && {
    for (uint64_t i = 0; i < count; ++i) iteration(length);
    return std::move(*this);
  }
  void iteration(uint64_t length) {
    record_->iterations.fetch_add(1);
    record_->busy_ticks += length;
    record_->longest_ticks = std::max(record_->longest_ticks, length);
    ++record_->histogram[contract::histogram_bucket(length)];
  }
  WaitSite& record() const { return *record_; }
  bool is_loop() const {
    const auto view = view_site(*record_);
    EXPECT_TRUE(view);
    return view && tailback::is_loop(*view, *record_, kThreshold);
  }

 private:
  std::unique_ptr<WaitSite> record_ = std::make_unique<WaitSite>();
};

TEST(ViewSite, InvalidSite_Nothing) {
  EXPECT_FALSE(view_site(*std::make_unique<WaitSite>()));
  EXPECT_FALSE(view_site(Site(Function::write, contract::descriptor_key(5, 0)).record()));
  EXPECT_FALSE(view_site(Site(Function::kNone, contract::descriptor_key(5, 0)).record()));
  EXPECT_FALSE(
      view_site(Site(static_cast<Function>(0xfffffff0), contract::descriptor_key(5, 0)).record()));
  EXPECT_FALSE(view_site(Site(Function::epoll_wait, 0).record()));
}

TEST(ViewSite, EpollKey_Descriptor) {
  const auto epoll = view_site(Site::epoll(17).record());
  ASSERT_TRUE(epoll);
  EXPECT_TRUE(epoll->is_epoll());
  EXPECT_EQ(epoll->epoll_fd(), 17);
  const auto poll = view_site(Site::poll(0x4321).record());
  ASSERT_TRUE(poll);
  EXPECT_FALSE(poll->is_epoll());
  EXPECT_EQ(poll->epoll_fd(), -1);
}

TEST(ViewContributors, Contributors_SortedInvalidDropped) {
  contract::Contributor entries[contract::kContributors] = {};
  entries[0] = {0x10, static_cast<uint32_t>(Function::read), 2, 50, 30};
  entries[1] = {0x20, 0xfffffff, 1, 900, 900};
  entries[2] = {0x30, static_cast<uint32_t>(Function::write), 1, 70, 70};
  entries[3] = {0x40, static_cast<uint32_t>(Function::fsync), 0, 999, 999};
  const std::vector<ContributorView> views = view_contributors(entries);
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0].function, Function::write);
  EXPECT_EQ(views[1].function, Function::read);
  EXPECT_EQ(views[1].count, 2u);
}

TEST(IsLoop, OneWait_NoLoop) {
  EXPECT_FALSE(Site::epoll(5).is_loop());
  EXPECT_FALSE(Site::poll(0x10).is_loop());
}

TEST(IsLoop, EpollSecondWait_Loop) {
  EXPECT_TRUE(Site::epoll(5).iterations(1, 10).is_loop());
  EXPECT_TRUE(Site::epoll(5).iterations(1, 100 * kThreshold).is_loop());
}

TEST(IsLoop, Poll_NeedsSeveralIterations) {
  EXPECT_FALSE(Site::poll(0x10).iterations(7, 10).is_loop());
  EXPECT_TRUE(Site::poll(0x10).iterations(8, 10).is_loop());
}

// subprocess's poll, a client library's: waits now and then, with other work in between.
TEST(IsLoop, PollMostlyLong_NoLoop) {
  EXPECT_TRUE(Site::poll(0x10).iterations(6, 10).iterations(2, 100 * kThreshold).is_loop());
  EXPECT_FALSE(Site::poll(0x10).iterations(6, 10).iterations(3, 100 * kThreshold).is_loop());
  EXPECT_FALSE(Site::poll(0x10).iterations(50, 2 * kThreshold).is_loop());
}

TEST(IsLoop, ReadOrSignalWait_NeedsManyShortIterations) {
  EXPECT_FALSE(Site::read(5).iterations(31, 10).is_loop());
  EXPECT_TRUE(Site::read(5).iterations(32, 10).is_loop());
  EXPECT_TRUE(Site::read(5).iterations(30, 10).iterations(2, 100 * kThreshold).is_loop());
  EXPECT_FALSE(Site::read(5).iterations(29, 10).iterations(3, 100 * kThreshold).is_loop());
  EXPECT_FALSE(Site(Function::sigwait, contract::call_site_key(7)).iterations(8, 10).is_loop());
  EXPECT_TRUE(Site(Function::sigwait, contract::call_site_key(7)).iterations(40, 10).is_loop());
}

// The loops of a thread with these sites, by their keys.
std::vector<uint64_t> loops_of(const std::vector<const Site*>& sites) {
  const auto record = std::make_unique<ThreadRecord>();
  std::vector<SiteView> views;
  for (size_t i = 0; i < sites.size(); ++i) {
    std::memcpy(static_cast<void*>(&record->wait_sites[i]), &sites[i]->record(), sizeof(WaitSite));
    views.push_back(*view_site(record->wait_sites[i]));
  }
  std::vector<uint64_t> keys;
  for (const SiteView& loop : loops_among(views, *record, kThreshold)) keys.push_back(loop.key);
  return keys;
}

TEST(LoopsAmong, PollAsDeepAsEpoll_Call) {
  const Site epoll = Site::epoll(5).iterations(50, 10);
  const Site poll = Site::poll(0x10).iterations(50, 10);
  const auto place = [](const Site& site, uint64_t stack_pointer, uint64_t iteration_begin) {
    site.record().stack_pointer = stack_pointer;
    site.record().iteration_begin.store(iteration_begin);
  };
  const uint64_t epoll_key = epoll.record().key.load();
  const uint64_t poll_key = poll.record().key.load();
  using Keys = std::vector<uint64_t>;
  place(epoll, 2000, 40 * kThreshold);
  for (const uint64_t depth : {2000u, 1000u}) {
    place(poll, depth, 50 * kThreshold);
    EXPECT_EQ(loops_of({&epoll, &poll}), Keys{epoll_key}) << depth;
  }
  place(poll, 3000, 50 * kThreshold);
  EXPECT_EQ(loops_of({&epoll, &poll}), (Keys{epoll_key, poll_key})) << "around the epoll";
  place(poll, 2000, 500 * kThreshold);
  EXPECT_EQ(loops_of({&epoll, &poll}), (Keys{epoll_key, poll_key})) << "long after the epoll";
  EXPECT_EQ(loops_of({&poll}), Keys{poll_key});
}

TEST(LoopsAmong, Read_LoopOnlyWithoutOther) {
  const Site read = Site::read(5).iterations(50, 10);
  const Site poll = Site::poll(0x10).iterations(50, 10);
  read.record().stack_pointer = 3000;
  poll.record().stack_pointer = 2000;
  EXPECT_EQ(loops_of({&read}).size(), 1u);
  EXPECT_EQ(loops_of({&read, &poll}), std::vector<uint64_t>{poll.record().key.load()});
}

ProcSource& linux_proc() {
  static LinuxProcSource proc;
  return proc;
}

TEST(LoopIsOpen, ReadOfEventDescriptor_OpenIfBlocking) {
  const auto is_open = [](int fd) {
    return loop_is_open(linux_proc(), getpid(),
                        *view_site(Site::read(static_cast<uint64_t>(fd)).record()));
  };
  const int counter = eventfd(0, EFD_CLOEXEC);
  ASSERT_GE(counter, 0);
  EXPECT_TRUE(is_open(counter));
  fcntl(counter, F_SETFL, O_NONBLOCK);
  EXPECT_FALSE(is_open(counter));
  close(counter);
  EXPECT_FALSE(is_open(counter));
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(is_open(file));
  close(file);
}

TEST(LoopIsOpen, EpollDescriptor_OpenUntilClosed) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto site = view_site(Site::epoll(static_cast<uint64_t>(fd)).record());
  ASSERT_TRUE(site);
  EXPECT_TRUE(loop_is_open(linux_proc(), getpid(), *site));
  close(fd);
  EXPECT_FALSE(loop_is_open(linux_proc(), getpid(), *site));
  const int reused = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(reused, fd);
  EXPECT_FALSE(loop_is_open(linux_proc(), getpid(), *site));
  close(reused);
  EXPECT_TRUE(loop_is_open(linux_proc(), getpid(), *view_site(Site::poll(0x10).record())));
}

SiteView view(uint64_t key, uint64_t stack_pointer, uint64_t iteration_begin,
              Function function = Function::epoll_wait, uint64_t call_site = 0x1000) {
  SiteView made;
  made.key = key;
  made.stack_pointer = stack_pointer;
  made.iteration_begin = iteration_begin;
  made.function = function;
  made.call_site = call_site;
  return made;
}

TEST(EnclosingLoop, SingleLoop_Outermost) {
  const SiteView site = view(1, 1000, 50);
  EXPECT_EQ(enclosing_loop(site, 50, {}), nullptr);
  EXPECT_EQ(enclosing_loop(site, 50, {site}), nullptr);
}

TEST(EnclosingLoop, OuterLoop_EarlierAndShallower) {
  const SiteView inner = view(1, 1000, 50);
  const std::vector<SiteView> outer = {view(2, 2000, 40)};
  ASSERT_NE(enclosing_loop(inner, 50, outer), nullptr);
  EXPECT_EQ(enclosing_loop(inner, 50, outer)->key, 2u);
  EXPECT_EQ(enclosing_loop(inner, 50, {view(2, 2000, 60)}), nullptr) << "began later";
  EXPECT_EQ(enclosing_loop(inner, 50, {view(2, 2000, 0)}), nullptr) << "is waiting";
  EXPECT_EQ(enclosing_loop(inner, 50, {view(2, 900, 40)}), nullptr) << "is deeper";
  EXPECT_EQ(enclosing_loop(inner, 50, {view(2, 1000, 40)}), nullptr) << "is as deep";
}

TEST(TicksInSiblings, OtherEpollSameFrame_IdleTime) {
  const SiteView home = view(1, 1000, 50);
  const std::vector<ContributorView> contributors = {{Function::epoll_wait, 0x2000, 3, 700, 300},
                                                     {Function::read, 0x3000, 1, 50, 50}};
  const auto idle = [&](const SiteView& other) {
    return ticks_in_siblings(home, contributors, {home, other});
  };
  EXPECT_EQ(idle(view(2, 1000, 0, Function::epoll_wait, 0x2000)), 700u);
  EXPECT_EQ(idle(view(2, 1500, 0, Function::epoll_wait, 0x2000)), 700u);
  EXPECT_EQ(idle(view(2, 900, 0, Function::epoll_wait, 0x2000)), 0u) << "nested deeper";
  EXPECT_EQ(idle(view(2, 1000, 0, Function::epoll_wait, 0x2222)), 0u) << "another call site";
  EXPECT_EQ(idle(view(2, 1000, 0, Function::read, 0x3000)), 0u) << "no wait";
  EXPECT_EQ(ticks_in_siblings(home, contributors, {home}), 0u);
}

TEST(LatestBegin, OtherEpollSameFrame_ItsReturn) {
  const SiteView home = view(1, 1000, 50);
  contract::Event iteration{};
  iteration.begin_tick = 50;
  iteration.end_tick = 100;
  EXPECT_EQ(latest_begin(home, iteration, {home, view(2, 1000, 70)}), 50u) << "none is said";
  iteration.sibling_key = 2;
  iteration.sibling_return = 70;
  // By now it may have returned again.
  EXPECT_EQ(latest_begin(home, iteration, {home, view(2, 1000, 170), view(3, 1000, 60)}), 70u);
  EXPECT_EQ(latest_begin(home, iteration, {home}), 50u) << "the other has gone";
  EXPECT_EQ(latest_begin(home, iteration, {view(2, 900, 70)}), 50u) << "nested";
  EXPECT_EQ(latest_begin(home, iteration, {view(2, 1000, 70, Function::poll)}), 50u);
  for (const uint64_t senseless : {40u, 100u, 120u}) {
    iteration.sibling_return = senseless;
    EXPECT_EQ(latest_begin(home, iteration, {view(2, 1000, 70)}), 50u) << senseless;
  }
}

TEST(WaitsAtSibling, DeeperSite_NotIdle) {
  const SiteView home = view(1, 1000, 50);
  CallView call;
  call.function = Function::epoll_wait;
  call.call_site = 0x2000;
  EXPECT_FALSE(waits_at_sibling(home, call, {home}));
  EXPECT_TRUE(waits_at_sibling(home, call, {home, view(2, 1000, 0, Function::epoll_wait, 0x2000)}));
  EXPECT_FALSE(waits_at_sibling(home, call, {home, view(2, 900, 0, Function::epoll_wait, 0x2000)}));
  EXPECT_FALSE(waits_at_sibling(home, call, {home, view(2, 1000, 0, Function::poll, 0x2000)}));
  call.function = Function::read;
  EXPECT_FALSE(waits_at_sibling(home, call, {home, view(2, 1000, 0, Function::read, 0x2000)}));
  const SiteView reading = view(3, 1000, 50, Function::read);
  EXPECT_TRUE(waits_at_sibling(reading, call, {reading, view(2, 1000, 0, Function::read, 0x2000)}));
}

// What a callback waits for may be nearer to the base of the stack than its loop's own wait.
TEST(WaitsAtSibling, ShallowerSite_IdleOnlyIfAsFrequent) {
  SiteView home = view(1, 1000, 50);
  SiteView other = view(2, 1500, 0, Function::epoll_wait, 0x2000);
  CallView call;
  call.function = Function::epoll_wait;
  call.call_site = 0x2000;
  home.iterations = 10;
  other.iterations = 3;
  EXPECT_FALSE(waits_at_sibling(home, call, {home, other}));
  EXPECT_EQ(ticks_in_siblings(home, {{Function::epoll_wait, 0x2000, 3, 700, 300}}, {home, other}),
            0u);
  other.iterations = 10;
  EXPECT_TRUE(waits_at_sibling(home, call, {home, other}));
  other.stack_pointer = home.stack_pointer;
  EXPECT_TRUE(waits_at_sibling(home, call, {home, other}));
  other.iterations = 0;
  EXPECT_FALSE(waits_at_sibling(home, call, {home, other})) << "as deep by chance";
}

TEST(MayHaveMovedOn, LaterIterationOrNewLoop_True) {
  SiteView home = view(1, 1000, 50);
  home.first_tick = 5;
  const auto moved = [&](SiteView other, uint64_t first_tick, uint64_t iterations) {
    other.first_tick = first_tick;
    other.iterations = iterations;
    return may_have_moved_on(home, std::nullopt, {home, other});
  };
  EXPECT_FALSE(may_have_moved_on(home, std::nullopt, {home}));
  EXPECT_TRUE(moved(view(2, 1000, 60), 5, 0)) << "as deep, and later";
  EXPECT_FALSE(moved(view(2, 1000, 40), 5, 0)) << "as deep, but earlier";
  EXPECT_FALSE(moved(view(2, 1000, 60, Function::poll), 5, 0)) << "a poll of the iteration";
  EXPECT_FALSE(moved(view(2, 900, 60), 55, 30)) << "nested";
  EXPECT_TRUE(moved(view(2, 1500, 60), 55, 0)) << "first seen since";
  EXPECT_FALSE(moved(view(2, 1500, 60), 5, 3)) << "a callback's";
  EXPECT_TRUE(moved(view(2, 1500, 60), 5, 30)) << "has turned often";
  SiteView waiting = view(2, 1500, 0, Function::epoll_wait, 0x2000);
  waiting.first_tick = 55;
  CallView call;
  call.function = Function::epoll_wait;
  call.call_site = 0x2000;
  EXPECT_TRUE(may_have_moved_on(home, call, {home, waiting}));
}

// Ticks of this clock are nanoseconds, so that figures can be compared exactly.
const TickClock& nanosecond_clock() {
  static const TickClock clock(contract::TickSource::kMonotonic);
  return clock;
}

std::optional<LoopStatistics> statistics_of(const Site& site, uint64_t last_tick = 1) {
  const auto loop = recorded_loop(site.record(), kThreshold);
  if (!loop) return std::nullopt;
  return statistics(*loop, nanosecond_clock(), kThreshold, last_tick);
}

TEST(Statistics, TooFewIterations_None) {
  EXPECT_FALSE(statistics_of(Site::epoll(5)));
  EXPECT_FALSE(statistics_of(Site::epoll(5).iterations(2, 10)));
  EXPECT_TRUE(statistics_of(Site::epoll(5).iterations(3, 10)));
  EXPECT_FALSE(statistics_of(Site::poll(0x10).iterations(7, 10)));
}

TEST(Statistics, CountsAndSums_Exact) {
  Site site = Site::epoll(12).iterations(10, 100).iterations(1, 12345);
  site.record().first_tick = 5000;
  const auto result = statistics_of(site, 105000);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->loop.wait, "epoll_wait");
  EXPECT_EQ(result->loop.fd, 12);
  EXPECT_EQ(result->iterations, 11u);
  EXPECT_EQ(result->busy, Nanoseconds(13345));
  EXPECT_EQ(result->longest, Nanoseconds(12345));
  EXPECT_EQ(result->lifetime, Nanoseconds(100000));
}

TEST(Statistics, LoopFromFuture_NoLifetime) {
  Site site = Site::epoll(12).iterations(10, 100);
  site.record().first_tick = UINT64_MAX;
  EXPECT_EQ(statistics_of(site, 5)->lifetime, Nanoseconds(0));
}

TEST(Statistics, Percentile_AtMostLongest) {
  const auto result = statistics_of(Site::epoll(5).iterations(100, 1025));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->longest, Nanoseconds(1025));
  EXPECT_LE(result->p50, result->longest);
  EXPECT_LE(result->p999, result->longest);
}

void expect_within_a_quarter(Nanoseconds estimate, uint64_t exact) {
  EXPECT_GE(static_cast<double>(estimate.count()), 0.75 * static_cast<double>(exact));
  EXPECT_LE(static_cast<double>(estimate.count()), 1.25 * static_cast<double>(exact));
}

TEST(Statistics, Percentiles_WithinStatedError) {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> exponent(3, 30);
    Site site = Site::epoll(5);
    std::vector<uint64_t> lengths;
    for (int i = 0; i < 5000; ++i) {
      lengths.push_back(static_cast<uint64_t>(std::exp2(exponent(random))));
      site.iteration(lengths.back());
    }
    std::sort(lengths.begin(), lengths.end());
    const auto exact = [&](double share) {
      return lengths[static_cast<size_t>(share * static_cast<double>(lengths.size()))];
    };
    const auto result = statistics_of(site);
    ASSERT_TRUE(result);
    expect_within_a_quarter(result->p50, exact(0.5));
    expect_within_a_quarter(result->p90, exact(0.9));
    expect_within_a_quarter(result->p99, exact(0.99));
    expect_within_a_quarter(result->p999, exact(0.999));
    EXPECT_EQ(result->longest, Nanoseconds(static_cast<int64_t>(lengths.back())));
  }
}

TEST(ViewCall, NoOrInvalidCall_Nothing) {
  const auto record = std::make_unique<ThreadRecord>();
  EXPECT_FALSE(view_call(record->call));
  record->call.function.store(intercept::kFunctionCount);
  EXPECT_FALSE(view_call(record->call));
  record->call.function.store(static_cast<uint32_t>(Function::read));
  record->call.entered.store(77);
  record->call.arguments[5] = 66;
  const auto call = view_call(record->call);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->function, Function::read);
  EXPECT_EQ(call->entered, 77u);
  EXPECT_EQ(call->arguments[5], 66u);
  EXPECT_TRUE(call->same_call(*view_call(record->call)));
  record->call.entered.store(78);
  EXPECT_FALSE(call->same_call(*view_call(record->call)));
}

// Bytes of all kinds: wholly random, mostly small, mostly ones.
void fill_with_nonsense(ThreadRecord& record, unsigned seed) {
  std::mt19937_64 random(seed);
  auto* bytes = reinterpret_cast<unsigned char*>(&record);
  for (size_t i = 0; i < sizeof record; ++i) {
    const auto byte = static_cast<unsigned char>(random());
    const unsigned style = seed % 3;
    bytes[i] = style == 0 ? byte : style == 1 ? (i % 8 == 0 ? byte : 0) : byte | 0xf0;
  }
  if (seed % 2 == 0) {
    // Plausible enough to be looked at more closely.
    for (WaitSite& site : record.wait_sites) {
      site.function = static_cast<uint32_t>(random() % 2 ? Function::epoll_wait : Function::poll);
    }
    record.call.function.store(static_cast<uint32_t>(random() % intercept::kFunctionCount));
  }
}

TEST(Nonsense, RandomSegment_NoCrash) {
  const auto record = std::make_unique<ThreadRecord>();
  int seen = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    fill_with_nonsense(*record, seed);
    if (const auto call = view_call(record->call)) {
      EXPECT_LT(static_cast<uint32_t>(call->function), intercept::kFunctionCount);
      EXPECT_NE(call->function, Function::kNone);
    }
    std::vector<SiteView> sites;
    for (const WaitSite& place : record->wait_sites) {
      if (auto site = view_site(place)) sites.push_back(*site);
    }
    for (const WaitSite& place : record->wait_sites) {
      const auto site = view_site(place);
      if (!site) continue;
      ++seen;
      EXPECT_TRUE(may_have_wait_site(site->function));
      EXPECT_TRUE(std::is_sorted(
          site->contributors.begin(), site->contributors.end(),
          [](const auto& a, const auto& b) { return a.total_ticks > b.total_ticks; }));
      for (const ContributorView& entry : site->contributors) {
        EXPECT_LT(static_cast<uint32_t>(entry.function), intercept::kFunctionCount);
      }
      enclosing_loop(*site, site->iteration_begin, sites);
      ticks_in_siblings(*site, site->contributors, sites);
      loop_is_open(linux_proc(), getpid(), *site);
      for (const uint64_t threshold : {uint64_t{0}, kThreshold, UINT64_MAX}) {
        const auto loop = recorded_loop(place, threshold);
        if (!loop) continue;
        const auto result = statistics(*loop, nanosecond_clock(), threshold, kThreshold);
        EXPECT_LE(result.p50, result.p90);
        EXPECT_LE(result.p90, result.p99);
        EXPECT_LE(result.p99, result.p999);
        EXPECT_LE(result.p999, result.longest);
        EXPECT_GE(result.busy, Nanoseconds(0));
        EXPECT_GE(result.lifetime, Nanoseconds(0));
      }
    }
  }
  EXPECT_GT(seen, 500);
}

}  // namespace
}  // namespace tailback

// The rules of what is a stall, over views that a test fills in.
#include "runtime/loops/stall_rules.h"

#include <gtest/gtest.h>

namespace tailback {
namespace {

using intercept::Function;
using std::chrono::milliseconds;

constexpr uint64_t kEpollBit = uint64_t{1} << 62;

SiteView epoll(uint64_t fd, uint64_t stack_pointer = 0x7000) {
  SiteView site;
  site.key = kEpollBit | fd;
  site.call_site = 0x1000 + fd;
  site.function = Function::epoll_wait;
  site.stack_pointer = stack_pointer;
  site.iterations = 100;
  return site;
}

EndedIterationView ended(const SiteView& site, const std::vector<SiteView>& loops) {
  return {.site = site,
          .loops = loops,
          .begin_tick = 1000,
          .duration = milliseconds(300),
          .threshold = milliseconds(100)};
}

TEST(EndedIteration, OfALoopOverTheThreshold_IsAStall) {
  const SiteView site = epoll(5);
  EXPECT_EQ(dismissal_of(ended(site, {site})), Dismissal::kNone);
}

TEST(EndedIteration, OfNoLoop_IsNone) {
  const SiteView site = epoll(5);
  EXPECT_EQ(dismissal_of(ended(site, {})), Dismissal::kNoLoop);
}

TEST(EndedIteration, AtTheThreshold_IsShort) {
  const SiteView site = epoll(5);
  const std::vector<SiteView> loops = {site};
  EndedIterationView view = ended(site, loops);
  view.duration = view.threshold;
  EXPECT_EQ(dismissal_of(view), Dismissal::kShort);
}

TEST(EndedIteration, MostlyReportedAsASiblings_IsReported) {
  const SiteView site = epoll(5);
  const std::vector<SiteView> loops = {site};
  EndedIterationView view = ended(site, loops);
  view.reported = milliseconds(200);
  EXPECT_EQ(dismissal_of(view), Dismissal::kReported);
  view.reported = milliseconds(199);
  EXPECT_EQ(dismissal_of(view), Dismissal::kNone);
}

TEST(EndedIteration, WithinAnOuterLoops_IsNested) {
  const SiteView site = epoll(5, 0x5000);
  SiteView outer = epoll(6);
  outer.iteration_begin = 900;
  EXPECT_EQ(dismissal_of(ended(site, {site, outer})), Dismissal::kNested);
  outer.iteration_begin = 1100;
  EXPECT_EQ(dismissal_of(ended(site, {site, outer})), Dismissal::kNone);
}

class InProgress : public testing::Test {
 protected:
  Dismissal dismissal() const {
    return dismissal_of(IterationInProgress{.site = site_,
                                            .sites = sites_,
                                            .loops = loops_,
                                            .choice = LoopChoice::kByBehaviour,
                                            .call = std::nullopt,
                                            .is_very_long = is_very_long_});
  }

  InProgress() { site_.iteration_begin = 1000; }

  SiteView site_ = epoll(5);
  std::vector<SiteView> sites_;
  std::vector<SiteView> loops_;
  bool is_very_long_ = false;
};

TEST_F(InProgress, FirstIteration_OnlyIfItIsVeryLong) {
  sites_ = {site_};
  EXPECT_EQ(dismissal(), Dismissal::kNoLoop);
  is_very_long_ = true;
  EXPECT_EQ(dismissal(), Dismissal::kNone);
}

TEST_F(InProgress, AnotherEpollOfTheFrameWasWaitedForSince_MovedOn) {
  SiteView other = epoll(6);
  other.iteration_begin = 2000;
  sites_ = loops_ = {site_, other};
  EXPECT_EQ(dismissal(), Dismissal::kMovedOn);
}

TEST_F(InProgress, LoopFurtherUpTheStack_Superseded) {
  SiteView other = epoll(6, 0x5000);
  sites_ = loops_ = {site_, other};
  EXPECT_EQ(dismissal(), Dismissal::kSuperseded);
  other.iterations = 19;
  sites_ = loops_ = {site_, other};
  EXPECT_EQ(dismissal(), Dismissal::kNone);
}

TEST(IterationLength, AllowedAndIdleTime_NotCounted) {
  SiteView site = epoll(5);
  const SiteView sibling = epoll(6);
  site.contributors = {{sibling.function, sibling.call_site, 1, 300, 300}};
  contract::Event event{};
  event.begin_tick = 1000;
  event.end_tick = 2000;
  event.allowed_ticks = 200;
  const IterationLength length = length_of(event, site, {site, sibling}, LoopChoice::kByBehaviour);
  EXPECT_EQ(length.begin, 1000u);
  EXPECT_EQ(length.whole, 1000u);
  EXPECT_EQ(length.allowed, 200u);
  EXPECT_EQ(length.idle, 300u);
  EXPECT_EQ(length.counted(), 500u);
}

TEST(IterationLength, NonsenseOfAHostileTarget_NeverBelowZero) {
  SiteView site = epoll(5);
  const SiteView sibling = epoll(6);
  site.contributors = {{sibling.function, sibling.call_site, 1, UINT64_MAX, UINT64_MAX}};
  contract::Event event{};
  event.begin_tick = 1000;
  event.end_tick = 2000;
  event.allowed_ticks = UINT64_MAX;
  EXPECT_EQ(length_of(event, site, {site, sibling}, LoopChoice::kByBehaviour).counted(), 0u);
}

TEST(IterationLength, SiblingReturnedWithin_CountsFromThere) {
  const SiteView site = epoll(5);
  const SiteView sibling = epoll(6);
  contract::Event event{};
  event.begin_tick = 1000;
  event.end_tick = 2000;
  event.sibling_key = sibling.key;
  event.sibling_return = 1700;
  const IterationLength length = length_of(event, site, {site, sibling}, LoopChoice::kByBehaviour);
  EXPECT_EQ(length.begin, 1700u);
  EXPECT_EQ(length.counted(), 300u);
}

TEST(Overlap, TwoSpans_CommonTicks) {
  EXPECT_EQ(overlap(10, 20, 15, 30), 5u);
  EXPECT_EQ(overlap(10, 20, 0, 100), 10u);
  EXPECT_EQ(overlap(10, 20, 20, 30), 0u);
  EXPECT_EQ(overlap(10, 20, 30, 40), 0u);
}

}  // namespace
}  // namespace tailback

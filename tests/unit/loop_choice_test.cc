// Who says which threads are loops, and what the segment says of iterations.
#include "runtime/loops/loop_choice.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "runtime/segment/iteration_annotations.h"

namespace tailback {
namespace {

using contract::ThreadMark;
using contract::ThreadRecord;
using intercept::Function;

constexpr uint64_t kThreshold = 100;

LoopChoice marked(LoopChoice named, ThreadMark mark) {
  return loop_choice(named, static_cast<uint32_t>(mark));
}

TEST(LoopChoice, Precedence_OptionMarkBehaviour) {
  EXPECT_EQ(marked(LoopChoice::kByBehaviour, ThreadMark::kNone), LoopChoice::kByBehaviour);
  EXPECT_EQ(marked(LoopChoice::kByBehaviour, ThreadMark::kLoop), LoopChoice::kMarked);
  EXPECT_EQ(marked(LoopChoice::kByBehaviour, ThreadMark::kNotLoop), LoopChoice::kNone);
  EXPECT_EQ(marked(LoopChoice::kNamed, ThreadMark::kNotLoop), LoopChoice::kNamed);
  EXPECT_EQ(marked(LoopChoice::kNone, ThreadMark::kLoop), LoopChoice::kNone);
  EXPECT_EQ(loop_choice(LoopChoice::kByBehaviour, 0xfffffff), LoopChoice::kByBehaviour);
}

TEST(LoopNames, NotLoopWins_UnusedPatternsNamed) {
  LoopNames names({{"io-*", "net?"}, {"io-9", "*x"}});
  EXPECT_TRUE(names.any());
  EXPECT_EQ(names.choose("io-1"), LoopChoice::kNamed);
  EXPECT_EQ(names.choose("io-9"), LoopChoice::kNone);
  EXPECT_EQ(names.choose("main"), LoopChoice::kByBehaviour);
  EXPECT_EQ(names.unused(),
            (std::vector<std::string>{"--loop io-*", "--loop net?", "--not-loop *x"}));
  names.note_iterations("io-1");
  EXPECT_EQ(names.unused(), (std::vector<std::string>{"--loop net?", "--not-loop *x"}));
  EXPECT_FALSE(LoopNames({}).any());
}

class LoopsAmong : public ::testing::Test {
 protected:
  void add(Function function, uint64_t key, uint64_t iterations) {
    contract::WaitSite& place = record_->wait_sites[sites_.size()];
    place.key.store(key);
    place.function = static_cast<uint32_t>(function);
    place.iterations.store(iterations);
    place.histogram[contract::kHistogramBuckets - 1] =
        static_cast<uint32_t>(iterations);  // all long
    sites_.push_back(*view_site(place));
  }
  size_t count(LoopChoice choice) {
    return loops_among(choice, sites_, *record_, kThreshold).size();
  }

  std::unique_ptr<ThreadRecord> record_ = std::make_unique<ThreadRecord>();
  std::vector<SiteView> sites_;
};

TEST_F(LoopsAmong, PollWithLongIterations_LoopOnlyIfMarked) {
  add(Function::poll, 0x10, 1);
  EXPECT_EQ(count(LoopChoice::kByBehaviour), 0u);
  EXPECT_EQ(count(LoopChoice::kNamed), 1u);
  EXPECT_EQ(count(LoopChoice::kMarked), 1u);
  EXPECT_EQ(count(LoopChoice::kNone), 0u);
}

TEST_F(LoopsAmong, Mark_CountsFromFirstIteration) {
  add(Function::poll, 0x10, 0);
  EXPECT_EQ(count(LoopChoice::kNamed), 0u);
  EXPECT_EQ(count(LoopChoice::kMarked), 1u);
}

TEST_F(LoopsAmong, MarkedWait_OnlyLoop) {
  add(Function::epoll_wait, 0x10, 500);
  EXPECT_EQ(count(LoopChoice::kByBehaviour), 1u);
  add(Function::tailback_wait, 0x20, 0);
  const auto loops = loops_among(LoopChoice::kByBehaviour, sites_, *record_, kThreshold);
  ASSERT_EQ(loops.size(), 1u);
  EXPECT_TRUE(is_marked_wait(loops[0]));
  EXPECT_EQ(count(LoopChoice::kNone), 0u);
}

class IterationNameTest : public ::testing::Test {
 protected:
  std::string name(std::string_view text, uint64_t begin = 10) {
    std::memset(place_.text, 0, sizeof place_.text);
    std::memcpy(place_.text, text.data(), std::min(text.size(), sizeof place_.text));
    place_.tick.store(20);
    return iteration_name(place_, begin);
  }
  contract::IterationName place_{};
};

TEST_F(IterationNameTest, NameGiven_IterationInProgress) {
  EXPECT_EQ(name("job"), "job");
  EXPECT_EQ(name("job", 20), "job");
  EXPECT_EQ(name("job", 21), "");
  place_.tick.store(0);
  EXPECT_EQ(iteration_name(place_, 0), "");
}

TEST_F(IterationNameTest, LongName_CutAtWholeCharacter) {
  EXPECT_EQ(name(std::string(200, 'x')), std::string(55, 'x'));
  const std::string most(53, 'x');
  EXPECT_EQ(name(most + "\xe2\x82\xac"), most);
  EXPECT_EQ(name(most.substr(1) + "\xe2\x82\xac"), most.substr(1) + "\xe2\x82\xac");
  EXPECT_EQ(name(most + "x\xf0"), most + "x");
  // Bytes that are no UTF-8 stay as they are.
  EXPECT_EQ(name(std::string(55, '\x80')), std::string(55, '\x80'));
  EXPECT_EQ(name("\xe2\x82"), "\xe2\x82");
}

TEST(AllowedSoFar, LongScope_AtMostIteration) {
  const auto record = std::make_unique<ThreadRecord>();
  contract::WaitSite& site = record->wait_sites[0];
  EXPECT_EQ(allowed_so_far(*record, site, 100, 400), 0u);
  site.allowed_ticks = 50;
  EXPECT_EQ(allowed_so_far(*record, site, 100, 400), 50u);
  record->allowed_since.store(350);
  EXPECT_EQ(allowed_so_far(*record, site, 100, 400), 100u);
  record->allowed_since.store(1);
  EXPECT_EQ(allowed_so_far(*record, site, 100, 400), 300u);
  record->allowed_since.store(UINT64_MAX);
  EXPECT_EQ(allowed_so_far(*record, site, 100, 400), 50u);
  site.allowed_ticks = UINT64_MAX;
  EXPECT_EQ(allowed_so_far(*record, site, 100, 400), 300u);
  EXPECT_EQ(allowed_so_far(*record, site, 500, 400), 0u);
}

}  // namespace
}  // namespace tailback

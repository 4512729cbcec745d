// What both worlds rely on: the layout of the segment, the buckets of the histogram and the
// intercept table.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "instrument/contract/histogram.h"
#include "instrument/contract/intercepts.h"
#include "instrument/contract/record_contract.h"

namespace tailback {
namespace {

using contract::histogram_bucket;
using contract::histogram_lower_edge;
using contract::kHistogramBuckets;
using intercept::Family;
using intercept::Function;
using intercept::FunctionFacts;
using intercept::kFunctions;
using intercept::Recording;
using intercept::Traits;

TEST(Histogram, Edges_Rising) {
  for (uint32_t bucket = 1; bucket < kHistogramBuckets; ++bucket) {
    EXPECT_GT(histogram_lower_edge(bucket), histogram_lower_edge(bucket - 1)) << bucket;
  }
}

TEST(Histogram, Edge_FirstLengthOfBucket) {
  for (uint32_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    const uint64_t edge = histogram_lower_edge(bucket);
    EXPECT_EQ(histogram_bucket(edge), bucket);
    if (bucket > 0) {
      EXPECT_EQ(histogram_bucket(edge - 1), bucket - 1);
    }
  }
}

TEST(Histogram, AnyLength_BetweenEdges) {
  std::mt19937_64 random(20240917);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t length = random() >> (random() % 64);
    const uint32_t bucket = histogram_bucket(length);
    ASSERT_LT(bucket, kHistogramBuckets) << length;
    ASSERT_LE(histogram_lower_edge(bucket), length);
    if (bucket + 1 < kHistogramBuckets) {
      ASSERT_LT(length, histogram_lower_edge(bucket + 1));
    }
  }
}

TEST(Histogram, Bucket_AtMostQuarterWide) {
  for (uint32_t bucket = 4; bucket + 1 < kHistogramBuckets; ++bucket) {
    const uint64_t lower = histogram_lower_edge(bucket);
    EXPECT_LE(4 * (histogram_lower_edge(bucket + 1) - lower), lower) << bucket;
  }
}

// What is said of percentiles: the middle of a bucket stands for each length in it.
TEST(Histogram, MiddleOfABucket_IsWithinTheStatedError) {
  double greatest = 0;
  for (uint32_t bucket = 4; bucket + 1 < kHistogramBuckets; ++bucket) {
    const auto middle = static_cast<double>(contract::histogram_middle(bucket));
    for (const uint64_t length :
         {histogram_lower_edge(bucket), histogram_lower_edge(bucket + 1) - 1}) {
      const auto exact = static_cast<double>(length);
      greatest = std::max(greatest, std::abs(middle - exact) / exact);
    }
  }
  EXPECT_LE(greatest, contract::kHistogramError);
  EXPECT_GT(greatest, contract::kHistogramError * 0.999) << "the stated error is the true one";
}

TEST(Histogram, HugeLength_LastBucket) {
  EXPECT_EQ(histogram_bucket(UINT64_MAX), kHistogramBuckets - 1);
  // Minutes of a 5 GHz counter still have buckets of their own.
  EXPECT_LT(histogram_bucket(uint64_t{5'000'000'000} * 180), kHistogramBuckets - 1);
}

TEST(Histogram, KnownLengths_KnownBuckets) {
  EXPECT_EQ(histogram_bucket(0), 0u);
  EXPECT_EQ(histogram_bucket(3), 3u);
  EXPECT_EQ(histogram_bucket(4), 4u);
  EXPECT_EQ(histogram_bucket(7), 7u);
  EXPECT_EQ(histogram_bucket(8), 8u);
  EXPECT_EQ(histogram_bucket(9), 8u);
  EXPECT_EQ(histogram_bucket(10), 9u);
  EXPECT_EQ(histogram_bucket(1024), 36u);
  EXPECT_EQ(histogram_lower_edge(37), 1280u);
}

TEST(Layout, Version_FixedPlace) {
  EXPECT_EQ(offsetof(contract::Segment, header), 0u);
  EXPECT_EQ(offsetof(contract::Header, identity), 0u);
  EXPECT_EQ(offsetof(contract::SegmentIdentity, magic), 0u);
  EXPECT_EQ(offsetof(contract::SegmentIdentity, version), 4u);
  EXPECT_EQ(offsetof(contract::SegmentIdentity, segment_size), 8u);
  EXPECT_EQ(offsetof(contract::SegmentIdentity, table_hash), 16u);
  EXPECT_EQ(offsetof(contract::SegmentIdentity, refusals), 24u);
}

TEST(Layout, ThreadRecords_OwnPages) {
  EXPECT_EQ(sizeof(contract::ThreadRecord), 4096u);
  EXPECT_EQ(offsetof(contract::Segment, threads) % 4096, 0u);
  EXPECT_EQ(offsetof(contract::Segment, open_ended),
            offsetof(contract::Segment, threads) + contract::kThreadCapacity * size_t{4096});
}

TEST(Layout, RingEnds_OwnCacheLines) {
  EXPECT_EQ(offsetof(contract::Header, ring_head) % 64, 0u);
  EXPECT_EQ(offsetof(contract::Header, ring_tail) % 64, 0u);
  EXPECT_NE(offsetof(contract::Header, ring_head) / 64, offsetof(contract::Header, ring_tail) / 64);
  EXPECT_EQ(offsetof(contract::Segment, ring) % 64, 0u);
}

TEST(Layout, Magic_NameLetters) {
  const uint32_t magic = contract::kMagic;
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(&magic), 4), "TLBK");
}

TEST(Table, FirstEntry_NoCall) {
  EXPECT_EQ(static_cast<uint32_t>(Function::kNone), 0u);
  EXPECT_STREQ(kFunctions[0].name, "");
  EXPECT_EQ(kFunctions[0].family, Family::kNone);
}

void expect_facts(Function function, const char* name, Family family, const char* roles,
                  Traits traits, Recording recording) {
  const FunctionFacts& facts = kFunctions[static_cast<uint32_t>(function)];
  EXPECT_STREQ(facts.name, name);
  EXPECT_EQ(facts.family, family) << name;
  EXPECT_STREQ(facts.roles, roles) << name;
  EXPECT_EQ(facts.traits, traits) << name;
  EXPECT_EQ(facts.recording, recording) << name;
}

TEST(Table, Facts_AtFunctionIndex) {
  using namespace intercept;
#define EACH(name, family, traits, roles, recording) \
  expect_facts(Function::name, #name, Family::family, roles, (traits), Recording::recording);
#include "instrument/contract/each_intercept.inc"
}

TEST(Table, Names_UniqueNotEmpty) {
  std::set<std::string> names;
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    EXPECT_STRNE(kFunctions[i].name, "") << i;
    EXPECT_TRUE(names.insert(kFunctions[i].name).second) << kFunctions[i].name;
    EXPECT_NE(kFunctions[i].family, Family::kNone) << kFunctions[i].name;
  }
  EXPECT_GT(names.size(), 500u);
}

struct RoleWord {
  std::string name;
  std::string kind;
  bool is_object = false;
};

// Roles as the table's heading describes them. Fails the test on a word that is no role.
std::vector<RoleWord> words_of(const FunctionFacts& facts) {
  std::vector<RoleWord> words;
  std::string_view rest = facts.roles;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t colon = word.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      ADD_FAILURE() << facts.name << ": no role: \"" << word << '"';
      continue;
    }
    RoleWord role{std::string(word.substr(0, colon)), std::string(word.substr(colon + 1))};
    role.is_object = role.kind.starts_with('*');
    if (role.is_object) role.kind.erase(0, 1);
    words.push_back(role);
  }
  return words;
}

TEST(Table, Roles_KnownKinds) {
  const std::set<std::string> kinds = {
      "-",        "address", "barrier", "clockend", "cnd",     "cond",   "condend", "deadline",
      "dir",      "dirfd",   "fcntl",   "fd",       "fds",     "flags",  "flockop", "int",
      "mode",     "mqd",     "ms",      "msgq",     "mtx",     "mutex",  "once",    "path",
      "pid",      "pollfds", "rwlock",  "s",        "sem",     "semid",  "size",    "sleep",
      "sockaddr", "spin",    "stream",  "text",     "futexop", "idtype", "lockfop", "thread",
      "time",     "us",      "stdin",   "stdout",   "stderr"};
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    for (const RoleWord& role : words_of(kFunctions[i])) {
      EXPECT_TRUE(kinds.contains(role.kind)) << kFunctions[i].name << ": " << role.kind;
    }
  }
}

TEST(Table, Roles_FitRecordDistinctNames) {
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    const std::vector<RoleWord> roles = words_of(kFunctions[i]);
    EXPECT_LE(roles.size(), contract::kArguments) << kFunctions[i].name;
    std::set<std::string> names;
    for (const RoleWord& role : roles) {
      EXPECT_TRUE(names.insert(role.name).second) << kFunctions[i].name << ": " << role.name;
    }
  }
}

bool names_something(const std::string& kind) {
  return kind == "fd" || kind == "path" || kind == "stream" || kind == "dir" || kind == "mqd" ||
         kind == "sockaddr";
}

TEST(Table, ObjectRole_AtMostOneAndShown) {
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    int objects = 0;
    for (const RoleWord& role : words_of(kFunctions[i])) {
      if (!role.is_object) continue;
      ++objects;
      EXPECT_NE(role.kind, "-") << kFunctions[i].name;
    }
    EXPECT_LE(objects, 1) << kFunctions[i].name;
    const Family family = kFunctions[i].family;
    if (static_cast<Function>(i) == Function::tailback_wait) continue;  // on what, nobody knows
    bool must_have =
        family == Family::kEvents || family == Family::kLock || family == Family::kWait;
    for (const RoleWord& role : words_of(kFunctions[i])) must_have |= names_something(role.kind);
    if (must_have) {
      EXPECT_EQ(objects, 1) << kFunctions[i].name;
    }
  }
}

// Some kinds are read together with a neighbour.
TEST(Table, PairedRoles_HaveNeighbour) {
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    const std::vector<RoleWord> roles = words_of(kFunctions[i]);
    for (size_t at = 0; at < roles.size(); ++at) {
      const std::string& kind = roles[at].kind;
      const char* name = kFunctions[i].name;
      if (kind == "sockaddr") {
        ASSERT_LT(at + 1, roles.size()) << name;
        EXPECT_EQ(roles[at + 1].name, "length") << name;
      } else if (kind == "pollfds") {
        ASSERT_LT(at + 1, roles.size()) << name;
        EXPECT_EQ(roles[at + 1].kind, "size") << name;
      } else if (kind == "fds") {
        EXPECT_EQ(roles.front().name, "nfds") << name;
      } else if (kind == "sleep") {
        ASSERT_GE(at, 2u) << name;
        EXPECT_EQ(roles[at - 1].kind, "flags") << name;
        EXPECT_EQ(roles[at - 2].name, "clock") << name;
      } else if (kind == "clockend") {
        ASSERT_GE(at, 1u) << name;
        EXPECT_EQ(roles[at - 1].name, "clock") << name;
      }
    }
  }
}

}  // namespace
}  // namespace tailback

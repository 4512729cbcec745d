// The traits of the intercept table: each holds for whole families of functions.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "instrument/contract/intercepts.h"
#include "instrument/contract/table_hash.h"

namespace tailback {
namespace {

using intercept::Family;
using intercept::FunctionFacts;
using intercept::kFunctions;
using intercept::Recording;

std::vector<const FunctionFacts*> all_functions() {
  std::vector<const FunctionFacts*> all;
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) all.push_back(&kFunctions[i]);
  return all;
}

const FunctionFacts* find(std::string_view name) {
  for (const FunctionFacts* facts : all_functions()) {
    if (name == facts->name) return facts;
  }
  return nullptr;
}

const FunctionFacts& function(std::string_view name) {
  const FunctionFacts* facts = find(name);
  if (!facts) ADD_FAILURE() << name << " is not in the table";
  return facts ? *facts : kFunctions[0];
}

// Whether any role of the function is of one of these kinds.
bool has_kind(const FunctionFacts& facts, std::set<std::string_view> kinds) {
  std::string_view rest = facts.roles;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    std::string_view kind = word.substr(word.find(':') + 1);
    if (kind.starts_with('*')) kind.remove_prefix(1);
    if (kinds.contains(kind)) return true;
  }
  return false;
}

TEST(TableTraits, FunctionWithATimeLimit_IsNotUntimed) {
  for (const FunctionFacts* facts : all_functions()) {
    const std::string_view name = facts->name;
    const bool by_name =
        name.find("timed") != std::string_view::npos || name.find("clock") == name.size();
    if (by_name || has_kind(*facts, {"time", "deadline", "clockend", "condend", "ms", "sleep"})) {
      EXPECT_FALSE(facts->has(intercept::kUntimed)) << name;
    }
  }
}

// But for spin locks, which do not sleep.
TEST(TableTraits, LockOperationWithoutATimeLimit_IsUntimed) {
  for (const FunctionFacts* facts : all_functions()) {
    if (facts->family != Family::kLock || facts->recording == Recording::kNever) continue;
    const bool has_limit = has_kind(*facts, {"deadline", "clockend"});
    const bool sleeps = !intercept::object_is(*facts, "spin");
    EXPECT_EQ(facts->has(intercept::kUntimed), !has_limit && sleeps) << facts->name;
  }
}

TEST(TableTraits, UntimedFunction_BlocksAndWaitsForALockOrAThread) {
  for (const FunctionFacts* facts : all_functions()) {
    if (!facts->has(intercept::kUntimed)) continue;
    EXPECT_TRUE(facts->has(intercept::kBlocks)) << facts->name;
    EXPECT_TRUE(facts->family == Family::kLock || facts->family == Family::kWait) << facts->name;
  }
}

TEST(TableTraits, FunctionThatIsNeverRecorded_HasNone) {
  for (const FunctionFacts* facts : all_functions()) {
    if (facts->recording != Recording::kNever) continue;
    EXPECT_EQ(facts->traits, intercept::kPlain) << facts->name;
  }
}

TEST(TableTraits, FunctionThatLocksFiles_HasACommandThatSaysHow) {
  for (const FunctionFacts* facts : all_functions()) {
    EXPECT_EQ(facts->has(intercept::kLocksFile), has_kind(*facts, {"flockop", "lockfop", "fcntl"}))
        << facts->name;
  }
}

TEST(TableTraits, WaitsOfTheseFamilies_AllBlock) {
  for (const FunctionFacts* facts : all_functions()) {
    switch (facts->family) {
      case Family::kEvents:
      case Family::kSleep:
      case Family::kSignal:
      case Family::kIpc:
        EXPECT_TRUE(facts->has(intercept::kBlocks)) << facts->name;
        break;
      case Family::kLock:
        EXPECT_EQ(facts->has(intercept::kBlocks), facts->recording != Recording::kNever)
            << facts->name;
        break;
      default:
        break;
    }
  }
}

TEST(TableTraits, NonEventWait_IsAReadOrASignalWait) {
  std::set<std::string_view> names;
  for (const FunctionFacts* facts : all_functions()) {
    if (!facts->has(intercept::kNonEventWait)) continue;
    names.insert(facts->name);
    EXPECT_NE(facts->family, Family::kEvents) << facts->name;
    EXPECT_TRUE(facts->has(intercept::kBlocks)) << facts->name;
    EXPECT_TRUE(facts->family == Family::kSignal || intercept::takes_descriptor(*facts))
        << facts->name;
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"read", "__read_chk", "eventfd_read", "sigwait",
                                               "sigwaitinfo", "sigtimedwait"}));
}

// Of a stream only what moves data waits for the other end of a pipe or a terminal.
TEST(TableTraits, StreamFunctionThatMovesData_Blocks) {
  for (const char* name : {"fgetc",
                           "fgetc_unlocked",
                           "getc",
                           "getc_unlocked",
                           "_IO_getc",
                           "fputc",
                           "putc",
                           "putc_unlocked",
                           "getchar",
                           "putchar",
                           "getchar_unlocked",
                           "fgets",
                           "fread",
                           "fwrite",
                           "fputs",
                           "puts",
                           "printf",
                           "fscanf",
                           "scanf",
                           "perror",
                           "getwchar",
                           "fputwc",
                           "fflush"}) {
    EXPECT_TRUE(function(name).has(intercept::kBlocks)) << name;
  }
  for (const char* name : {"fseek", "ftell", "rewind", "fgetpos", "fsetpos", "fclose"}) {
    EXPECT_FALSE(function(name).has(intercept::kBlocks)) << name;
  }
}

TEST(TableTraits, StreamFunctionThatMovesData_NamesItsStream) {
  for (const FunctionFacts* facts : all_functions()) {
    if (facts->family != Family::kFile || !facts->has(intercept::kBlocks)) continue;
    EXPECT_TRUE(has_kind(*facts, {"fd", "stream", "path", "stdin", "stdout", "stderr"}))
        << facts->name;
  }
}

TEST(TableTraits, WorkOnAFilesName_DoesNotBlock) {
  for (const char* name : {"stat", "fstat", "rename", "fsync", "close", "ftruncate", "tcsetattr",
                           "ttyname", "fchmod", "readdir"}) {
    EXPECT_FALSE(function(name).has(intercept::kBlocks)) << name;
  }
}

// The name that a variant's traits are those of: without underscores, fortification, the size of
// offsets, and the way in which a stream is locked.
std::string plain_name(std::string_view name) {
  if (name.starts_with("_IO_")) name.remove_prefix(4);
  while (name.starts_with('_')) name.remove_prefix(1);
  for (const std::string_view prefix : {"isoc99_", "isoc23_"}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  for (const std::string_view ending : {"_chk", "_unlocked", "64"}) {
    if (name.ends_with(ending)) name.remove_suffix(ending.size());
  }
  return std::string(name);
}

TEST(TableTraits, VariantOfAFunction_HasTheSameTraits) {
  size_t compared = 0;
  for (const FunctionFacts* facts : all_functions()) {
    const std::string name = plain_name(facts->name);
    const FunctionFacts* plain = find(name);
    if (!plain || plain == facts) continue;
    // Of the names of read() only these are wrapped as waits of a loop.
    const intercept::Traits ignored = name == "read" ? intercept::kNonEventWait : 0;
    EXPECT_EQ(facts->traits | ignored, plain->traits | ignored) << facts->name << ", " << name;
    EXPECT_EQ(facts->family, plain->family) << facts->name << ", " << name;
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(ObjectIs, KindOfTheMarkedRole_IsFound) {
  EXPECT_TRUE(intercept::object_is(function("pthread_mutex_lock"), "mutex"));
  EXPECT_TRUE(intercept::object_is(function("pthread_cond_wait"), "cond"));
  EXPECT_FALSE(intercept::object_is(function("pthread_cond_wait"), "mutex")) << "not marked";
  EXPECT_TRUE(intercept::object_is(function("sem_wait"), "sem"));
  EXPECT_FALSE(intercept::object_is(function("semop"), "sem")) << "a longer word";
  EXPECT_FALSE(intercept::object_is(function("pthread_cond_wait"), "con")) << "a shorter word";
  EXPECT_FALSE(intercept::object_is(kFunctions[0], "fd"));
}

TEST(TakesDescriptor, FirstArgument_Decides) {
  EXPECT_TRUE(intercept::takes_descriptor(function("read")));
  EXPECT_TRUE(intercept::takes_descriptor(function("connect"))) << "not the object";
  EXPECT_FALSE(intercept::takes_descriptor(function("__fxstat"))) << "the second argument";
  EXPECT_FALSE(intercept::takes_descriptor(function("openat"))) << "dirfd";
  EXPECT_FALSE(intercept::takes_descriptor(function("sync")));
}

TEST(TableHash, EachColumn_ChangesIt) {
  using contract::hash_of_table;
  const FunctionFacts line = {"read", Family::kFile, Recording::kAlways, intercept::kBlocks,
                              "fd:*fd"};
  const auto hash = [](FunctionFacts facts) {
    const FunctionFacts table[] = {facts};
    return hash_of_table(table);
  };
  EXPECT_EQ(hash(line), hash(line));
  std::set<uint64_t> hashes = {hash(line)};
  FunctionFacts other = line;
  other.name = "readv";
  hashes.insert(hash(other));
  other = line;
  other.family = Family::kSocket;
  hashes.insert(hash(other));
  other = line;
  other.recording = Recording::kNever;
  hashes.insert(hash(other));
  other = line;
  other.traits = intercept::kBlocks | intercept::kNonEventWait;
  hashes.insert(hash(other));
  other = line;
  other.roles = "fd:fd";
  hashes.insert(hash(other));
  EXPECT_EQ(hashes.size(), 6u);
}

TEST(TableHash, OrderOfTheLines_ChangesIt) {
  const FunctionFacts forward[] = {function("read"), function("write")};
  const FunctionFacts backward[] = {function("write"), function("read")};
  EXPECT_NE(contract::hash_of_table(forward), contract::hash_of_table(backward));
}

}  // namespace
}  // namespace tailback

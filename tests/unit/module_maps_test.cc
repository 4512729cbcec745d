// How old a module map may get.
#include "runtime/capture/module_maps.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tailback {
namespace {

TEST(ModuleMaps, KnownAddress_KeepsTheMap) {
  ModuleMaps maps;
  const auto first = maps.of(::getpid());
  const RemoteAddress here(reinterpret_cast<uint64_t>(&::getpid));
  EXPECT_EQ(maps.with(::getpid(), RemoteAddress()), first);
  EXPECT_NE(maps.with_code(::getpid(), here)->find(here), nullptr);
}

TEST(ModuleMaps, AddressMappedSince_IsFoundAtOnceAsCode) {
  ModuleMaps maps;
  maps.of(::getpid());
  void* const mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const RemoteAddress address(reinterpret_cast<uint64_t>(mapped));
  EXPECT_NE(maps.with_code(::getpid(), address)->find(address), nullptr);
  ::munmap(mapped, 4096);
}

TEST(ModuleMaps, EndedProcess_KeepsItsLastMapUntilItIsForgotten) {
  ModuleMaps maps;
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const size_t mappings = maps.of(child)->mappings().size();
  EXPECT_GT(mappings, 0u);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(maps.with_code(child, kNowhere)->mappings().size(), mappings);
  maps.forget(child);
  EXPECT_TRUE(maps.of(child)->mappings().empty());
}

}  // namespace
}  // namespace tailback

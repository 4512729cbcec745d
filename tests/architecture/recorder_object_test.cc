// What the built libtailback.so needs of others and offers to them: it is loaded into programs of
// all kinds, and whatever else it exported would take the place of the program's own.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "instrument/contract/intercepts.h"
#include "tests/architecture/shared_object.h"

namespace tailback {
namespace {

class RecorderObject : public ::testing::Test {
 protected:
  static const SharedObject& recorder() {
    static const SharedObject object(TAILBACK_RECORDER);
    return object;
  }
};

TEST_F(RecorderObject, Needed_LibcOnly) {
  EXPECT_EQ(recorder().needed, std::vector<std::string>{"libc.so.6"});
}

TEST_F(RecorderObject, Exports_EqualTable) {
  // Wrapped to follow what they do, without being calls that wait.
  std::set<std::string> expected = {"epoll_create",   "epoll_create1",  "prctl",
                                    "pthread_create", "sigaction",      "signal",
                                    "__sysv_signal",  "bsd_signal",     "sysv_signal",
                                    "ssignal",        "sigignore",      "sigset",
                                    "siginterrupt",   "thrd_create",    "eventfd",
                                    "signalfd",       "inotify_init",   "timerfd_create",
                                    "inotify_init1",  "io_uring_setup", "io_uring_queue_exit"};
  // What the annotation header calls, beside tailback_wait, which stands in the table.
  expected.insert({"tailback_allow_blocking", "tailback_coroutine", "tailback_mark_thread",
                   "tailback_name_iteration", "tailback_name_turn"});
  // What libtailback-free-hooks.so calls.
  expected.insert({"tailback_free", "tailback_realloc"});
  // What ThreadSanitizer calls, and what its pairing library does.
  expected.insert({"__tsan_on_report", "tailback_begin_finding", "tailback_end_finding"});
  for (uint32_t i = 1; i < intercept::kFunctionCount; ++i) {
    expected.insert(intercept::kFunctions[i].name);
  }
  std::set<std::string> exported;
  for (const DynamicSymbol& symbol : recorder().symbols) {
    if (symbol.defined && !symbol.names_version) exported.insert(symbol.name);
  }
  EXPECT_EQ(exported, expected);
}

// A weak or hidden definition might give way to the one that it is to stand before.
TEST_F(RecorderObject, Exports_StrongFunctions) {
  size_t count = 0;
  for (const DynamicSymbol& symbol : recorder().symbols) {
    if (!symbol.defined || symbol.names_version) continue;
    ++count;
    EXPECT_EQ(symbol.binding, STB_GLOBAL) << symbol.name;
    EXPECT_EQ(symbol.type, STT_FUNC) << symbol.name;
    EXPECT_EQ(symbol.visibility, STV_DEFAULT) << symbol.name;
  }
  EXPECT_GT(count, 500u);
}

TEST_F(RecorderObject, ThreadLocalData_InitialExec) {
  EXPECT_TRUE(recorder().flags & DF_STATIC_TLS);
  for (const DynamicSymbol& symbol : recorder().symbols) {
    EXPECT_NE(symbol.name, "__tls_get_addr");
  }
}

TEST_F(RecorderObject, Imports_NoAllocationLocksLookup) {
  const std::set<std::string> forbidden = {"malloc",          "calloc",
                                           "realloc",         "free",
                                           "dlsym",           "dlopen",
                                           "dlvsym",          "printf",
                                           "fprintf",         "pthread_mutex_lock",
                                           "syslog",          "abort",
                                           "__cxa_throw",     "_Znwm",
                                           "_ZdlPv",          "pthread_key_create",
                                           "getenv",          "exit",
                                           "__stack_chk_fail"};
  for (const DynamicSymbol& symbol : recorder().symbols) {
    if (!symbol.defined) {
      EXPECT_FALSE(forbidden.contains(symbol.name)) << symbol.name;
    }
  }
}

TEST_F(RecorderObject, Flags_BindNowNoDelete) {
  EXPECT_TRUE(recorder().flags & DF_BIND_NOW);
  EXPECT_TRUE(recorder().flags_1 & DF_1_NODELETE);
  EXPECT_FALSE(recorder().flags & DF_TEXTREL);
  EXPECT_FALSE(recorder().has_text_relocations);
}

// "GLIBC_2.34" → 234; nothing for other names (GLIBC_PRIVATE).
std::optional<int> glibc_version(const std::string& version) {
  int major = 0;
  int minor = 0;
  int end = 0;
  const int fields = std::sscanf(version.c_str(), "GLIBC_%d.%d%n", &major, &minor, &end);
  if (fields != 2 || major != 2 || minor > 99) return std::nullopt;
  return major * 100 + minor;
}

TEST_F(RecorderObject, Versions_Glibc234AndLater) {
  ASSERT_EQ(glibc_version("GLIBC_2.2.5"), 202);
  ASSERT_EQ(glibc_version("GLIBC_2.36"), 236);
  ASSERT_FALSE(glibc_version("GLIBC_PRIVATE"));
  EXPECT_FALSE(recorder().needed_versions.empty());
  for (const std::string& version : recorder().needed_versions) {
    const auto number = glibc_version(version);
    ASSERT_TRUE(number) << version;
    EXPECT_LE(*number, 234) << version;
  }
}

}  // namespace
}  // namespace tailback

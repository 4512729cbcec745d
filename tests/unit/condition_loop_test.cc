// Loops that wait on a condition: which threads are asked of, and which stacks are theirs.
#include "runtime/explain/condition_loop.h"

#include <gtest/gtest.h>

#include "runtime/loops/condition_loops.h"
#include "tests/unit/fake_stacks.h"

namespace tailback {
namespace {

ModuleMap map_of(const std::string& path, bool executable = true) {
  Mapping mapping;
  mapping.begin = RemoteAddress(0x1000);
  mapping.end = RemoteAddress(0x2000);
  mapping.executable = executable;
  mapping.path = path;
  return ModuleMap({mapping});
}

TEST(ConditionLoop, RuntimeMapped_Asked) {
  EXPECT_TRUE(may_have_condition_loop(map_of("/usr/lib/x86_64-linux-gnu/libtcl8.6.so")));
  EXPECT_TRUE(may_have_condition_loop(map_of("/usr/lib/R/site-library/later/libs/later.so")));
  EXPECT_FALSE(may_have_condition_loop(map_of("/usr/lib/x86_64-linux-gnu/libtcl8.6.so", false)));
  EXPECT_FALSE(may_have_condition_loop(map_of("/usr/lib/x86_64-linux-gnu/libc.so.6")));
}

TEST(ConditionLoop, WaitOfNotifier_Loop) {
  EXPECT_TRUE(is_condition_loop(stack_of(
      {"pthread_cond_timedwait", "Tcl_ConditionWait", "Tcl_WaitForEvent", "Tcl_DoOneEvent"})));
  EXPECT_TRUE(is_condition_loop(
      stack_of({"cnd_timedwait", "CallbackRegistry::wait(double, bool) const", "main"})));
}

TEST(ConditionLoop, OtherWait_NoLoop) {
  EXPECT_FALSE(is_condition_loop(stack_of({"pthread_cond_wait", "take_job", "main"})));
  EXPECT_FALSE(is_condition_loop({}));
}

}  // namespace
}  // namespace tailback

// Stacks for people: what is shown of them, and what is one line.
#include "runtime/report/stack_text.h"

#include <gtest/gtest.h>

#include <utility>

#include "report_samples.h"

namespace tailback {
namespace {

TEST(StackText, Folding_KeepsAroundCulprit) {
  std::vector<Frame> stack;
  const std::string libc = "/lib/libc-2.31.so";
  const std::string uv = "/usr/lib/libuv.so.1";
  stack.push_back(sample_frame("read", "", 0, libc, 1));
  for (int i = 0; i < 4; ++i) stack.push_back(sample_frame("uv_inner", "", 0, uv, 2));
  stack.push_back(sample_frame("uv_fs_read", "", 0, uv, 3));
  stack.push_back(sample_frame("load", "", 0, "/srv/app", 4));
  for (int i = 0; i < 5; ++i) stack.push_back(sample_frame("caller", "", 0, "/srv/app", 5));
  EXPECT_EQ(stack_text(stack, 6, {}, ""),
            "#0    read        libc-2.31.so+0x1\n"
            "     … 4 frames of libuv.so.1 …\n"
            "#5    uv_fs_read  libuv.so.1+0x3\n"
            "#6  > load        app+0x4\n"
            "#7    caller      app+0x5\n"
            "#8    caller      app+0x5\n"
            "#9    caller      app+0x5\n"
            "     … 2 frames of app …\n");
  // Nobody to blame.
  EXPECT_EQ(stack_text(stack, stack.size(), {}, ""),
            "#0    read      libc-2.31.so+0x1\n"
            "#1    uv_inner  libuv.so.1+0x2\n"
            "#2    uv_inner  libuv.so.1+0x2\n"
            "#3    uv_inner  libuv.so.1+0x2\n"
            "     … 8 frames: 2 of libuv.so.1, 6 of app …\n");
  EXPECT_EQ(stack_text({}, 0, {}, ""), "");
}

TEST(StackText, BundledLibraries_Folded) {
  const std::string tokio = "/usr/share/cargo/registry/tokio-1.24.2/src/runtime/task/core.rs";
  const std::vector<Frame> stack = {
      sample_frame("std::sys::unix::thread::Thread::sleep", "library/std/src/sys/unix/thread.rs",
                   224, "/srv/app", 1),
      sample_frame("std::thread::sleep", "library/std/src/thread/mod.rs", 840, "/srv/app", 2),
      sample_frame("app::load", "src/main.rs", 20, "/srv/app", 3),
      sample_frame("<core::future::GenFuture<T> as core::future::Future>::poll", "", 0, "/srv/app",
                   4),
      sample_frame("tokio::runtime::task::core::Core<T,S>::poll", tokio, 212, "/srv/app", 5),
      sample_frame("tokio::runtime::task::raw::poll", "src/runtime/task/raw.rs", 255, "/srv/app",
                   6),
      sample_frame("app::main", "src/main.rs", 94, "/srv/app", 7),
      sample_frame("std::rt::lang_start", "", 0, "/srv/app", 8),
      sample_frame("main", "", 0, "/srv/app", 9)};
  EXPECT_EQ(stack_text(stack, 2, {}, ""),
            "#0    std::sys::unix::thread::Thread::sleep  library/std/src/sys/unix/thread.rs:224\n"
            "#1    std::thread::sleep                     library/std/src/thread/mod.rs:840\n"
            "#2  > app::load                              src/main.rs:20\n"
            "     … 3 frames: 1 of std, 2 of tokio …\n"
            "#6    app::main                              src/main.rs:94\n"
            "#7    std::rt::lang_start                    app+0x8\n"
            "#8    main                                   app+0x9\n");
}

TEST(StackText, ManyModules_BiggestNamed) {
  std::vector<Frame> stack = {sample_frame("f", "", 0, "/srv/app", 1)};
  const std::pair<const char*, int> kRuns[] = {
      {"/a/one", 1}, {"/a/two", 2}, {"/a/six", 6}, {"/a/three", 3}};
  for (const auto& [module, count] : kRuns) {
    for (int i = 0; i < count; ++i) stack.push_back(sample_frame("", "", 0, module, 7));
  }
  EXPECT_EQ(stack_text(stack, 0, {}, ""),
            "#0  > f  app+0x1\n"
            "     … 12 frames: 6 of six, 3 of three, 3 of others …\n");
}

TEST(StackText, InlinedAndUnknownFrames_Shown) {
  Frame inlined = sample_frame("helper", "a.cc", 3, "/srv/app", 4);
  inlined.inlined = true;
  EXPECT_EQ(stack_text({inlined, sample_frame("", "", 0, "", 0x7f00)}, 0, {}, ""),
            "#0  > helper  a.cc:3 (inlined)\n"
            "#1    ?       0x7f00\n");
}

}  // namespace
}  // namespace tailback

// To which runtime a loop belongs, and what is said to its programmer.
#include "runtime/explain/advice.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/explain/advice_lines.h"

namespace tailback {
namespace {

Frame frame(const std::string& function, const std::string& module = "/srv/app") {
  Frame made;
  made.function = function;
  made.module = module;
  return made;
}

constexpr char kLib[] = "/usr/lib/x86_64-linux-gnu/";

Runtime by_stack(const std::vector<Frame>& stack) {
  return runtime_of(stack, true, {});
}
Runtime by_modules(const std::vector<std::string_view>& modules) {
  return runtime_of({}, false, modules);
}

TEST(RuntimeOf, LoopFunctions_Decide) {
  const std::string lib = kLib;
  const std::vector<std::pair<Frame, Runtime>> known = {
      {frame("uv_run", lib + "libuv.so.1.0.0"), Runtime::kLibuv},
      {frame("uv_run"), Runtime::kLibuv},  // linked in
      {frame("event_base_loop", lib + "libevent_core-2.1.so.7.0.1"), Runtime::kLibevent},
      {frame("ev_run", lib + "libev.so.4.0.0"), Runtime::kLibev},
      {frame("boost::asio::detail::scheduler::run(boost::system::error_code&)"), Runtime::kAsio},
      {frame("asio::io_context::run()"), Runtime::kAsio},
      {frame("g_main_loop_run", lib + "libglib-2.0.so.0.7400.6"), Runtime::kGlib},
      {frame("QEventLoop::exec(QFlags<QEventLoop::ProcessEventsFlag>)", lib + "libQt5Core.so.5"),
       Runtime::kQt},
      {frame("tokio::runtime::scheduler::current_thread::CoreGuard::block_on"), Runtime::kTokio},
      {frame("JavaCalls::call_helper", "/usr/lib/jvm/x/lib/server/libjvm.so"), Runtime::kJvm},
      {frame("node::Start", "/usr/bin/node"), Runtime::kNode},
      {frame("node::Start", lib + "libnode.so.108"), Runtime::kNode},
      {frame("Py_RunMain", "/usr/bin/python3.11"), Runtime::kPython},
      {frame("Py_RunMain", lib + "libpython3.11.so.1.0"), Runtime::kPython},
      {frame("ngx_process_events_and_timers", "/usr/sbin/nginx"), Runtime::kNginx},
      {frame("aeMain", "/usr/bin/redis-check-rdb"), Runtime::kRedis},
  };
  for (const auto& [outer, runtime] : known) {
    EXPECT_EQ(by_stack({frame("f"), outer, frame("main")}), runtime) << outer.function;
  }
}

TEST(RuntimeOf, SimilarNames_Unknown) {
  for (const char* module : {"/srv/python/node/app", "/usr/bin/node_exporter", "/opt/nginx/helper",
                             "/usr/bin/pythonic", "/srv/redis-server/tool"}) {
    EXPECT_EQ(by_stack({frame("main", module)}), Runtime::kNone) << module;
  }
  EXPECT_EQ(by_stack({frame("my_uv_run")}), Runtime::kNone);
}

TEST(RuntimeOf, SeveralMatches_MostSpecific) {
  EXPECT_EQ(by_stack({frame("f"), frame("g_main_context_dispatch"),
                      frame("QEventLoop::exec(int)", "/usr/lib/libQt5Core.so.5"), frame("main")}),
            Runtime::kQt);
  EXPECT_EQ(by_stack({frame("f"), frame("uv_run"), frame("main", "/usr/bin/node")}),
            Runtime::kNode);
}

TEST(RuntimeOf, AsyncioModule_Asyncio) {
  const std::vector<Frame> stack = {frame("Py_RunMain", "/usr/bin/python3.11")};
  EXPECT_EQ(runtime_of(stack, true, {"/usr/bin/python3.11"}), Runtime::kPython);
  EXPECT_EQ(runtime_of(stack, true, {"/usr/lib/python3.11/lib-dynload/_asyncio.cpython-311.so"}),
            Runtime::kAsyncio);
  std::vector<Frame> uvloop = stack;
  uvloop.insert(uvloop.begin(), frame("uv_run", "/venv/uvloop/loop.cpython-311.so"));
  EXPECT_EQ(runtime_of(uvloop, true, {"/venv/uvloop/loop.cpython-311.so"}), Runtime::kAsyncio);
}

TEST(RuntimeOf, PythonInToolkitLoop_Toolkit) {
  EXPECT_EQ(by_stack({frame("f", "/usr/bin/python3.11"), frame("g_main_loop_run"),
                      frame("Py_RunMain", "/usr/bin/python3.11")}),
            Runtime::kGlib);
}

TEST(RuntimeOf, LoadedLibraries_OnlyIfStackCut) {
  const std::vector<std::string_view> modules = {"/srv/app", "/usr/lib/libglib-2.0.so.0.7400.6"};
  EXPECT_EQ(runtime_of({frame("main")}, true, modules), Runtime::kNone);
  EXPECT_EQ(runtime_of({frame("f")}, false, modules), Runtime::kGlib);
  EXPECT_EQ(runtime_of({frame("uv_run")}, false, modules), Runtime::kLibuv);
}

TEST(RuntimeOf, SeveralLibrariesLoaded_Unknown) {
  EXPECT_EQ(by_modules({"/usr/lib/libuv.so.1", "/usr/lib/libev.so.4"}), Runtime::kNone);
  EXPECT_EQ(by_modules({"/usr/lib/libglib-2.0.so.0", "/usr/lib/libQt6Core.so.6"}), Runtime::kQt);
  EXPECT_EQ(by_modules({"/usr/lib/libuv.so.1", "/usr/lib/libglib-2.0.so.0", "/usr/bin/node"}),
            Runtime::kNode);
  EXPECT_EQ(by_modules({}), Runtime::kNone);
}

Stall stall_of(Cause cause, const std::string& call = "", const std::string& function = "f") {
  Stall stall;
  stall.cause = cause;
  if (!call.empty()) {
    stall.call = BlockedCall{};
    stall.call->function = call;
  }
  stall.stack = {frame(function)};
  return stall;
}

bool says(const Stall& stall, Runtime runtime, const std::string& words) {
  const std::string text = advice(stall, runtime);
  EXPECT_NE(text.find(words), std::string::npos) << text;
  return text.find(words) != std::string::npos;
}

TEST(Advice, EveryCauseAndRuntime_OneLine) {
  constexpr size_t kMostBytes = 200;  // what a report's line has room for
  for (size_t cause = 0; cause < kCauseWords.size(); ++cause) {
    for (size_t runtime = 0; runtime < kRuntimeWords.size(); ++runtime) {
      const std::string text =
          advice(stall_of(static_cast<Cause>(cause)), static_cast<Runtime>(runtime));
      const std::string pair =
          std::string(kCauseWords[cause]) + " in " + std::string(kRuntimeWords[runtime]);
      EXPECT_GT(text.size(), 20u) << pair;
      EXPECT_LT(text.size(), kMostBytes) << pair;
      EXPECT_EQ(text.find('\n'), std::string::npos) << pair;
      EXPECT_EQ(text.find("  "), std::string::npos) << pair;
    }
  }
}

TEST(Advice, Sleep_WordsOfRuntime) {
  const std::vector<std::pair<Runtime, std::string>> words = {
      {Runtime::kNone, "timerfd"},        {Runtime::kLibuv, "uv_timer_t"},
      {Runtime::kLibevent, "evtimer"},    {Runtime::kLibev, "ev_timer"},
      {Runtime::kAsio, "steady_timer"},   {Runtime::kGlib, "g_timeout_add"},
      {Runtime::kQt, "QTimer"},           {Runtime::kTokio, "tokio::time::sleep"},
      {Runtime::kJvm, "Thread.sleep"},    {Runtime::kNode, "setTimeout"},
      {Runtime::kPython, "callLater"},    {Runtime::kAsyncio, "await asyncio.sleep()"},
      {Runtime::kNginx, "ngx_add_timer"}, {Runtime::kRedis, "DEBUG SLEEP"}};
  ASSERT_EQ(words.size(), kRuntimeWords.size());
  for (const auto& [runtime, word] : words) {
    EXPECT_TRUE(says(stall_of(Cause::kSleep), runtime, word));
  }
}

TEST(Advice, Computing_RuntimesOwnThreads) {
  EXPECT_TRUE(says(stall_of(Cause::kCpu), Runtime::kLibuv, "uv_queue_work"));
  EXPECT_TRUE(says(stall_of(Cause::kCpu), Runtime::kTokio, "spawn_blocking"));
  EXPECT_TRUE(says(stall_of(Cause::kCpu), Runtime::kQt, "QtConcurrent"));
  EXPECT_TRUE(says(stall_of(Cause::kFile), Runtime::kAsyncio, "loop.run_in_executor"));
  EXPECT_TRUE(says(stall_of(Cause::kFile), Runtime::kNode, "fs.promises"));
  EXPECT_TRUE(says(stall_of(Cause::kFile), Runtime::kNginx, "aio threads"));
  EXPECT_TRUE(says(stall_of(Cause::kDns, "getaddrinfo"), Runtime::kAsyncio, "loop.getaddrinfo"));
}

TEST(Advice, KnownCall_MorePrecise) {
  EXPECT_TRUE(says(stall_of(Cause::kDns, "getpwnam_r"), Runtime::kAsyncio, "users and groups"));
  EXPECT_TRUE(says(stall_of(Cause::kWait, "sigwaitinfo"), Runtime::kLibuv, "uv_signal_t"));
  EXPECT_TRUE(says(stall_of(Cause::kWait, "pause"), Runtime::kNone, "signalfd"));
  EXPECT_TRUE(says(stall_of(Cause::kIpc, "write"), Runtime::kNode, "process.stdout"));
  EXPECT_TRUE(says(stall_of(Cause::kFile, "openat64"), Runtime::kNginx, "open_file_cache"));
  Stall log = stall_of(Cause::kFile, "write");
  log.call->object = "/var/log/nginx/access.log";
  EXPECT_TRUE(says(log, Runtime::kNginx, "access_log"));
}

TEST(Advice, OwnerInCall_MoveOutOfCriticalSection) {
  Stall stall = stall_of(Cause::kLock, "pthread_mutex_lock");
  LockOwner owner;
  owner.state = OwnerState::kBlocked;
  owner.lock.name = "cache_mutex";
  owner.call = BlockedCall{};
  owner.call->function = "fsync";
  stall.owners = {owner};
  const std::string end = " out of the critical section of cache_mutex";
  EXPECT_TRUE(says(stall, Runtime::kNone, "move the fsync" + end));
  // It waits for another lock, or for a thread.
  stall.owners[0].call->function = "futex";
  EXPECT_TRUE(says(stall, Runtime::kNone, "move the wait" + end));
}

TEST(Advice, KnownStack_MorePrecise) {
  EXPECT_TRUE(says(stall_of(Cause::kFile, "fsync", "rdbSave"), Runtime::kRedis, "BGSAVE"));
  EXPECT_TRUE(says(stall_of(Cause::kFile, "fdatasync"), Runtime::kRedis, "appendfsync"));
  EXPECT_TRUE(says(stall_of(Cause::kCpu, "", "evalGenericCommand"), Runtime::kRedis, "Lua"));
  EXPECT_TRUE(says(stall_of(Cause::kCpu, "", "keysCommand"), Runtime::kRedis, "SCAN"));
  EXPECT_TRUE(says(stall_of(Cause::kCpu, "", "delGenericCommand"), Runtime::kRedis, "lazyfree"));
  EXPECT_TRUE(says(stall_of(Cause::kCpu), Runtime::kRedis, "SLOWLOG"));
  EXPECT_TRUE(says(stall_of(Cause::kWait, "syscall", "SafepointMechanism::process(JavaThread*)"),
                   Runtime::kJvm, "-Xlog:safepoint"));
}

}  // namespace
}  // namespace tailback

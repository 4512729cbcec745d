// From a stack to a culprit, from a stall to its fingerprint.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "runtime/explain/cause.h"
#include "runtime/explain/culprit.h"
#include "runtime/explain/fingerprint.h"

namespace tailback {
namespace {

using std::chrono::milliseconds;

Frame frame(std::string function, std::string module, std::string file = {}) {
  Frame made;
  made.function = std::move(function);
  made.module = std::move(module);
  made.file = std::move(file);
  return made;
}

const std::string kLibc = "/lib/x86_64-linux-gnu/libc.so.6";
const std::string kLibstdcxx = "/lib/x86_64-linux-gnu/libstdc++.so.6";
const std::string kApp = "/srv/app";

TEST(FindCulprit, EmptyStack_None) {
  EXPECT_EQ(find_culprit({}), 0u);
}

TEST(FindCulprit, OnlySystemLibraries_None) {
  EXPECT_EQ(find_culprit({frame("read", kLibc), frame("start_thread", kLibc)}), 2u);
}

TEST(FindCulprit, OwnFrames_Innermost) {
  EXPECT_EQ(find_culprit({frame("clock_nanosleep", kLibc), frame("usleep", kLibc),
                          frame("on_request", kApp), frame("main", kApp)}),
            2u);
}

TEST(FindCulprit, InlinedStandardLibrary_Skipped) {
  EXPECT_EQ(
      find_culprit({frame("nanosleep", kLibc), frame("std::this_thread::sleep_for<long>(…)", kApp),
                    frame("void std::__invoke_impl<void, void (*)()>(…)", kApp),
                    frame("handler()", kApp, "/srv/src/app.cc")}),
      3u);
  EXPECT_EQ(
      find_culprit({frame("push", kApp, "/usr/include/c++/12/bits/stl_heap.h"),
                    frame("std::condition_variable::wait(…)", kLibstdcxx), frame("drain", kApp)}),
      2u);
}

TEST(FindCulprit, OtherCrates_Skipped) {
  const std::string registry = "/home/me/.cargo/registry/src/index.crates.io-6f17d22bba15001f/";
  EXPECT_EQ(find_culprit(
                {frame("<std::fs::File as std::io::Read>::read", kApp, "library/std/src/fs.rs"),
                 frame("rusqlite::Connection::open", kApp, registry + "rusqlite-0.29.0/src/lib.rs"),
                 frame("<tokio::runtime::task::Task<T> as core::future::Future>::poll", kApp),
                 frame("<app::Load as core::future::Future>::poll", kApp, "src/load.rs"),
                 frame("main", kApp)}),
            3u);
  // Nothing is said by a type that is only a parameter.
  EXPECT_EQ(find_culprit({frame("<&F as app::Handler>::call", kApp, "src/handler.rs")}), 0u);
}

TEST(FindCulprit, LockAndWaitFunctions_Skipped) {
  const std::string qt = "/usr/lib/libQt5Core.so.5.15.8";
  const std::string glib = "/usr/lib/libglib-2.0.so.0.7400.6";
  const Frame own = frame("(anonymous namespace)::store()", kApp, "/srv/src/store.cc");
  EXPECT_EQ(find_culprit({frame("QWaitCondition::wait(QMutex*, QDeadlineTimer)", qt), frame("", qt),
                          frame("QReadWriteLock::tryLockForWrite(int)", qt), own}),
            3u);
  EXPECT_EQ(find_culprit({frame("g_rw_lock_writer_lock", glib), own}), 1u);
  EXPECT_EQ(find_culprit({frame("AbslInternalPerThreadSemWait_debian3", "libabsl.so"), own}), 1u);
  EXPECT_EQ(find_culprit({frame("lock_api::mutex::Mutex<R,T>::lock", kApp), own}), 1u);
  // Other work of these libraries says more by its own name.
  EXPECT_EQ(find_culprit({frame("g_spawn_sync", glib), own}), 0u);
  EXPECT_EQ(find_culprit({frame("QFile::open(QFlags<QIODevice::OpenModeFlag>)", qt), own}), 0u);
}

TEST(FindCulprit, NameMentionsStd_Own) {
  EXPECT_EQ(find_culprit({frame("handle(std::string const&)", kApp), frame("main", kApp)}), 0u);
  EXPECT_EQ(find_culprit({frame("Cache<std::string>::load()", kApp), frame("main", kApp)}), 0u);
  EXPECT_EQ(find_culprit({frame("void copy<std::string>(int)", kApp), frame("main", kApp)}), 0u);
  EXPECT_EQ(find_culprit({frame("(anonymous namespace)::load()", kApp)}), 0u);
}

TEST(FindCulprit, OnlyNamelessFrame_LastResort) {
  EXPECT_EQ(find_culprit({frame("read", kLibc), frame("", kApp), frame("main", kApp)}), 2u);
  EXPECT_EQ(find_culprit({frame("read", kLibc), frame("", kApp), frame("start", kLibc)}), 1u);
  EXPECT_EQ(find_culprit({frame("read", kLibc), frame("", kApp), frame("_start", kApp)}), 1u);
}

TEST(Culprit, NamelessCallback_BlamedNotNamedLibrary) {
  const std::string libevent = "/usr/lib/x86_64-linux-gnu/libevent-2.1.so.7.0.1";
  const Frame read = frame("read", kLibc);
  const Frame loop = frame("event_base_loop", libevent);
  const Frame nameless = frame("", kApp);
  EXPECT_EQ(find_culprit({read, nameless, nameless, frame("", libevent), loop, nameless}), 1u);
  EXPECT_EQ(find_culprit({read, frame("evbuffer_read", libevent), nameless, loop}), 1u)
      << "who called it is not known better";
  EXPECT_EQ(find_culprit({read, nameless, frame("handle", kApp), loop}), 2u);
  EXPECT_EQ(find_culprit({read, frame("", "/usr/lib/plugin.so"), loop}), 2u);
  EXPECT_EQ(find_culprit({read, frame("", "[vdso]"), loop}), 2u);
  EXPECT_EQ(find_culprit({read, nameless, loop}, {{}, {kApp}}), 2u);
  EXPECT_EQ(find_culprit({read, nameless, loop}, {{"*/libevent-*"}, {}}), 2u);
}

TEST(FindCulprit, SimilarLibraryName_Own) {
  EXPECT_EQ(find_culprit({frame("f", "/usr/lib/libcurl.so.4")}), 0u);
  EXPECT_EQ(find_culprit({frame("f", "/opt/libc.so/app")}), 0u);
}

Frame python(std::string function, std::string file) {
  Frame result = frame(std::move(function), "", std::move(file));
  result.language = "python";
  return result;
}

TEST(Culprit, Python_ProgramsOwnFunction) {
  const Frame sleep = frame("clock_nanosleep", kLibc);
  const Frame eval = frame("time_sleep", "/usr/bin/python3.11");
  const Frame handler = python("Handler.get", "/srv/app/handlers.py");
  const Frame package = python("get", "/srv/venv/lib/python3.11/site-packages/requests/api.py");
  const Frame debian = python("get", "/usr/lib/python3/dist-packages/requests/api.py");
  const Frame standard = python("Handle._run", "/usr/lib/python3.11/asyncio/events.py");
  const Frame frozen = python("_find", "<frozen importlib._bootstrap>");
  const Frame archive = python("load", "/usr/lib/python311.zip/json/__init__.py");
  EXPECT_EQ(find_culprit({sleep, eval, handler, standard}), 2u);
  EXPECT_EQ(find_culprit({sleep, eval, package, debian, frozen, archive, standard, handler}), 7u);
  EXPECT_EQ(find_culprit({sleep, python("<module>", "<string>"), handler}), 1u);
  EXPECT_EQ(find_culprit({sleep, frame("native", "/srv/app/extension.so"), handler}), 2u);
  EXPECT_EQ(find_culprit({sleep, eval, standard, package}), 3u) << "nobody's own";
  EXPECT_EQ(find_culprit({sleep, eval, standard}), 2u);
}

TEST(Culprit, JavaScript_ProgramsOwnFunction) {
  const auto javascript = [](std::string function, std::string file) {
    Frame result = frame(std::move(function), "", std::move(file));
    result.language = "javascript";
    return result;
  };
  const Frame native = frame("node::fs::Read", "/usr/bin/node");
  const Frame standard = javascript("readFileSync", "node:fs");
  const Frame package = javascript("load", "/srv/node_modules/conf/index.js");
  const Frame handler = javascript("<anonymous>", "/srv/app.js");
  EXPECT_EQ(find_culprit({native, standard, package, handler}), 3u);
  EXPECT_EQ(find_culprit({native, javascript("run", ""), handler}), 1u) << "eval";
  EXPECT_EQ(find_culprit({native, standard, package, standard}), 2u) << "nobody's own";
  EXPECT_EQ(find_culprit({native, standard}), 1u);
  EXPECT_EQ(find_culprit({native, standard, package, handler}, {{"*/conf/*"}, {}}), 2u);
  const Frame main = javascript("main", "/srv/main.js");
  EXPECT_EQ(find_culprit({native, standard, handler, main}, {{}, {"/srv/app.js"}}), 3u);
}

TEST(Culprit, AppAndLibraryRules_Decide) {
  const Frame sleep = frame("clock_nanosleep", kLibc);
  const Frame native = frame("work", "/srv/app/extension.so");
  const Frame vendor = python("get", "/srv/app/vendor/http.py");
  const Frame handler = python("Handler.get", "/srv/app/handlers.py");
  const Frame package = python("get", "/srv/venv/lib/python3.11/site-packages/ours/api.py");
  const std::vector<Frame> stack = {sleep, native, package, vendor, handler};
  EXPECT_EQ(find_culprit(stack), 3u);
  EXPECT_EQ(find_culprit(stack, {{}, {"*/vendor/*"}}), 4u);
  EXPECT_EQ(find_culprit(stack, {{"*/site-packages/ours/*"}, {}}), 2u);
  EXPECT_EQ(find_culprit(stack, {{"*/extension.so"}, {}}), 1u);
  EXPECT_EQ(
      find_culprit({frame("f", "/srv/libours.so"), frame("main", kApp)}, {{}, {"*/libours.so"}}),
      1u);
  EXPECT_EQ(find_culprit({frame("f", kLibc), frame("main", kApp)}, {{kLibc}, {}}), 0u);
}

TEST(StripRecorder, RecorderFrames_OnlyInnerEndStripped) {
  const Frame own = frame("read", "/opt/lib/libtailback.so");
  std::vector<Frame> stack = {own, own, frame("handler", kApp), own, frame("main", kApp)};
  strip_recorder(stack);
  ASSERT_EQ(stack.size(), 3u);
  EXPECT_EQ(stack[0].function, "handler");
  EXPECT_EQ(stack[1], own);

  std::vector<Frame> nothing_else = {own};
  strip_recorder(nothing_else);
  EXPECT_TRUE(nothing_else.empty());

  std::vector<Frame> clean = {frame("handler", kApp)};
  strip_recorder(clean);
  EXPECT_EQ(clean.size(), 1u);
}

Stall sample_stall() {
  Stall stall;
  stall.cause = Cause::kFile;
  stall.call = BlockedCall{};
  stall.call->function = "fsync";
  stall.call->object = "/var/log/app.log";
  stall.stack = {frame("fsync", kLibc), frame("save()", kApp, "app.cc"), frame("", kApp),
                 frame("main", kApp)};
  stall.stack[2].offset = 0x1234;
  stall.culprit = 1;
  stall.process = "app";
  stall.loop.wait = "epoll_wait";
  return stall;
}

TEST(Fingerprint, Format_SixteenHexDigits) {
  const std::string print = fingerprint(sample_stall());
  EXPECT_EQ(print.size(), 16u);
  EXPECT_EQ(print.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(fingerprint(Stall{}).size(), 16u);
}

TEST(Fingerprint, OtherRunMachineBuild_Equal) {
  const std::string print = fingerprint(sample_stall());
  Stall other = sample_stall();
  other.id = 99;
  other.pid = 4;
  other.tid = 5;
  other.thread = "worker-3";
  other.duration = milliseconds(777);
  other.loop.fd = 12;
  other.call->object = "/var/log/other.log";
  other.call->arguments = {{"fd", "9", true}};
  other.samples = 17;
  other.limits = {{LimitKind::kObserverLate}};
  for (Frame& one : other.stack) one.line += 30;
  other.stack[1].offset = 0x9999;
  other.stack[1].module = "/home/somebody/build/app";
  other.stack[1].file = "/home/somebody/app.cc";
  // What is called below the culprit may differ from libc to libc.
  other.stack.insert(other.stack.begin(), frame("__internal_syscall", kLibc));
  other.culprit = 2;
  EXPECT_EQ(fingerprint(other), print);
}

TEST(Fingerprint, OtherCulprit_Differs) {
  std::set<std::string> prints = {fingerprint(sample_stall())};
  Stall other = sample_stall();
  other.cause = Cause::kSocket;
  EXPECT_TRUE(prints.insert(fingerprint(other)).second) << "cause";
  other = sample_stall();
  other.call->function = "fdatasync";
  EXPECT_TRUE(prints.insert(fingerprint(other)).second) << "call";
  other = sample_stall();
  other.stack[1].function = "load()";
  EXPECT_TRUE(prints.insert(fingerprint(other)).second) << "culprit";
  other = sample_stall();
  other.stack[3].function = "worker";
  EXPECT_TRUE(prints.insert(fingerprint(other)).second) << "caller";
  other = sample_stall();
  other.stack[2].offset = 0x5678;
  EXPECT_TRUE(prints.insert(fingerprint(other)).second) << "nameless caller";
  other = sample_stall();
  other.stack[1].module = "/srv/libplugin.so";
  EXPECT_TRUE(prints.insert(fingerprint(other)).second) << "module";
}

TEST(Fingerprint, GeneratedCode_AddressIgnored) {
  Stall stall = sample_stall();
  stall.stack[2] = frame("", "");
  stall.stack[2].offset = 0x7f0012345678;
  const std::string print = fingerprint(stall);
  stall.stack[2].offset = 0x7fab00000000;
  EXPECT_EQ(fingerprint(stall), print);
}

TEST(CauseWithinRuntime, Jvm_SleepAndLock) {
  const std::string jvm = "/usr/lib/jvm/java-17/lib/server/libjvm.so";
  const Frame park = frame("os::PlatformEvent::park(long)", jvm);
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {park, frame("JVM_Sleep", jvm)}), Cause::kSleep);
  EXPECT_EQ(
      cause_within_runtime(Cause::kWait, {park, frame("ObjectMonitor::enter(JavaThread*)", jvm)}),
      Cause::kLock);
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {park, frame("Unsafe_Park", jvm)}), Cause::kWait);
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {frame("JVM_Sleep", "/srv/app")}), Cause::kWait);
  EXPECT_EQ(cause_within_runtime(Cause::kFile, {frame("JVM_Sleep", jvm)}), Cause::kFile);
}

TEST(CauseWithinRuntime, FutexLock_Lock) {
  const Frame futex = frame("syscall", "/usr/lib/libc.so.6");
  for (const char* const lock : {"std::sys::unix::locks::futex_mutex::Mutex::lock_contended",
                                 "<std::sys::sync::mutex::futex::Mutex>::lock_contended",
                                 "parking_lot::raw_mutex::RawMutex::lock_slow",
                                 "absl::lts_20220623::Mutex::Lock()", "QBasicMutex::lockInternal()",
                                 "QReadWriteLock::tryLockForWrite(int)", "g_mutex_lock_slowpath"}) {
    EXPECT_EQ(cause_within_runtime(Cause::kWait, {futex, frame(lock, "/srv/app")}), Cause::kLock)
        << lock;
  }
  EXPECT_EQ(
      cause_within_runtime(Cause::kWait,
                           {futex, frame("absl::lts_20220623::CondVar::WaitCommon()", "/srv/app"),
                            frame("absl::lts_20220623::Mutex::Lock()", "/srv/app")}),
      Cause::kWait);
  EXPECT_EQ(cause_within_runtime(
                Cause::kWait,
                {futex, frame("std::sys::unix::locks::futex_condvar::Condvar::wait", "/srv/app")}),
            Cause::kWait);
}

TEST(CauseWithinRuntime, AbseilLockAndAwait_Lock) {
  const Frame slow =
      frame("absl::debian3::Mutex::LockSlow(absl::MuHowS const*, int)", "libabsl.so");
  const Frame nameless = frame("", "libabsl.so");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {nameless, slow, nameless}), Cause::kLock);
  const Frame when = frame("absl::debian3::Mutex::LockWhen(absl::Condition const&)", "libabsl.so");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {nameless, slow, when}), Cause::kWait);
  const Frame await = frame("absl::debian3::Mutex::AwaitCommon(absl::Condition)", "libabsl.so");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {nameless, await}), Cause::kWait);
  // To take the lock again after the condition was there is a wait for the lock.
  const Frame condition = frame("absl::debian3::CondVar::WaitCommon(absl::Mutex*)", "libabsl.so");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {slow, nameless, condition}), Cause::kLock);
}

TEST(CauseWithinRuntime, GlibMutex_Lock) {
  const Frame nameless = frame("", "/usr/lib/libglib-2.0.so.0.7400.6");
  const Frame own = frame("on_timeout", "/srv/app");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {nameless, own}), Cause::kLock);
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {frame("", "/srv/app"), own}), Cause::kWait);
  const Frame condition = frame("g_cond_wait", "/usr/lib/libglib-2.0.so.0.7400.6");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {condition, own}), Cause::kWait);
  const Frame join = frame("g_thread_join", "/usr/lib/libglib-2.0.so.0.7400.6");
  EXPECT_EQ(cause_within_runtime(Cause::kWait, {nameless, join, own}), Cause::kWait);
}

TEST(CauseWithinRuntime, LockOnOwnWord_Lock) {
  const Frame lock = frame("parking_lot::raw_mutex::RawMutex::lock_slow", "/srv/app");
  EXPECT_TRUE(waits_on_own_word({frame("syscall", kLibc), lock}));
  EXPECT_TRUE(waits_on_own_word({frame("parking_lot_core::parking_lot::park", "/srv/app"), lock}));
  EXPECT_TRUE(waits_on_own_word({frame("AbslInternalPerThreadSemWait_debian3", "libabsl.so")}));
  EXPECT_FALSE(waits_on_own_word({frame("QBasicMutex::lockInternal()", "libQt5Core.so.5")}));
  // Another lock, further in.
  EXPECT_FALSE(waits_on_own_word(
      {frame("std::sys::unix::locks::futex::Mutex::lock_contended", "/srv/app"),
       frame("app::Cache::load", "/srv/app"), frame("parking_lot::once::Once::call", "/srv/app")}));
  EXPECT_FALSE(waits_on_own_word({}));
}

TEST(Fingerprint, NoStack_LoopDistinguishes) {
  Stall stall = sample_stall();
  stall.stack.clear();
  stall.culprit = 0;
  Stall other = stall;
  EXPECT_EQ(fingerprint(other), fingerprint(stall));
  other.process = "other";
  EXPECT_NE(fingerprint(other), fingerprint(stall));
}

}  // namespace
}  // namespace tailback

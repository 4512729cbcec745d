// Values that the report tests share.
#pragma once

#include <cstdlib>
#include <ctime>
#include <string>

#include "runtime/report/wall_time.h"
#include "runtime/values/blocking_call.h"
#include "runtime/values/deadlock.h"
#include "runtime/values/note.h"
#include "runtime/values/session.h"
#include "runtime/values/stall.h"

namespace tailback {

// Times print in the local zone; the expected texts are in UTC.
inline void use_utc() {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}

inline WallTime sample_time() {
  return parse_rfc3339("2025-11-22T15:13:01.123+00:00").value();
}

inline Frame sample_frame(std::string function, std::string file, int line, std::string module,
                          uint64_t offset) {
  Frame frame;
  frame.function = std::move(function);
  frame.file = std::move(file);
  frame.line = line;
  frame.module = std::move(module);
  frame.offset = offset;
  return frame;
}

inline SessionStart sample_session() {
  SessionStart start;
  start.version = "0.1.0";
  start.time = sample_time();
  start.command = {"./server", "--port", "0"};
  start.pid = 4711;
  start.observer_pid = 4710;
  start.host = "box";
  start.threshold = std::chrono::milliseconds(100);
  return start;
}

inline Lock sample_lock(std::string name) {
  Lock lock;
  lock.kind = LockKind::kMutex;
  lock.type = "recursive";
  lock.name = std::move(name);
  lock.address = 0x55d0c0de;
  return lock;
}

inline LockOwner sample_owner() {
  LockOwner owner;
  owner.pid = 4711;
  owner.tid = 4715;
  owner.process = "server";
  owner.thread = "flusher";
  owner.state = OwnerState::kBlocked;
  owner.lock = sample_lock("cache_mutex");
  owner.call = BlockedCall{};
  owner.call->function = "fsync";
  owner.call->object = "/srv/data.aof";
  owner.stack = {sample_frame("flush_all", "store.cc", 88, "/srv/server", 0x88)};
  return owner;
}

// Two threads that took two locks in two orders.
inline Deadlock sample_deadlock() {
  Deadlock deadlock;
  deadlock.id = 1;
  deadlock.time = sample_time();
  deadlock.held = std::chrono::milliseconds(512);
  for (size_t i = 0; i < 2; ++i) {
    DeadlockedThread thread;
    thread.pid = 4711;
    thread.tid = 4720 + static_cast<int>(i);
    thread.process = "server";
    thread.thread = i == 0 ? "left" : "right";
    thread.call.function = "pthread_mutex_lock";
    thread.wants = sample_lock(i == 0 ? "lock_b" : "lock_a");
    thread.wants.address += i;
    thread.holds = {sample_lock(i == 0 ? "lock_a" : "lock_b")};
    thread.holds[0].address += 1 - i;
    thread.waits_for = {1 - i};
    thread.stack = {sample_frame("take_both", "server.cc", 12, "/srv/server", 0x12)};
    deadlock.threads.push_back(std::move(thread));
  }
  deadlock.advice = "take these locks in one order everywhere";
  deadlock.fingerprint = "0123456789abcdef";
  return deadlock;
}

// A server that sleeps in load_config, called from a callback of its loop.
inline Stall sample_sleep() {
  Stall stall;
  stall.id = 1;
  stall.begin = sample_time();
  stall.pid = 4711;
  stall.tid = 4713;
  stall.process = "server";
  stall.thread = "io-0";
  stall.loop = {"epoll_wait", 5};
  stall.duration = std::chrono::microseconds(400'123);
  stall.threshold = std::chrono::milliseconds(100);
  stall.cause = Cause::kSleep;
  stall.call = BlockedCall{
      "clock_nanosleep", {{"clock", "1", true}, {"request", "400 ms", false}}, "", true};
  const std::string libc = "/usr/lib/x86_64-linux-gnu/libc.so.6";
  const std::string server = "/opt/server/bin/server";
  stall.stack = {
      sample_frame("clock_nanosleep", "", 0, libc, 0xd5000),
      sample_frame("usleep", "", 0, libc, 0xd5100),
      sample_frame("load_config(char const*)", "src/config.cc", 42, server, 0x4f20),
      sample_frame("on_request", "src/server.cc", 88, server, 0x5000),
      sample_frame("dispatch", "src/loop.cc", 12, server, 0x5100),
      sample_frame("run_loop", "src/loop.cc", 30, server, 0x5200),
      sample_frame("worker", "src/main.cc", 70, server, 0x5300),
      sample_frame("start_thread", "", 0, libc, 0x89000),
      sample_frame("clone3", "", 0, libc, 0x109000),
  };
  stall.culprit = 2;
  stall.samples = 3;
  stall.pending_events = 12;
  stall.advice = "Use a timer of the loop instead of a sleep.";
  stall.fingerprint = "sleep-load_config";
  return stall;
}

// An iteration of many small calls in a Python program, without file names.
inline Stall sample_many() {
  Stall stall;
  stall.id = 7;
  stall.begin = sample_time();
  stall.pid = 4800;
  stall.tid = 4800;
  stall.process = "python3";
  stall.thread = "python3";
  stall.loop = {"poll", -1};
  stall.duration = std::chrono::milliseconds(163);
  stall.threshold = std::chrono::milliseconds(100);
  stall.cause = Cause::kMany;
  const std::string python = "/usr/bin/python3.11";
  stall.stack = {
      sample_frame("pread64", "", 0, "/usr/lib/x86_64-linux-gnu/libc.so.6", 0x1000),
      sample_frame("unixRead", "sqlite3.c", 38000, "/usr/lib/libsqlite3.so.0", 0x2000),
      sample_frame("_PyEval_EvalFrameDefault", "", 0, python, 0x3000),
      sample_frame("_PyFunction_Vectorcall", "", 0, python, 0x3100),
      sample_frame("_PyEval_EvalFrameDefault", "", 0, python, 0x3200),
      sample_frame("Py_RunMain", "", 0, python, 0x3300),
      sample_frame("", "", 0, "", 0x7f0000001000),
  };
  stall.stack_complete = false;
  stall.culprit = 1;
  stall.samples = 1;
  stall.contributors = {
      {"pread64", stall.stack[1], 20, std::chrono::milliseconds(150),
       std::chrono::microseconds(8200)},
      {"fsync", {}, 1, std::chrono::milliseconds(9), std::chrono::milliseconds(9)}};
  stall.spent = {true, std::chrono::milliseconds(4), std::chrono::microseconds(120),
                 std::chrono::milliseconds(159), 3};
  stall.stacks = {{stall.stack, 1, false, "pread64", 1, std::chrono::milliseconds(150)}};
  stall.spent.blocked = std::chrono::microseconds(158'880);
  stall.limits = {{LimitKind::kObserverLate, std::chrono::milliseconds(40)}};
  stall.advice = "Batch the calls, or move them to a worker thread.";
  stall.fingerprint = "many-unixRead";
  return stall;
}

inline Note sample_stop() {
  Note note;
  note.kind = NoteKind::kStopped;
  note.time = sample_time();
  note.length = std::chrono::milliseconds(1200);
  note.pid = 4711;
  note.tid = 4713;
  note.process = "server";
  note.thread = "io-0";
  return note;
}

inline BlockingCall sample_blocking_call() {
  BlockingCall blocking_call;
  blocking_call.state = BlockingCallState::kSum;
  blocking_call.count = 12;
  blocking_call.total = std::chrono::milliseconds(60);
  blocking_call.last = sample_time();
  Stall& longest = blocking_call.longest;
  longest = sample_sleep();
  longest.duration = std::chrono::microseconds(7500);
  // Of a stall only.
  longest.id = 0;
  longest.threshold = {};
  longest.samples = 0;
  longest.stacks.clear();
  longest.pending_events.reset();
  longest.contributors.clear();
  longest.spent = {};
  longest.limits.clear();
  return blocking_call;
}

inline LoopStatistics sample_loop() {
  LoopStatistics loop;
  loop.pid = 4711;
  loop.tid = 4713;
  loop.process = "server";
  loop.thread = "io-0";
  loop.loop = {"epoll_wait", 5};
  loop.iterations = 40123;
  loop.busy = std::chrono::seconds(3);
  loop.lifetime = std::chrono::seconds(10);
  loop.p50 = std::chrono::microseconds(12);
  loop.p90 = std::chrono::microseconds(100);
  loop.p99 = std::chrono::microseconds(3200);
  loop.p999 = std::chrono::milliseconds(90);
  loop.longest = std::chrono::microseconds(400'123);
  return loop;
}

inline SessionEnd sample_end() {
  SessionEnd end;
  end.time = sample_time() + std::chrono::seconds(10);
  end.duration = std::chrono::seconds(10);
  end.exit_status = 0;
  end.counts[RecordKind::kStall].reported = 2;
  end.stalled = std::chrono::microseconds(563'123);
  end.processes = 1;
  end.threads = 3;
  end.longest_pause = std::chrono::microseconds(250);
  end.loops = {sample_loop()};
  return end;
}

inline SessionStatus sample_status() {
  SessionStatus status;
  status.time = sample_time() + std::chrono::seconds(5);
  status.duration = std::chrono::seconds(5);
  status.stalls = 2;
  status.stalled = std::chrono::microseconds(563'123);
  status.processes = 1;
  status.threads = 3;
  status.loops = {sample_loop()};
  return status;
}

}  // namespace tailback

#include "runtime/explain/advice.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tailback {

namespace {

bool has_module(const Stall& stall, std::string_view part) {
  return std::any_of(stall.stack.begin(), stall.stack.end(), [&](const Frame& frame) {
    return file_name(frame.module).find(part) != std::string_view::npos;
  });
}

// Names of users and groups come from the same places as those of hosts (LDAP, NIS, sssd).
bool looks_up_account(const Stall& stall) {
  static constexpr std::array<std::string_view, 6> kPrefixes = {"getpw", "fgetpw",     "getgr",
                                                                "getsp", "initgroups", "getnetgr"};
  if (!stall.call) return false;
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return stall.call->function.starts_with(prefix);
  });
}

bool waits_for_signal(const Stall& stall) {
  if (!stall.call) return false;
  const std::string_view name = stall.call->function;
  return name == "pause" || name.find("sigwait") != std::string_view::npos ||
         name.find("sigsuspend") != std::string_view::npos ||
         name.find("sigtimedwait") != std::string_view::npos ||
         name.find("sigpause") != std::string_view::npos;
}

}  // namespace

std::string advice(const Stall& stall) {
  const bool python = has_module(stall, "python");
  const bool node = has_module(stall, "node");
  switch (stall.cause) {
    case Cause::kSleep:
      if (python)
        return "await asyncio.sleep(), or loop.call_later(), lets the loop go on meanwhile";
      if (node) return "setTimeout (or timers/promises) lets the loop go on meanwhile";
      return "let the loop wake you: a timer (timerfd, or the loop's own) in place of the sleep";
    case Cause::kFile:
      if (python) return "move the file access to a thread: await loop.run_in_executor(None, …)";
      if (node) return "use the asynchronous twin of the function (fs.promises) in place of …Sync";
      return "move the file access to a worker thread, or submit it through io_uring";
    case Cause::kSocket:
      if (python) return "use asyncio's streams (or an asynchronous client library) for this peer";
      return "make the descriptor non-blocking and wait for it in the loop";
    case Cause::kDns:
      if (looks_up_account(stall)) {
        return "look users and groups up once, at the start, or in a worker thread: a directory "
               "server may have to be asked";
      }
      if (python)
        return "await loop.getaddrinfo(), which asks in a thread, or an asynchronous resolver";
      return "use an asynchronous resolver (c-ares, getaddrinfo_a) or ask in a worker thread";
    case Cause::kProcess:
      if (python) return "use asyncio.create_subprocess_exec(), and await its wait()";
      if (node) return "use exec or spawn with a callback in place of execSync or spawnSync";
      return "let the loop tell you of the child's end (a pidfd or SIGCHLD in a signalfd)";
    case Cause::kIpc:
      return "use the non-blocking form (O_NONBLOCK, IPC_NOWAIT) and wait in the loop, or in a "
             "thread of its own; opening a FIFO waits for its other end unless O_NONBLOCK is given";
    case Cause::kLock:
      return "hold the lock for less time: no input, output or waiting while it is held; or hand "
             "the work to the thread that owns the data";
    case Cause::kGil:
      return "move the thread that computes to a process of its own, so that the interpreter's "
             "lock "
             "is free";
    case Cause::kWait:
      if (waits_for_signal(stall)) return "let the loop tell you of the signal: a signalfd";
      return "let the other thread post to the loop (an eventfd, or the loop's own post) in place "
             "of "
             "waiting for it";
    case Cause::kCpu:
      if (python) return "move the computation to a process pool: loop.run_in_executor(pool, …)";
      if (node)
        return "move the computation to a worker thread, or do it in parts with setImmediate";
      return "move the computation to a worker thread, or do it in parts between turns";
    case Cause::kStarved:
      return "the program was ready, the machine was not: fewer busy threads, more CPUs, or a "
             "higher "
             "priority for the loop";
    case Cause::kThrottled:
      return "the container's CPU quota was used up: raise it, or use fewer threads at once";
    case Cause::kFault:
      return "memory was paged in: keep it resident (mlock), or give the program more memory";
    case Cause::kStopped:
    case Cause::kSuspended:
      return "not the program's fault: it was stopped from outside";
    case Cause::kMany:
      return "no single call is long, their sum is: fewer, larger requests (a batch or a "
             "pipeline), "
             "or spread them over several turns";
    case Cause::kUnknown:
      return "record again with a lower threshold to see what the turn consists of";
  }
  return {};
}

}  // namespace tailback

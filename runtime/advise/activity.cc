#include "runtime/advise/activity.h"

#include <string_view>

#include "runtime/locks/lock_holders.h"
#include "runtime/loops/loop_model.h"

namespace tailback {

using intercept::Family;
using intercept::Function;

namespace {

bool is_listening(const CallDescription& call) {
  return call.call.object.find("(listening)") != std::string::npos;
}

bool reads_standard_input(const CallDescription& call) {
  const CallInProgress& source = call.source;
  if (call.call.function.find("read") == std::string::npos || source.arguments[0] != 0)
    return false;
  return call.cause != Cause::kFile || call.call.object.starts_with("/dev/");
}

// A wait that a thread with an event loop makes for that loop. A wait for one descriptor by poll
// may be a client library's.
bool is_loop_wait(const contract::ThreadRecord& record, const CallView& call,
                  uint64_t threshold_ticks) {
  if (!is_event_wait(call.function)) return false;
  const std::string_view name = intercept::kFunctions[static_cast<uint32_t>(call.function)].name;
  if (name.find("poll") == std::string_view::npos &&
      name.find("select") == std::string_view::npos) {
    return true;  // io_uring's, and what a program has marked
  }
  if (name.starts_with("epoll")) return true;
  if (name.find("poll") != std::string_view::npos && call.arguments[1] <= 1) return false;
  return !loops_among(view_sites(record), record, threshold_ticks).empty();
}

}  // namespace

Activity activity_of(const CallDescription& call) {
  switch (call.cause) {
    case Cause::kSleep:
      return Activity::kSleep;
    case Cause::kFile:
      return reads_standard_input(call) ? Activity::kIdle : Activity::kFile;
    case Cause::kSocket:
      if (is_listening(call)) return Activity::kIdle;
      return reads_standard_input(call) ? Activity::kIdle : Activity::kSocket;
    case Cause::kDns:
      return Activity::kDns;
    case Cause::kIpc:
      return reads_standard_input(call) ? Activity::kIdle : Activity::kIpc;
    case Cause::kLock:
      return Activity::kLock;
    case Cause::kGil:
      return Activity::kGil;
    case Cause::kProcess:
      return Activity::kProcess;
    case Cause::kPageFault:
      return Activity::kPageFault;
    case Cause::kWait:
      return Activity::kWait;
    default:
      return Activity::kUnknown;
  }
}

Activity activity_of(const contract::Segment& segment, const contract::ThreadRecord& record,
                     const CallView& call, uint64_t threshold_ticks) {
  if (is_loop_wait(record, call, threshold_ticks)) return Activity::kEvents;
  const intercept::FunctionFacts& facts =
      intercept::kFunctions[static_cast<uint32_t>(call.function)];
  if (facts.family == Family::kSignal) return Activity::kIdle;
  const int pid = record.pid.load(std::memory_order_relaxed);
  if (facts.family == Family::kLock && std::string_view(facts.name).starts_with("sem")) {
    // A semaphore that others than its takers post hands out work.
    const auto taker = semaphore_taker(segment, pid, RemoteAddress(call.arguments[0]));
    return taker && taker->is_owner ? Activity::kLock : Activity::kWait;
  }
  CallInProgress in_progress;
  in_progress.function = call.function;
  in_progress.arguments = call.arguments;
  return activity_of(describe_call(pid, in_progress));
}

}  // namespace tailback

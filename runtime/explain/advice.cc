#include "runtime/explain/advice.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "runtime/explain/advice_lines.h"
#include "runtime/explain/lock_advice.h"

namespace tailback {

namespace {

using Names = std::initializer_list<std::string_view>;

bool calls_one_of(const Stall& stall, Names beginnings) {
  return stall.call &&
         std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view name) { return stall.call->function.starts_with(name); });
}

bool stack_has_one_of(const Stall& stall, Names beginnings) {
  return std::any_of(stall.stack.begin(), stall.stack.end(), [&](const Frame& frame) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view name) { return frame.function.starts_with(name); });
  });
}

// Names of users and groups come from the same places as those of hosts (LDAP, NIS, sssd).
bool looks_up_account(const Stall& stall) {
  return calls_one_of(stall, {"getpw", "fgetpw", "getgr", "getsp", "initgroups", "getnetgr"});
}

bool waits_for_signal(const Stall& stall) {
  if (!stall.call) return false;
  const std::string_view name = stall.call->function;
  return name == "pause" || name.find("sigwait") != std::string_view::npos ||
         name.find("sigsuspend") != std::string_view::npos ||
         name.find("sigtimedwait") != std::string_view::npos ||
         name.find("sigpause") != std::string_view::npos;
}

// The functions that tell more than the cause does; empty if there are none.
std::string_view line_of_redis(const Stall& stall) {
  if (stall.cause == Cause::kFile && stack_has_one_of(stall, {"rdbSave"})) {
    return "BGSAVE in place of SAVE writes the dump in a child";
  }
  if (stall.cause != Cause::kCpu) return {};
  if (stack_has_one_of(
          stall, {"evalGenericCommand", "evalCommand", "scriptCall", "luaCall", "lua_pcall"})) {
    return "a Lua script holds all clients up until it ends: do less in it, over several calls";
  }
  if (stack_has_one_of(stall, {"keysCommand"})) {
    return "SCAN in place of KEYS goes through the keys in parts";
  }
  if (stack_has_one_of(stall, {"delCommand", "delGenericCommand"})) {
    return "UNLINK in place of DEL (or lazyfree-lazy-user-del yes) frees large values in another "
           "thread";
  }
  if (stack_has_one_of(stall, {"flushallCommand", "flushdbCommand"})) {
    return "FLUSHALL ASYNC and FLUSHDB ASYNC free the keys in another thread";
  }
  return {};
}

std::string_view line_of_nginx(const Stall& stall) {
  if (stall.cause != Cause::kFile || !stall.call) return {};
  if (stall.call->object.ends_with(".log")) {
    return "buffer= and flush= of access_log write many entries at once; a log can also go to "
           "syslog";
  }
  if (calls_one_of(stall, {"open", "stat", "fstat", "lstat"})) {
    return "open_file_cache keeps files open and remembers what stat() said; 'aio threads' does "
           "not cover open()";
  }
  return {};
}

std::string_view line_of_node(const Stall& stall) {
  const bool writes = calls_one_of(stall, {"write", "writev"});
  if (writes && (stall.cause == Cause::kIpc || stall.cause == Cause::kSocket)) {
    return "process.stdout and process.stderr write synchronously to pipes and terminals: log "
           "less, or from a worker thread";
  }
  return {};
}

std::string_view line_of_jvm(const Stall& stall) {
  if (stack_has_one_of(stall, {"SafepointMechanism::", "SafepointSynchronize::"})) {
    return "the JVM stopped all threads at a safepoint, mostly to collect garbage: "
           "-Xlog:safepoint,gc says why and for how long";
  }
  return {};
}

std::string_view special_line(const Stall& stall, Runtime runtime) {
  if (stall.cause == Cause::kDns && looks_up_account(stall)) {
    return "look users and groups up once, at the start, or in a worker thread: a directory server "
           "may have to be asked";
  }
  if (stall.cause == Cause::kWait && waits_for_signal(stall)) return signal_advice_line(runtime);
  switch (runtime) {
    case Runtime::kRedis:
      return line_of_redis(stall);
    case Runtime::kNginx:
      return line_of_nginx(stall);
    case Runtime::kNode:
      return line_of_node(stall);
    case Runtime::kJvm:
      return line_of_jvm(stall);
    default:
      return {};
  }
}

}  // namespace

std::string advice(const Stall& stall, Runtime runtime) {
  if (std::string text = lock_advice(stall); !text.empty()) return text;
  const std::string_view special = special_line(stall, runtime);
  return std::string(special.empty() ? advice_line(runtime, stall.cause) : special);
}

}  // namespace tailback

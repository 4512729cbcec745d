// The runtime that a loop belongs to: whose words its programmer understands.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "runtime/capture/module_map.h"
#include "runtime/values/stall.h"

namespace tailback {

enum class Runtime {
  kNone,  // epoll or poll by hand, or a runtime that is not known
  kLibuv,
  kLibevent,
  kLibev,
  kAsio,
  kGlib,
  kQt,
  kTokio,
  kJvm,
  kNode,
  kPython,   // any loop in Python but asyncio's
  kAsyncio,  // with uvloop too
  kNginx,
  kRedis,
};

inline constexpr std::array<std::string_view, 14> kRuntimeWords = {
    "none",  "libuv", "libevent", "libev",  "asio",    "glib",  "qt",
    "tokio", "jvm",   "node",     "python", "asyncio", "nginx", "redis"};
constexpr std::string_view word(Runtime runtime) {
  return kRuntimeWords[static_cast<size_t>(runtime)];
}

// Told by the loop's functions in the stack. Of several the most specific counts: Qt on GLib's loop
// is Qt, node on libuv is node. Only where the stack does not say, as it is cut short or missing,
// do the files count that the process has loaded (`modules`, paths), and of libraries only if there
// is just one: a program can have GLib loaded for its lists.
Runtime runtime_of(const std::vector<Frame>& stack, bool stack_complete,
                   const std::vector<std::string_view>& modules);

// The same of a stall.
Runtime runtime_of(const Stall& stall, const ModuleMap& modules);

}  // namespace tailback

#include "runtime/explain/runtime_of.h"

#include <algorithm>
#include <set>

#include "runtime/interpreters/languages.h"

namespace tailback {

namespace {

bool is_any_of(std::string_view name, const std::vector<std::string_view>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// kNone if there is no advice for that one.
Runtime runtime_named(std::string_view name) {
  const auto found = std::find(kRuntimeWords.begin(), kRuntimeWords.end(), name);
  return found != kRuntimeWords.end() ? static_cast<Runtime>(found - kRuntimeWords.begin())
                                      : Runtime::kNone;
}

// Languages and servers are told by their file, in the stack as in the process.
Runtime program_of(std::string_view path) {
  const std::string_view file = file_name(path);
  if (const Language* language = language_of_module(path)) return runtime_named(language->runtime);
  if (file.starts_with("libjvm.so")) return Runtime::kJvm;
  if (file == "nginx") return Runtime::kNginx;
  // The server may be a link to the program that checks its files.
  if (is_any_of(file, {"redis-server", "redis-check-rdb", "redis-check-aof", "valkey-server"})) {
    return Runtime::kRedis;
  }
  return Runtime::kNone;
}

Runtime library_of(std::string_view path) {
  const std::string_view file = file_name(path);
  if (file.starts_with("libQt5Core.so") || file.starts_with("libQt6Core.so")) return Runtime::kQt;
  if (file.starts_with("libglib-2.0.so")) return Runtime::kGlib;
  if (file.starts_with("libuv.so")) return Runtime::kLibuv;
  if (file.starts_with("libevent-") || file.starts_with("libevent_core-")) {
    return Runtime::kLibevent;
  }
  if (file.starts_with("libev.so")) return Runtime::kLibev;
  return Runtime::kNone;
}

// Frames of a library may be of anything that it does: only its loop's functions count.
Runtime loop_of(std::string_view function) {
  const std::string_view name = function.substr(0, function.find('('));
  if (is_any_of(name, {"QEventLoop::exec", "QEventLoop::processEvents", "QCoreApplication::exec",
                       "QThread::exec"})) {
    return Runtime::kQt;
  }
  if (is_any_of(name, {"g_main_loop_run", "g_main_context_iteration", "g_main_context_dispatch",
                       "g_application_run"})) {
    return Runtime::kGlib;
  }
  if (name == "uv_run") return Runtime::kLibuv;
  if (is_any_of(name, {"event_base_loop", "event_base_dispatch"})) return Runtime::kLibevent;
  if (name == "ev_run") return Runtime::kLibev;
  if (name.find("tokio::runtime::") != std::string_view::npos) return Runtime::kTokio;
  if (name.find("asio::detail::scheduler::") != std::string_view::npos ||
      name.find("asio::io_context::run") != std::string_view::npos) {
    return Runtime::kAsio;
  }
  return Runtime::kNone;
}

bool has_asyncio(const std::vector<std::string_view>& modules) {
  return std::any_of(modules.begin(), modules.end(), [](std::string_view path) {
    return file_name(path).starts_with("_asyncio.") ||
           path.find("/uvloop/") != std::string_view::npos;
  });
}

// The later one in the enum stands on the earlier.
Runtime runtime_in(const std::vector<Frame>& stack) {
  Runtime found = Runtime::kNone;
  for (const Frame& frame : stack) {
    found = std::max({found, program_of(frame.module), loop_of(frame.function)});
  }
  return found;
}

Runtime runtime_among(const std::vector<std::string_view>& modules) {
  Runtime program = Runtime::kNone;
  std::set<Runtime> libraries;
  for (const std::string_view path : modules) {
    program = std::max(program, program_of(path));
    libraries.insert(library_of(path));
  }
  libraries.erase(Runtime::kNone);
  if (libraries.contains(Runtime::kQt)) libraries.erase(Runtime::kGlib);  // which Qt itself loads
  if (program != Runtime::kNone) return program;
  return libraries.size() == 1 ? *libraries.begin() : Runtime::kNone;
}

}  // namespace

Runtime runtime_of(const std::vector<Frame>& stack, bool stack_complete,
                   const std::vector<std::string_view>& modules) {
  Runtime found = runtime_in(stack);
  if (found == Runtime::kPython) {
    // A toolkit's loop that calls Python serves that toolkit's events.
    for (const Frame& frame : stack) {
      const Runtime loop = loop_of(frame.function);
      if (loop == Runtime::kGlib || loop == Runtime::kQt) return loop;
    }
  }
  if (found == Runtime::kNone && !stack_complete) found = runtime_among(modules);
  if (found == Runtime::kPython && has_asyncio(modules)) return Runtime::kAsyncio;
  return found;
}

Runtime runtime_of(const Stall& stall, const ModuleMap& modules) {
  std::vector<std::string_view> paths;
  for (const Mapping& mapping : modules.mappings()) {
    if (mapping.is_file()) paths.push_back(mapping.path);
  }
  return runtime_of(stall.stack, stall.stack_complete && !stall.stack.empty(), paths);
}

}  // namespace tailback

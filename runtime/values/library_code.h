// Whose library a frame's function is of, where a library's code is compiled into the program's own
// file: templates, inlined functions, Rust's crates. Also the functions by which libraries lock and
// wait for threads, wherever they are: who calls them waits.
#pragma once

#include <cstddef>
#include <string_view>

#include "runtime/values/frame.h"

namespace tailback {

// The qualified name in a demangled signature, without what it returns. Of a Rust method,
// "<app::Task as core::future::Future>::poll", that begins with the type: "app::Task". Such a name
// says nothing where the type is a parameter or a reference.
constexpr std::string_view qualified_name(std::string_view function) {
  const bool is_method = function.starts_with('<');
  if (is_method) function.remove_prefix(1);
  const std::string_view head = function.substr(0, function.find_first_of("<("));
  if (!is_method) return head.substr(head.rfind(' ') + 1);
  const std::string_view type = head.substr(0, head.find(' '));
  return type.find("::") == std::string_view::npos ? std::string_view() : type;
}

// "tokio" of "…/registry/src/index.crates.io-6f17d22bba15001f/tokio-1.24.2/src/…", where cargo
// keeps the sources of other people's crates; else nothing.
constexpr std::string_view crate_of(std::string_view file) {
  constexpr std::string_view kRegistry = "/registry/";
  const size_t at = file.find(kRegistry);
  if (at == std::string_view::npos) return {};
  std::string_view rest = file.substr(at + kRegistry.size());
  if (rest.starts_with("src/")) {
    rest.remove_prefix(4);
    const size_t index = rest.find('/');
    if (index == std::string_view::npos) return {};
    rest.remove_prefix(index + 1);
  }
  const std::string_view folder = rest.substr(0, rest.find('/'));
  for (size_t i = 0; i + 1 < folder.size(); ++i) {
    if (folder[i] == '-' && folder[i + 1] >= '0' && folder[i + 1] <= '9') {
      return folder.substr(0, i);
    }
  }
  return folder;
}

// "std", "boost", "tokio", …; empty for what may be the program's own.
constexpr std::string_view library_of(const Frame& frame) {
  if (frame.language != "native") return {};
  struct Root {
    std::string_view prefix;
    std::string_view library;
  };
  constexpr Root kRoots[] = {{"std::", "std"},
                             {"core::", "std"},
                             {"alloc::", "std"},
                             {"__gnu_cxx::", "std"},
                             {"__cxxabiv1::", "std"},
                             {"__rust_", "std"},
                             {"boost::", "boost"},
                             {"boost_asio_", "boost"},
                             {"asio_execution_", "boost"},
                             {"tokio::", "tokio"},
                             {"mio::", "mio"},
                             {"futures_util::", "futures"},
                             {"futures_core::", "futures"},
                             {"parking_lot::", "parking_lot"},
                             {"parking_lot_core::", "parking_lot"},
                             {"lock_api::", "parking_lot"},
                             {"absl::", "absl"},
                             {"AbslInternal", "absl"},
                             {"g_mutex_lock", "GLib"},
                             {"g_rec_mutex_lock", "GLib"},
                             {"g_rw_lock_", "GLib"},
                             {"g_bit_lock", "GLib"},
                             {"g_cond_wait", "GLib"},
                             {"g_thread_join", "GLib"},
                             {"QBasicMutex::", "Qt"},
                             {"QMutex::", "Qt"},
                             {"QRecursiveMutex::", "Qt"},
                             {"QReadWriteLock::", "Qt"},
                             {"QSemaphore::", "Qt"},
                             {"QWaitCondition::", "Qt"},
                             {"QThread::wait", "Qt"}};
  const std::string_view name = qualified_name(frame.function);
  for (const Root& root : kRoots) {
    if (name.starts_with(root.prefix)) return root.library;
  }
  const std::string_view file = frame.file;
  if (const std::string_view crate = crate_of(file); !crate.empty()) return crate;
  constexpr std::string_view kBoost = "/include/boost/";
  if (file.find(kBoost) != std::string_view::npos) return "boost";
  const bool is_rust =
      file.ends_with(".rs") &&
      (file.starts_with("library/") || (file.find("/rustc") != std::string_view::npos &&
                                        file.find("/library/") != std::string_view::npos));
  if (is_rust || file.find("/include/c++/") != std::string_view::npos) return "std";
  return file.starts_with("/usr/include/") ? std::string_view("a library") : std::string_view();
}

}  // namespace tailback

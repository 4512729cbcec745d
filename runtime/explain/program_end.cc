#include "runtime/explain/program_end.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tailback {

namespace {

// Functions that are called once, when a program ends. Of C++ without what they take.
constexpr std::array<std::string_view, 20> kEnds = {
    // C
    "exit", "__run_exit_handlers", "_dl_fini", "quick_exit", "__cxa_finalize",
    // CPython
    "Py_FinalizeEx", "Py_Exit",
    // Node
    "node::TearDownOncePerProcess", "node::NodeMainInstance::~NodeMainInstance",
    "node::EmitProcessExit", "node::EmitProcessExitInternal", "node::FreeEnvironment",
    "node::FreeIsolateData", "node::Environment::Exit", "node::Environment::ExitEnv",
    "node::Environment::RunCleanup", "node::Environment::~Environment",
    "node::DefaultProcessExitHandler", "node::DefaultProcessExitHandlerInternal", "node::Stop"};

// Redis saves its data in its timer and then ends, or goes on if that fails.
constexpr std::array<std::string_view, 2> kEndsInLoop = {"prepareForShutdown", "finishShutdown"};

struct PythonEnd {
  std::string_view function;
  std::string_view file;
};

// Python's own functions that wait for what is left, and gunicorn's first process, which has left
// its loop for good and waits for its workers' ends.
constexpr std::array<PythonEnd, 6> kPythonEnds = {{{"_shutdown", "/threading.py"},
                                                   {"_python_exit", "/futures/thread.py"},
                                                   {"_python_exit", "/futures/process.py"},
                                                   {"_exit_function", "/multiprocessing/util.py"},
                                                   {"Arbiter.halt", "/gunicorn/arbiter.py"},
                                                   {"halt", "/gunicorn/arbiter.py"}}};

std::string_view name_of(const Frame& frame) {
  const std::string_view function = frame.function;
  return function.substr(0, function.find('('));
}

bool is_of_python_end(const Frame& frame) {
  return std::any_of(kPythonEnds.begin(), kPythonEnds.end(), [&](const PythonEnd& end) {
    return frame.function == end.function && frame.file.ends_with(end.file);
  });
}

bool contains(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<ProgramEnd> find_program_end(const std::vector<Frame>& stack) {
  for (size_t i = 0; i < stack.size(); ++i) {
    const Frame& frame = stack[i];
    if (frame.language == "python") {
      if (is_of_python_end(frame)) return ProgramEnd{i};
      continue;
    }
    const std::string_view name = name_of(frame);
    if (contains(kEnds, name)) return ProgramEnd{i};
    if (contains(kEndsInLoop, name)) return ProgramEnd{i, false};
  }
  return std::nullopt;
}

}  // namespace tailback

#include "runtime/explain/missing_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailback {
namespace {

bool is_unnamed(const Frame& frame) {
  return frame.module.empty() && frame.function.empty() && frame.language == "native";
}

bool is_java(const Frame& frame) {
  return frame.language == "java";
}

// As the JVM's own map names the code that runs methods which are not compiled.
bool is_java_interpreter(const Frame& frame) {
  return frame.module.empty() && frame.function == "Interpreter";
}

bool runs_java(const ModuleMap& modules) {
  return std::any_of(
      modules.mappings().begin(), modules.mappings().end(),
      [](const Mapping& mapping) { return file_name(mapping.path).starts_with("libjvm.so"); });
}

}  // namespace

std::string why_names_are_missing(int pid, const std::vector<Frame>& stack, bool stack_complete,
                                  const ModuleMap& modules, bool map_is_cut) {
  const auto any = [&](bool (*is)(const Frame&)) {
    return std::any_of(stack.begin(), stack.end(), is);
  };
  const bool lacks_names = any(is_unnamed) || !stack_complete;
  if (map_is_cut && any(is_unnamed)) {
    return fmt::format("/tmp/perf-{}.map is too long to be read to its end: some names are missing",
                       pid);
  }
  if (any(is_java) || !runs_java(modules)) return {};
  if (any(is_java_interpreter))
    return "Java methods that are not compiled yet have no names: they are the Interpreter's";
  if (!lacks_names) return {};
  return fmt::format(
      "Java's functions have no names here: jcmd {} Compiler.perfmap gives those that are compiled "
      "theirs (JDK 17 or later; start java with -XX:+PreserveFramePointer)",
      pid);
}

}  // namespace tailback

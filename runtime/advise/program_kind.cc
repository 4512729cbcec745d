#include "runtime/advise/program_kind.h"

#include <sched.h>

#include <algorithm>
#include <cctype>

namespace tailback {
namespace {

// "python3.11", "libpython3.11.so.1.0"; not "python-helper", not "libpython3.13t.so".
bool is_python(std::string_view name) {
  if (name.starts_with("lib")) name.remove_prefix(3);
  if (!name.starts_with("python") && !name.starts_with("pypy")) return false;
  name.remove_prefix(name.starts_with("python") ? 6 : 4);
  const size_t version = static_cast<size_t>(
      std::find_if_not(
          name.begin(), name.end(),
          [](char c) { return c == '.' || std::isdigit(static_cast<unsigned char>(c)); }) -
      name.begin());
  name.remove_prefix(version);
  return name.empty() || name.starts_with("so");
}

bool is_node(std::string_view name) {
  return name == "node" || name == "nodejs" || name.starts_with("libnode.so");
}

}  // namespace

Interpreter interpreter_of(const ModuleMap& modules) {
  for (const Mapping& mapping : modules.mappings()) {
    if (!mapping.is_file() || !mapping.executable) continue;
    const std::string_view name = file_name(mapping.path);
    if (is_python(name)) return Interpreter::kPython;
    if (is_node(name)) return Interpreter::kNode;
  }
  return Interpreter::kNone;
}

unsigned cpus_of(int pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(pid, sizeof set, &set) != 0) sched_getaffinity(0, sizeof set, &set);
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

}  // namespace tailback

#include "runtime/advise/program_kind.h"

#include <sched.h>

#include <algorithm>

#include "runtime/interpreters/languages.h"

namespace tailback {

std::string_view interpreter_of(const ModuleMap& modules) {
  for (const Mapping& mapping : modules.mappings()) {
    if (!mapping.is_file() || !mapping.executable) continue;
    const Language* const language = language_of_module(mapping.path);
    if (language != nullptr && language->runs_one_thread(mapping.path)) return language->runtime;
  }
  return "none";
}

unsigned cpus_of(int pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(pid, sizeof set, &set) != 0) sched_getaffinity(0, sizeof set, &set);
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

}  // namespace tailback

#include "runtime/launch/environment.h"

#include <string_view>

#include "instrument/contract/record_contract.h"

namespace tailback {

std::vector<std::string> target_environment(const char* const* environment,
                                            const std::string& recorder,
                                            const std::string& session) {
  constexpr std::string_view kPreload = "LD_PRELOAD=";
  const std::string session_prefix = std::string(contract::kSessionVariable) + "=";
  std::string preload = recorder;
  bool preload_seen = false;
  std::vector<std::string> result;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.substr(0, session_prefix.size()) == session_prefix) continue;
    if (entry.substr(0, kPreload.size()) != kPreload) {
      result.emplace_back(entry);
      continue;
    }
    // Of entries with the same name the loader takes the last, getenv(3) the first; there should
    // be one.
    if (preload_seen) continue;
    preload_seen = true;
    const std::string_view others = entry.substr(kPreload.size());
    const bool recorder_is_first =
        others.substr(0, recorder.size()) == recorder &&
        (others.size() == recorder.size() ||
         std::string_view(": ").find(others[recorder.size()]) != std::string_view::npos);
    if (recorder_is_first) {
      preload = others;
    } else if (!others.empty()) {
      preload += ":";
      preload += others;
    }
  }
  result.push_back(std::string(kPreload) + preload);
  result.push_back(session_prefix + session);
  return result;
}

void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value) {
  const std::string prefix = name + "=";
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(prefix); });
  environment.push_back(prefix + value);
}

}  // namespace tailback

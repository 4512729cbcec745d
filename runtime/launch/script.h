// The first line of a script: which interpreter the kernel would start for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailback {

struct Shebang {
  std::string interpreter;
  std::string argument;  // all that follows, as one argument: so the kernel passes it on
};

// `beginning`: the first bytes of the file; the kernel looks at 256. Nothing if the kernel would
// not take the file for a script.
std::optional<Shebang> parse_shebang(std::string_view beginning);

// What `env` would do, given the one argument of a `#!` line.
struct EnvArgument {
  std::string program;              // empty: none, or not to be told
  bool clears_environment = false;  // -i: LD_PRELOAD gets lost on the way
};
EnvArgument parse_env_argument(std::string_view argument);

}  // namespace tailback

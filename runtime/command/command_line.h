// Where tailback's own arguments end and the command to run begins.
#pragma once

#include <string>
#include <vector>

namespace tailback {

struct CommandLine {
  std::vector<std::string> own;  // up to the command, without tailback's name and the "--"
  // Of `tailback run` and `tailback advise`; whatever it holds is the command's.
  std::vector<std::string> command;
};

// `arguments` without tailback's name. The command begins after "--", or at the first argument of
// `run` or `advise` that is no option of ours.
CommandLine split_command_line(const std::vector<std::string>& arguments);

}  // namespace tailback

#include "runtime/command/command_line.h"

#include <algorithm>

#include "runtime/command/options.h"

namespace tailback {
namespace {

bool takes_next_as_value(const std::string& argument) {
  const auto table = observer_option_table();
  return std::any_of(table.begin(), table.end(), [&](const ObserverOption& option) {
    return option.is_called(argument) && !option.value_name.empty();
  });
}

}  // namespace

CommandLine split_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  auto next = arguments.begin();
  while (next != arguments.end()) {
    const bool after_run =
        !line.own.empty() && (line.own.front() == "run" || line.own.front() == "advise");
    const bool is_option = next->size() > 1 && next->front() == '-' && *next != "--";
    if (after_run && !is_option) break;
    line.own.push_back(*next++);
    if (after_run && takes_next_as_value(line.own.back()) && next != arguments.end()) {
      line.own.push_back(*next++);
    }
  }
  if (next != arguments.end() && *next == "--") ++next;
  line.command.assign(next, arguments.end());
  return line;
}

}  // namespace tailback

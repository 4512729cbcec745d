#include "runtime/command/help_markdown.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "runtime/command/options.h"

namespace tailback {
namespace {

// Within a cell of a table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("`{}`", cell(text));
}

std::string observer_rows() {
  std::string rows = "| option | variable | default | |\n|---|---|---|---|\n";
  for (const ObserverOption& option : observer_option_table()) {
    if (option.is_hidden) continue;
    const bool takes_value = !option.value_name.empty();
    const std::string flag =
        std::string(option.flag) + (takes_value ? " " : "") + std::string(option.value_name);
    rows += fmt::format("| {} | {} | {} | {} |\n", code(flag), code(option.variable),
                        takes_value ? code(option.default_value) : "", cell(option.help));
  }
  return rows;
}

bool is_of_observer(const CLI::Option& option) {
  const auto table = observer_option_table();
  return std::any_of(table.begin(), table.end(), [&](const ObserverOption& one) {
    return one.is_called("--" + option.get_single_name());
  });
}

}  // namespace

std::string help_markdown(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    text +=
        fmt::format("## tailback {}\n\n{}\n\n", command->get_name(), command->get_description());
    std::string rows;
    bool observes = false;
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_group().empty()) continue;
      if (is_of_observer(*option)) {
        observes = true;
        continue;
      }
      rows +=
          fmt::format("| {} | {} |\n", code(option->get_name()), cell(option->get_description()));
    }
    if (!rows.empty()) text += "| option | |\n|---|---|\n" + rows + "\n";
    if (observes) text += observer_rows() + "\n";
  }
  return text;
}

}  // namespace tailback

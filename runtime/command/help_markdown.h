// `tailback --help-markdown`: the options of every subcommand as tables for the documentation.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tailback {

// Subcommands and options that no help names are left out. Options of the observer have their
// variable and default.
std::string help_markdown(const CLI::App& app);

}  // namespace tailback

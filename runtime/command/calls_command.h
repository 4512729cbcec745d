// `tailback calls`: which functions the recorder intercepts, from the table itself.
#pragma once

#include <string>

namespace tailback {

// The list as a page of Markdown. instrument/CALLS.md is this text.
std::string calls_page();

int calls_command();

}  // namespace tailback

#include "runtime/launch/quoted_text.h"

#include "runtime/report/terminal_escape.h"

namespace tailback {

std::string quoted_text(std::string_view text) {
  constexpr size_t kColumns = 200;
  return "'" + escape_for_terminal(text, kColumns) + "'";
}

}  // namespace tailback

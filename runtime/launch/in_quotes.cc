#include "runtime/launch/in_quotes.h"

#include "runtime/report/printable.h"

namespace tailback {

std::string in_quotes(std::string_view text) {
  constexpr size_t kColumns = 200;
  return "'" + printable(text, kColumns) + "'";
}

}  // namespace tailback

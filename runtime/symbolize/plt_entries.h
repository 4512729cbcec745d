// Names for the entries of a module's procedure linkage table, which have no symbols: "read@plt".
#pragma once

#include <deque>
#include <string>

#include "runtime/symbolize/symbol_table.h"

namespace tailback {

// `names` takes the text of the names, which must live as long as the table is not finished.
void read_plt_entries(Elf* elf, SymbolTable& functions, std::deque<std::string>& names);

}  // namespace tailback

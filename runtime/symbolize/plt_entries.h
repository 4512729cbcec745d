// Names for the entries of a module's procedure linkage table, which have no symbols: "read@plt".
#pragma once

#include "runtime/symbolize/symbol_table.h"

namespace tailback {

void read_plt_entries(Elf* elf, SymbolTable& functions);

}  // namespace tailback

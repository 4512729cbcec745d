// The symbols of one module, of one kind, sorted by address. libdwfl's own look-up goes through the
// whole table each time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct Elf;

namespace tailback {

class SymbolTable {
 public:
  // Of several symbols at one address the one with the lowest rank names it. `name` must live until
  // finish().
  void add(uint64_t begin, uint64_t size, std::string_view name, uint32_t rank);
  // As add(), for a symbol of unknown size: it reaches to the next symbol, at most to `limit`.
  void add_open(uint64_t begin, uint64_t limit, std::string_view name, uint32_t rank);
  // To be called once, after the last add().
  void finish();

  struct Found {
    std::string_view name;  // as it stands in the file; lives as long as the table
    uint64_t offset = 0;    // of the address from the symbol's begin
  };
  std::optional<Found> find(uint64_t address) const;

  size_t size() const { return symbols_.size(); }

 private:
  struct Added {
    uint64_t begin;
    uint64_t size;
    std::string_view name;
    uint32_t rank;
    bool open;
  };
  struct Symbol {
    uint64_t begin;
    uint64_t size;
    uint32_t name;  // offset into names_
    uint32_t name_size;
  };

  std::vector<Added> added_;
  std::vector<Symbol> symbols_;
  std::string names_;
};

// Adds the symbols of an ELF file's .symtab and .dynsym: functions to the one table, variables to
// the other. The names stay in the file's memory.
void read_symbols(Elf* elf, SymbolTable& functions, SymbolTable& variables);

}  // namespace tailback

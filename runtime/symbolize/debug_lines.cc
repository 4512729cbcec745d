#include "runtime/symbolize/debug_lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <unordered_map>
#include <utility>

#include "runtime/symbolize/debug_sections.h"

namespace tailback {
namespace {

constexpr size_t kDeepestScope = 256;
constexpr size_t kMostUnits = 256;

std::string text_of(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(&die, name, &attribute) == nullptr) return {};
  const char* text = dwarf_formstring(&attribute);
  return text != nullptr ? text : "";
}

// Namespaces and types can hold functions, though they have no addresses of their own.
bool may_hold_functions(int tag) {
  switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
      return true;
    default:
      return false;
  }
}

// Where the function is declared: a concrete or inlined instance leads there.
Dwarf_Die declaration_of(Dwarf_Die die) {
  for (int step = 0; step < 4; ++step) {
    Dwarf_Attribute attribute;
    Dwarf_Die next;
    if ((dwarf_attr(&die, DW_AT_abstract_origin, &attribute) == nullptr &&
         dwarf_attr(&die, DW_AT_specification, &attribute) == nullptr) ||
        dwarf_formref_die(&attribute, &next) == nullptr)
      break;
    die = next;
  }
  return die;
}

// The namespaces, types and functions around a declaration, outermost first, each with "::".
std::string scope_of(Dwarf_Die declaration) {
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes_die(&declaration, &scopes);
  std::string text;
  for (int i = count - 1; i > 0; --i) {
    const int tag = dwarf_tag(&scopes[i]);
    const char* name = dwarf_diename(&scopes[i]);
    if (tag != DW_TAG_subprogram && !may_hold_functions(tag)) continue;
    if (name == nullptr && tag == DW_TAG_namespace) name = "(anonymous namespace)";
    if (name != nullptr) text.append(name).append("::");
  }
  if (count > 0) std::free(scopes);
  return text;
}

std::string function_name(Dwarf_Die& die, bool has_scopes) {
  for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    std::string text = text_of(die, attribute);
    if (!text.empty()) return text;
  }
  std::string name = text_of(die, DW_AT_name);
  if (name.empty() || !has_scopes) return name;
  // A function that is inlined everywhere has no linkage name.
  return scope_of(declaration_of(die)) + name;
}

bool is_plain_c(Dwarf_Die& unit) {
  switch (dwarf_srclang(&unit)) {
    case DW_LANG_C:
    case DW_LANG_C89:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case DW_LANG_Mips_Assembler:
      return true;
    default:
      return false;
  }
}

uint64_t number_of(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(&die, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0)
    return 0;
  return value;
}

// Cargo compiles each crate in its own folder. Of a crate of other people that alone says whose its
// files are ("src/lib.rs").
std::string folder_of_crate(Dwarf_Die& unit) {
  std::string folder = text_of(unit, DW_AT_comp_dir);
  return folder.find("/registry/") != std::string::npos ? folder : std::string();
}

void add_folder(const std::string& folder, std::string& file) {
  if (!folder.empty() && !file.empty() && file[0] != '/') file.insert(0, folder + "/");
}

bool is_scope(int tag) {
  switch (tag) {
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
      return true;
    default:
      return false;
  }
}

// Adds to `chain` the functions that are inlined at the address, outermost first.
void find_inlined(Dwarf_Die& parent, Dwarf_Addr address, size_t depth,
                  std::vector<Dwarf_Die>& chain) {
  Dwarf_Die child;
  if (depth > kDeepestScope || dwarf_child(&parent, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (!is_scope(tag) || dwarf_haspc(&child, address) != 1) continue;
    if (tag == DW_TAG_inlined_subroutine) chain.push_back(child);
    find_inlined(child, address, depth + 1, chain);
    return;
  } while (dwarf_siblingof(&child, &child) == 0);
}

// Code that belongs to one entry of the debug information: a unit or a function.
struct CodeRange {
  Dwarf_Addr begin;
  Dwarf_Addr end;
  Dwarf_Off entry;
};
using CodeRanges = std::vector<CodeRange>;

void add_ranges(Dwarf_Die& die, CodeRanges& out) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  ptrdiff_t at = 0;
  while ((at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0) {
    if (begin < end) out.push_back({begin, end, dwarf_dieoffset(&die)});
  }
}

void sort_ranges(CodeRanges& ranges) {
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const CodeRange& a, const CodeRange& b) { return a.begin < b.begin; });
}

const CodeRange* find_range(const CodeRanges& ranges, Dwarf_Addr address) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), address,
                       [](Dwarf_Addr a, const CodeRange& range) { return a < range.begin; });
  if (after == ranges.begin()) return nullptr;
  const CodeRange& range = *std::prev(after);
  return address < range.end ? &range : nullptr;
}

void add_functions(Dwarf_Die& parent, size_t depth, CodeRanges& out) {
  Dwarf_Die child;
  if (depth > kDeepestScope || dwarf_child(&parent, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram)
      add_ranges(child, out);
    else if (may_hold_functions(tag))
      add_functions(child, depth + 1, out);
  } while (dwarf_siblingof(&child, &child) == 0);
}

}  // namespace

struct DebugLines::Impl {
  std::unique_ptr<DebugSections> sections;
  Dwarf* dwarf = nullptr;
  // Of all units, for files whose .debug_aranges are missing (clang) or have gaps. Read when first
  // needed.
  std::optional<CodeRanges> units;
  // The functions of the units that were looked into, by the unit's address in memory. To go
  // through a unit for each address takes a good half of a millisecond.
  std::unordered_map<const void*, CodeRanges> functions;

  Impl() = default;
  ~Impl() {
    if (dwarf != nullptr) dwarf_end(dwarf);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void read_units() {
    units.emplace();
    Dwarf_CU* unit = nullptr;
    Dwarf_Die die;
    while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0)
      add_ranges(die, *units);
    sort_ranges(*units);
  }

  bool find_unit(Dwarf_Addr address, Dwarf_Die& out) {
    if (dwarf_addrdie(dwarf, address, &out) != nullptr) return true;
    if (!units) read_units();
    const CodeRange* range = find_range(*units, address);
    return range != nullptr && dwarf_offdie(dwarf, range->entry, &out) != nullptr;
  }

  // The function that covers the address, and those inlined there, outermost first.
  std::vector<Dwarf_Die> scopes_at(Dwarf_Die& unit, Dwarf_Addr address) {
    auto known = functions.find(unit.addr);
    if (known == functions.end()) {
      if (functions.size() >= kMostUnits) functions.clear();
      known = functions.emplace(unit.addr, CodeRanges()).first;
      add_functions(unit, 0, known->second);
      sort_ranges(known->second);
    }
    std::vector<Dwarf_Die> chain;
    const CodeRange* range = find_range(known->second, address);
    Dwarf_Die function;
    if (range == nullptr ||
        dwarf_offdie(dwarf_cu_getdwarf(unit.cu), range->entry, &function) == nullptr)
      return chain;
    chain.push_back(function);
    find_inlined(function, address, 0, chain);
    return chain;
  }
};

DebugLines::DebugLines(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

DebugLines::~DebugLines() = default;

std::unique_ptr<DebugLines> DebugLines::open(Elf* elf, int fd) {
  auto impl = std::make_unique<Impl>();
  impl->sections = DebugSections::read(elf, fd);
  if (impl->sections == nullptr) return nullptr;
  impl->dwarf = dwarf_begin_elf(impl->sections->elf(), DWARF_C_READ, nullptr);
  if (impl->dwarf == nullptr) return nullptr;
  return std::unique_ptr<DebugLines>(new DebugLines(std::move(impl)));
}

std::vector<SourceFrame> DebugLines::at(uint64_t address) {
  std::vector<SourceFrame> frames;
  Dwarf_Die unit;
  if (!impl_->find_unit(address, unit)) return frames;

  SourceFrame here;
  if (Dwarf_Line* line = dwarf_getsrc_die(&unit, address)) {
    if (const char* file = dwarf_linesrc(line, nullptr, nullptr)) here.file = file;
    dwarf_lineno(line, &here.line);
  }

  const std::string folder = folder_of_crate(unit);
  add_folder(folder, here.file);

  // Split debug information: the functions stand in a file of their own.
  Dwarf_Die split{};
  Dwarf_Half version = 0;
  uint8_t type = 0;
  if (dwarf_cu_info(unit.cu, &version, &type, nullptr, &split, nullptr, nullptr, nullptr) == 0 &&
      type == DW_UT_skeleton && split.addr != nullptr)
    unit = split;

  const bool has_scopes = !is_plain_c(unit);
  std::vector<Dwarf_Die> chain = impl_->scopes_at(unit, address);
  Dwarf_Files* files = nullptr;
  size_t file_count = 0;
  if (chain.size() > 1 && dwarf_getsrcfiles(&unit, &files, &file_count) != 0) files = nullptr;
  for (size_t i = chain.size(); i > 0; --i) {
    Dwarf_Die& scope = chain[i - 1];
    here.function = function_name(scope, has_scopes);
    frames.push_back(here);
    if (i == 1) break;
    // Where it was inlined is where the next outer one is.
    here = SourceFrame();
    const uint64_t file = number_of(scope, DW_AT_call_file);
    if (files != nullptr && file < file_count) {
      if (const char* path = dwarf_filesrc(files, file, nullptr, nullptr)) here.file = path;
      add_folder(folder, here.file);
    }
    here.line = static_cast<int>(std::min<uint64_t>(number_of(scope, DW_AT_call_line), INT32_MAX));
  }
  if (frames.empty()) frames.push_back(here);
  return frames;
}

}  // namespace tailback

#include "runtime/interpreters/python/dict.h"

#include <array>
#include <cstring>
#include <span>

#include "runtime/interpreters/python/string.h"

namespace tailback {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kObjectType = 8;
constexpr uint64_t kKeys = 32;
constexpr uint64_t kValues = 40;  // not 0: they lie apart, as of instances

template <typename T>
T get(std::span<const std::byte> bytes, uint64_t offset) {
  T value{};
  if (offset <= bytes.size() && bytes.size() - offset >= sizeof value)
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// What the head of a table of keys says.
struct Table {
  uint64_t entries = 0;  // offset of the first
  uint64_t count = 0;
  uint64_t entry_bytes = 24;
  uint64_t key = 8;  // offset within an entry; the value follows
};

// To 3.10: size, look-up function, usable, number of entries, indices.
std::optional<Table> table_with_size(std::span<const std::byte> head) {
  const auto size = get<uint64_t>(head, 8);
  if (size == 0 || size > UINT32_MAX) return std::nullopt;
  const uint64_t index_bytes = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
  return Table{40 + size * index_bytes, get<uint64_t>(head, 32)};
}

std::optional<Table> table_with_logarithms(std::span<const std::byte> head) {
  const auto log2_size = get<uint8_t>(head, 8);
  const auto log2_index_bytes = get<uint8_t>(head, 9);
  const auto kind = get<uint8_t>(head, 10);
  if (log2_size > 32 || log2_index_bytes > 34 || kind > 1) return std::nullopt;
  Table table{32 + (uint64_t{1} << log2_index_bytes), get<uint64_t>(head, 24)};
  if (kind == 1) {  // all keys are strings, which know their hashes
    table.entry_bytes = 16;
    table.key = 0;
  }
  return table;
}

}  // namespace

std::optional<std::vector<PythonDictEntry>> read_python_dict(RemoteMemory& memory,
                                                             const PythonInterpreter& python,
                                                             RemoteAddress address, size_t most) {
  std::array<std::byte, kValues + kWord> dict;
  if (!memory.read(address, dict) || get<RemoteAddress>(dict, kObjectType) != python.dict_type ||
      get<uint64_t>(dict, kValues) != 0)
    return std::nullopt;
  const auto keys = get<RemoteAddress>(dict, kKeys);
  std::array<std::byte, 40> head;
  if (!memory.read(keys, head)) return std::nullopt;
  const auto table =
      python.layout.dict_says_size ? table_with_size(head) : table_with_logarithms(head);
  if (!table || table->count > most) return std::nullopt;
  std::vector<std::byte> bytes(table->count * table->entry_bytes);
  if (!bytes.empty() && !memory.read(keys + table->entries, bytes)) return std::nullopt;
  std::vector<PythonDictEntry> entries;
  for (uint64_t at = 0; at < bytes.size(); at += table->entry_bytes) {
    const PythonDictEntry entry{get<RemoteAddress>(bytes, at + table->key),
                                get<RemoteAddress>(bytes, at + table->key + kWord)};
    if (entry.key.value != 0 && entry.value.value != 0) entries.push_back(entry);  // else removed
  }
  return entries;
}

std::optional<RemoteAddress> python_dict_value(RemoteMemory& memory,
                                               const PythonInterpreter& python,
                                               RemoteAddress address, std::string_view key,
                                               size_t most) {
  const auto entries = read_python_dict(memory, python, address, most);
  if (!entries) return std::nullopt;
  const size_t size = python.layout.string_ascii + key.size();
  std::vector<std::byte> bytes(entries->size() * size);
  std::vector<RemoteMemory::Piece> pieces;
  for (size_t i = 0; i < entries->size(); ++i)
    pieces.push_back({(*entries)[i].key, std::span(bytes).subspan(i * size, size)});
  memory.read(pieces);
  for (size_t i = 0; i < entries->size(); ++i) {
    if (!pieces[i].done || get<RemoteAddress>(pieces[i].out, kObjectType) != python.string_type)
      continue;
    const auto form = python_string_form(python.layout, pieces[i].out);
    if (!form || !form->ascii || form->length != key.size()) continue;
    if (std::memcmp(pieces[i].out.data() + form->data, key.data(), key.size()) == 0)
      return (*entries)[i].value;
  }
  return std::nullopt;
}

}  // namespace tailback

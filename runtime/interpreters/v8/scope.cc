#include "runtime/interpreters/v8/scope.h"

namespace tailback {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kFlags = 8;  // offset of the first field
constexpr uint64_t kLocals = 24;
// With more names than these they are kept in a table of their own.
constexpr int32_t kMostNamesInside = 75;
constexpr int32_t kMostLocals = 1 << 20;

// Bits of the flags: they are the same in all versions.
constexpr uint32_t kScopeType = 0xf;
constexpr uint32_t kModuleScope = 5;
constexpr uint32_t kHasClassVariable = 1u << 10;
constexpr uint32_t kHasFunctionName = 3u << 12;
constexpr uint32_t kHasInferredName = 1u << 14;

}  // namespace

std::optional<V8Scope> read_v8_scope(V8Heap& heap, const V8Layout& layout, uint64_t pointer) {
  std::optional<uint32_t> flags;
  if (layout.scope_flags_are_smi) {
    if (const auto value = heap.smi_field(pointer, kFlags)) flags = static_cast<uint32_t>(*value);
  } else {
    flags = heap.field<uint32_t>(pointer, kFlags);
  }
  const auto locals = heap.smi_field(pointer, kLocals);
  if (!flags || !locals || *locals < 0 || *locals > kMostLocals) return std::nullopt;

  V8Scope scope;
  uint64_t at = kLocals + kWord;
  const auto take_place = [&] {
    const auto begin = heap.smi_field(pointer, at);
    const auto end = heap.smi_field(pointer, at + kWord);
    if (!begin || !end || *begin < 0 || *end < *begin) return false;
    scope.begin = static_cast<uint32_t>(*begin);
    scope.end = static_cast<uint32_t>(*end);
    at += 2 * kWord;
    return true;
  };
  const auto take_text = [&](std::string& out) {
    const auto word = heap.word(pointer, at);
    at += kWord;
    if (!word) return false;
    if (!heap.is_string(*word))  // none: undefined, or 0
      return V8Heap::is_smi(*word) || heap.is(*word, layout.oddball);
    auto text = heap.text(*word);
    if (text) out = std::move(*text);
    return text.has_value();
  };
  if (layout.scope_begins_with_place) {
    if (!take_place()) return std::nullopt;
    if ((*flags & kScopeType) == kModuleScope) at += kWord;
  }
  const auto count = static_cast<uint64_t>(*locals);
  at += (*locals > kMostNamesInside ? kWord : count * kWord) + count * kWord;
  if ((*flags & kHasClassVariable) != 0) at += kWord;
  if ((*flags & kHasFunctionName) != 0) {
    if (!take_text(scope.name)) return std::nullopt;
    at += kWord;  // where the name is kept
  }
  if ((*flags & kHasInferredName) != 0 && !take_text(scope.inferred)) return std::nullopt;
  if (!layout.scope_begins_with_place && !take_place()) return std::nullopt;
  return scope;
}

}  // namespace tailback

#include "runtime/interpreters/python/string.h"

#include <algorithm>
#include <cstring>

namespace tailback {
namespace {

constexpr uint64_t kLongestString = 1024 * 1024;  // of a name or a path

template <typename T>
bool get(std::span<const std::byte> bytes, uint64_t offset, T& out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof out) return false;
  std::memcpy(&out, bytes.data() + offset, sizeof out);
  return true;
}

void append_utf8(std::string& text, uint32_t c) {
  const auto add = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xc0 | c >> 6);
    add(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    add(0xe0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3f));
    add(0x80 | (c & 0x3f));
  } else {
    add(0xf0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3f));
    add(0x80 | (c >> 6 & 0x3f));
    add(0x80 | (c & 0x3f));
  }
}

uint32_t character(std::span<const std::byte> bytes, unsigned width, size_t i) {
  uint32_t c = 0;
  std::memcpy(&c, bytes.data() + i * width, width);  // this machine's order is the target's
  return c;
}

}  // namespace

std::optional<PythonStringForm> python_string_form(const PythonLayout& layout,
                                                   std::span<const std::byte> head) {
  constexpr uint32_t kCompact = 1u << 5;
  constexpr uint32_t kAscii = 1u << 6;
  PythonStringForm form;
  uint32_t state = 0;
  if (!get(head, layout.string_length, form.length) || !get(head, layout.string_state, state))
    return std::nullopt;
  form.width = state >> 2 & 7;
  form.ascii = (state & kAscii) != 0;
  if ((state & kCompact) == 0 || form.length > kLongestString) return std::nullopt;
  if (form.width != 1 && form.width != 2 && form.width != 4) return std::nullopt;
  if (form.ascii && form.width != 1) return std::nullopt;
  form.data = form.ascii ? layout.string_ascii : layout.string_other;
  return form;
}

std::optional<std::string> python_text(const PythonStringForm& form,
                                       std::span<const std::byte> characters, bool cut) {
  constexpr uint32_t kHighest = 0x10ffff;
  std::string text;
  uint32_t widest = 0;
  for (size_t i = 0; i < characters.size() / form.width; ++i) {
    const uint32_t c = character(characters, form.width, i);
    if (c > kHighest || (form.ascii && c >= 0x80) || c == 0) return std::nullopt;
    widest = std::max(widest, c);
    if (c >= 0xdc80 && c <= 0xdcff) {
      text += static_cast<char>(c & 0xff);
    } else if (c >= 0xd800 && c <= 0xdfff) {
      append_utf8(text, 0xfffd);
    } else {
      append_utf8(text, c);
    }
  }
  if (cut) return text + "…";
  // Characters are no wider than the widest needs.
  const uint32_t narrower = form.width == 1 ? 0x7f : form.width == 2 ? 0xff : 0xffff;
  if (!form.ascii && widest <= narrower) return std::nullopt;
  return text;
}

}  // namespace tailback

// How the text report looks.
#pragma once

#include <string>
#include <string_view>

namespace tailback {

struct TextStyle {
  bool colour = false;
  bool whole_stacks = false;  // every frame, instead of "… 6 frames of libc.so.6 …"

  // The text in a colour, or as it is.
  std::string headline(std::string_view text) const { return paint("1;31", text); }
  std::string culprit(std::string_view text) const { return paint("1", text); }
  std::string aside(std::string_view text) const { return paint("2", text); }
  std::string advice(std::string_view text) const { return paint("36", text); }

 private:
  std::string paint(std::string_view code, std::string_view text) const {
    if (!colour) return std::string(text);
    return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
  }
};

}  // namespace tailback

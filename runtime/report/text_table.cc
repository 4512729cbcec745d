#include "runtime/report/text_table.h"

#include <algorithm>

#include "runtime/report/terminal_escape.h"

namespace tailback {

std::string TextTable::render(std::string_view indent) const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (size_t c = 0; c < columns_.size(); ++c) {
    for (const auto& row : rows_) widths[c] = std::max(widths[c], columns(row[c]));
    if (widths[c] > 0) widths[c] = std::max(widths[c], columns(columns_[c].heading));
  }

  std::string text;
  const auto add_line = [&](auto&& cell_of) {
    std::string line(indent);
    size_t owed = 0;  // blanks that are due once another cell follows
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (widths[c] == 0) continue;
      const std::string& cell = cell_of(c);
      const size_t blanks = widths[c] - columns(cell);
      const bool right = columns_[c].align == Align::kRight;
      if (!cell.empty()) {
        line.append(owed + (right ? blanks : 0), ' ');
        line += cell;
        owed = 0;
      }
      owed += (cell.empty() ? widths[c] : right ? 0 : blanks) + 2;
    }
    text += line + '\n';
  };
  add_line([&](size_t c) -> const std::string& { return columns_[c].heading; });
  for (const auto& row : rows_) {
    add_line([&](size_t c) -> const std::string& { return row[c]; });
  }
  return text;
}

}  // namespace tailback

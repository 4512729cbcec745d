// A table with aligned columns.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailback {

class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column; cells are escape_for_terminal text.
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }

  // Heading and rows, each line beginning with `indent`, ending in a newline and without blanks at
  // its end. A column whose cells are all empty is left out.
  std::string render(std::string_view indent) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tailback

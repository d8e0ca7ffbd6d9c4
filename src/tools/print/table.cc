#include "tools/print/table.h"

#include <algorithm>

#include "tools/print/text.h"

namespace tarn::tools {

void Table::add(std::vector<Cell> row) {
  row.resize(columns_.size(), Cell(""));
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, columns(row[i].text));
    widths.push_back(width);
  }
  return widths;
}

std::string Table::line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                        const Style& style) const {
  std::string line;
  std::size_t owed = 0;  // blanks, written only when text follows
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::size_t padding = widths[i] - columns(row[i].text);
    if (columns_[i].align == Align::right) owed += padding;
    if (!row[i].text.empty()) {
      line.append(owed, ' ');
      line += style.paint(row[i].paint, row[i].text);
      owed = 0;
    }
    if (columns_[i].align == Align::left) owed += padding;
    owed += 2;
  }
  return line;
}

std::vector<std::string> Table::lines(const Style& style) const {
  const std::vector<std::size_t> all_widths = widths();
  std::vector<Cell> headings;
  for (const Column& column : columns_) headings.emplace_back(column.heading, Paint::bold);
  std::vector<std::string> lines{line(headings, all_widths, style)};
  for (const auto& row : rows_) lines.push_back(line(row, all_widths, style));
  return lines;
}

std::string Table::text(const Style& style) const {
  std::string text;
  for (const std::string& each : lines(style)) text += each + '\n';
  return text;
}

std::string Fields::text(const Style& style) const {
  std::size_t width = 0;
  for (const auto& row : rows_) width = std::max(width, columns(row.first));
  std::string text;
  for (const auto& [name, value] : rows_) {
    text += style.paint(Paint::dim, name) + std::string(width - columns(name) + 2, ' ');
    text += style.paint(value.paint, printable(value.text)) + '\n';
  }
  return text;
}

}  // namespace tarn::tools

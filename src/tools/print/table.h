// table.h - rows of text under headings, aligned: words to the left, numbers to the right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/print/style.h"

namespace tarn::tools {

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string heading;
  Align align = Align::left;
};

struct Cell {
  Cell(std::string content) : text(std::move(content)) {}
  Cell(const char* content) : text(content) {}
  Cell(std::string content, Paint cell_paint) : text(std::move(content)), paint(cell_paint) {}
  std::string text;
  Paint paint = Paint::none;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Cells that are missing stay empty; what is beyond the last column is dropped. Foreign text is
  // made printable.
  void add(std::vector<Cell> row);
  std::size_t row_count() const noexcept { return rows_.size(); }

  // Heading and rows, one string each, without trailing blanks and without newline.
  std::vector<std::string> lines(const Style& style) const;
  // The same as one text, each line ended.
  std::string text(const Style& style) const;

 private:
  std::string line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                   const Style& style) const;
  std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "name   value" lines, the values aligned.
class Fields {
 public:
  void add(std::string name, Cell value) { rows_.emplace_back(std::move(name), std::move(value)); }
  std::string text(const Style& style) const;

 private:
  std::vector<std::pair<std::string, Cell>> rows_;
};

}  // namespace tarn::tools

// Where in a value something stands, for the errors that speak of it: value["scans"][3]["gain"].
#include <algorithm>
#include <cstddef>
#include <string>

#include "client/value/value_access.h"

namespace tarn {

using layout::Cell;
using layout::CellType;

namespace {

// Who throws may do so often: what stands further behind in a larger value is named by its type.
constexpr int kMostLooks = 4096;
constexpr std::size_t kMostKeyBytes = 64;

}  // namespace

std::string ValueView::Access::text_of_key(const ValueView& key) {
  if (key.type() == ValueType::text) {
    const auto found = text(key, cell(key));
    if (!found) return {};
    const std::size_t size = std::min(found->size(), kMostKeyBytes);
    return '"' + std::string(reinterpret_cast<const char*>(found->data()), size) +
           (size < found->size() ? "...\"" : "\"");
  }
  if (const auto number = key.try_as<std::int64_t>()) return std::to_string(*number);
  return "a key of type " + std::string(name_of(key.type()));
}

// Every read is checked and the looks are counted, so that this ends whatever stands there.
bool ValueView::Access::find_path(const ValueView& from, const std::byte* wanted, Looks& looks) {
  if (from.cell_ == wanted) return true;
  if (looks.depth == layout::kMaxDepth || --looks.left < 0) return false;
  const Cell held = cell(from);
  const auto type = static_cast<CellType>(held.type);
  const bool is_table = type == CellType::table;
  if (!is_table && type != CellType::list && type != CellType::tuple) return false;
  const auto container = reader(from).container(held);
  if (!container) return false;
  ++looks.depth;
  for (std::uint32_t number = 0; number < container->used() && looks.left > 0; ++number) {
    const std::byte* entry = container->entries + number * entry_bytes(type);
    const std::byte* value = is_table ? entry + offsetof(layout::Entry, value) : entry;
    if (!find_path(part(from, value), wanted, looks)) continue;
    looks.path = '[' + (is_table ? text_of_key(part(from, entry)) : std::to_string(number)) + ']' +
                 looks.path;
    return true;
  }
  --looks.depth;
  return false;
}

std::string ValueView::Access::place_of(const ValueView& view) {
  Looks looks{.left = kMostLooks};
  const bool is_part = view.cell_ != nullptr && find_path(root(reader(view)), view.cell_, looks) &&
                       !looks.path.empty();
  return (is_part ? "value" + looks.path : std::string("a value")) + " (" +
         std::string(name_of(view.type())) + ")";
}

void ValueView::Access::fail(Error::Code code, const char* attempted, const ValueView& view) {
  detail::throw_value_error(code, attempted, place_of(view));
}

}  // namespace tarn

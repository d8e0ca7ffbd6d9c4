// value_container.h - a container block of a value that is being built, checked, at its address.
#pragma once

#include "shm/value/value_builder.h"

namespace tarn {

// An index in which a search takes longer was made so on purpose: it gets another seed.
inline constexpr std::uint32_t kLongSearch = 512;

// Good until the buffer grows.
struct ValueBuilder::Container {
  layout::ContainerHeader* header = nullptr;
  std::byte* entries = nullptr;
  std::byte* index = nullptr;
  std::uint64_t block = 0;

  layout::CellType type() const noexcept { return static_cast<layout::CellType>(header->type); }
  layout::Entry& entry(std::uint32_t number) const noexcept {
    return reinterpret_cast<layout::Entry*>(entries)[number];
  }
  layout::Cell& cell(std::uint32_t number) const noexcept {
    return type() == layout::CellType::table ? entry(number).value
                                             : reinterpret_cast<layout::Cell*>(entries)[number];
  }
  ContainerView view() const noexcept { return {*header, entries, index}; }
  std::uint64_t size_bytes() const noexcept {
    return static_cast<std::uint64_t>(index - entries) + sizeof(layout::ContainerHeader) +
           header->index_count * sizeof(std::uint32_t);
  }
};

}  // namespace tarn

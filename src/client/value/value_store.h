// value_store.h - the memory of a Value: a little of its own, then a loan or a block of ordinary
// memory that grows.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "shm/value/value_builder.h"
#include "tarn/message.h"
#include "tarn/value.h"

namespace tarn {

class Heap;

namespace detail {

class ValueStore final : public ValueMemory {
 public:
  // In ordinary memory.
  ValueStore() noexcept;
  // In the shared memory of that session, which `heap` belongs to.
  ValueStore(std::shared_ptr<SessionCore> session, Heap& heap) noexcept;
  // As above, with room for so many bytes. Throws what Session::loan() throws.
  static std::unique_ptr<ValueStore> create(std::shared_ptr<SessionCore> session, Heap& heap,
                                            std::uint64_t expected_bytes);
  ~ValueStore() { drop(); }
  ValueStore(const ValueStore&) = delete;
  ValueStore& operator=(const ValueStore&) = delete;

  ValueBuilder builder() noexcept { return ValueBuilder(*this); }
  ValueReader reader() const noexcept { return {base(), used_bytes()}; }
  std::uint64_t used_bytes() const noexcept;
  std::uint64_t dead_bytes() const noexcept;
  std::span<const std::byte> bytes() const noexcept {
    return {base(), static_cast<std::size_t>(used_bytes())};
  }
  // None again; the memory goes back.
  void reset() noexcept;
  // After it was pushed, when nothing of its bytes is ours any more: the next one is expected to be
  // as large.
  void begin_next(std::uint64_t pushed_bytes) noexcept {
    expected_bytes_ = pushed_bytes;
    reset();
  }
  // Room for so much, before anything is there. Throws as loan() does.
  void expect(std::uint64_t size_bytes);
  // Becomes a copy of `bytes`, another value's. Throws as loan() does; it is what it was then.
  void assign(std::span<const std::byte> bytes);

  bool is_shared() const noexcept { return session_ != nullptr; }
  const std::shared_ptr<SessionCore>& session() const noexcept { return session_; }
  Heap* heap() const noexcept { return heap_; }
  // The loan that the bytes stand in, cut to their size; null when they stand elsewhere.
  Loan* finished_loan() noexcept;
  // It was not pushed: all of it is there to be filled again.
  void keep_filling() noexcept;

  Status grow(std::uint64_t at_least, std::uint64_t used_bytes) noexcept override;
  // Throws what the newest refusal of grow() was, or Error(code).
  [[noreturn]] void fail(Error::Code code, const char* attempted);

 private:
  struct Release {
    void operator()(std::byte* block) const noexcept;
  };
  // Room for a header, so that a single number needs no other memory.
  layout::ValueHeader header() const noexcept;
  static constexpr std::size_t kFirstBytes = sizeof(layout::ValueHeader);

  Status grow_loan(std::uint64_t wanted, std::uint64_t used_bytes) noexcept;
  Status grow_block(std::uint64_t wanted, std::uint64_t used_bytes) noexcept;
  void drop() noexcept;

  alignas(layout::kBlockAlign) std::array<std::byte, kFirstBytes> first_;
  std::shared_ptr<SessionCore> session_;
  Heap* heap_ = nullptr;
  std::uint64_t expected_bytes_ = 0;
  Loan loan_;
  std::unique_ptr<std::byte, Release> block_;
  std::optional<Error> refusal_;
};

// The sentence for what a value did not let us do.
[[noreturn]] void throw_value_error(Error::Code code, const char* attempted,
                                    const std::string& object = "a value");

}  // namespace detail
}  // namespace tarn

// result.h - a value, or why there is none. Shaped like C++23's std::expected so it can become it.
//
// Result<T> carries a bare Error::Code: nothing allocates, so it is fit for code that runs while
// shared memory may be half-written. Result<T, Error> carries the whole story, for cold paths.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "tarn/error.h"

namespace tarn {

template <class T, class E = Error::Code>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return checked(); }
  const T& operator*() const& noexcept { return const_cast<Result*>(this)->checked(); }
  T&& operator*() && noexcept { return std::move(checked()); }
  T* operator->() noexcept { return &checked(); }
  const T* operator->() const noexcept { return &const_cast<Result*>(this)->checked(); }

  const E& error() const& noexcept {
    TARN_ASSERT(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }
  E&& error() && noexcept {
    TARN_ASSERT(state_.index() == 1);
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  T& checked() noexcept {
    TARN_ASSERT(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  std::variant<T, E> state_;
};

// What fits into registers goes through them: two whole words. A variant's index is a byte, which
// the processor cannot forward from where it was just written to a load of the word around it, and
// that wait was a third of what building a value took.
template <class T>
requires std::is_trivially_copyable_v<T> && std::is_nothrow_default_constructible_v<T>
class [[nodiscard]] Result<T, Error::Code> {
 public:
  Result(T value) noexcept : value_(value) {}
  Result(Error::Code error) noexcept : state_(1 + std::uint64_t{error}) {}

  bool has_value() const noexcept { return state_ == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return checked(); }
  const T& operator*() const& noexcept { return const_cast<Result*>(this)->checked(); }
  T&& operator*() && noexcept { return std::move(checked()); }
  T* operator->() noexcept { return &checked(); }
  const T* operator->() const noexcept { return &const_cast<Result*>(this)->checked(); }

  Error::Code error() const noexcept {
    TARN_ASSERT(state_ != 0);
    return static_cast<Error::Code>(state_ - 1);
  }

 private:
  T& checked() noexcept {
    TARN_ASSERT(state_ == 0);
    return value_;
  }
  [[no_unique_address]] T value_{};
  std::uint64_t state_ = 0;  // or 1 and the error
};

// Success without a value.
struct Done {};
using Status = Result<Done>;
using FullStatus = Result<Done, Error>;

}  // namespace tarn

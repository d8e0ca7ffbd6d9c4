#include "tarn/message.h"

#include <utility>

#include "client/session_core.h"

namespace tarn {

Loan::Loan(Loan&& other) noexcept : place_(std::move(other.place_)) {
  other.place_.address = nullptr;
  other.place_.filled = false;
}

Loan& Loan::operator=(Loan&& other) noexcept {
  if (this != &other) {
    Loan old(std::move(*this));  // gives its memory back when it goes
    place_ = std::move(other.place_);
    other.place_.address = nullptr;
    other.place_.filled = false;
  }
  return *this;
}

Loan::~Loan() {
  if (place_.core == nullptr || place_.address == nullptr || !place_.core->is_ours()) return;
  place_.core->heap().give_back({static_cast<Slab*>(place_.origin), place_.chunk});
}

std::span<std::byte> Loan::bytes() noexcept {
  // The memory is ours to write until it is pushed; `address` is const for the readers' sake.
  auto* address = place_.address != nullptr ? const_cast<std::byte*>(place_.address) : place_.small;
  return {address, place_.size_bytes};
}

Message::Message(Message&& other) noexcept
    : place_(std::move(other.place_)),
      unacknowledged_(std::move(other.unacknowledged_)),
      position_(other.position_),
      redelivered_(other.redelivered_) {
  other.place_.address = nullptr;
  other.place_.filled = false;
}

Message& Message::operator=(Message&& other) noexcept {
  if (this != &other) {
    release();
    place_ = std::move(other.place_);
    other.place_.address = nullptr;
    other.place_.filled = false;
    unacknowledged_ = std::move(other.unacknowledged_);
    position_ = other.position_;
    redelivered_ = other.redelivered_;
  }
  return *this;
}

void Message::acknowledge() noexcept {
  if (unacknowledged_ == nullptr) return;
  unacknowledged_->acknowledge(position_, redelivered_);
  unacknowledged_.reset();
}

// Crash: the row is our own; a death here drops all of it.
void Message::release() noexcept {
  if (unacknowledged_ != nullptr) {
    unacknowledged_->give_back(position_, redelivered_);
    unacknowledged_.reset();
  }
  if (place_.core != nullptr && place_.address != nullptr && place_.core->is_ours()) {
    auto& slab = *static_cast<ForeignSlab*>(place_.origin);
    // sync(hold-ended): our last look at the bytes comes before their owner's next use.
    slab.holds[place_.chunk].fetch_sub(1, std::memory_order_release);
  }
  place_.core.reset();
  place_.address = nullptr;
  place_.size_bytes = 0;
  place_.filled = false;
}

}  // namespace tarn

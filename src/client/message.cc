#include "tarn/message.h"

#include <cstring>
#include <utility>

#include "client/lingering.h"
#include "client/session_core.h"

namespace tarn {

void PayloadPlace::take_from(PayloadPlace& other) noexcept {
  core = other.core;
  address = std::exchange(other.address, nullptr);
  origin = other.origin;
  chunk = other.chunk;
  filled = std::exchange(other.filled, false);
  size_bytes = other.size_bytes;
  if (address == nullptr && filled) std::memcpy(small, other.small, sizeof small);
}

Loan& Loan::operator=(Loan&& other) noexcept {
  if (this != &other) {
    if (place_.address != nullptr) give_back();
    place_.take_from(other.place_);
  }
  return *this;
}

void Loan::give_back() noexcept {
  const PayloadPlace place = place_;
  place_.address = nullptr;
  place_.filled = false;
  if (!place.core->is_ours()) return;
  auto* slab = static_cast<Slab*>(place.origin);
  slab->home->give_back({slab, place.chunk});
  detail::note_let_go(place.core);
}

Message::Message(Message&& other) noexcept
    : unacknowledged_(std::move(other.unacknowledged_)),
      position_(other.position_),
      redelivered_(other.redelivered_) {
  place_.take_from(other.place_);
}

Message& Message::operator=(Message&& other) noexcept {
  if (this != &other) {
    release();
    place_.take_from(other.place_);
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
// model: hold_rows.pml, label release
void Message::release() noexcept {
  if (unacknowledged_ != nullptr) {
    unacknowledged_->give_back(position_, redelivered_);
    unacknowledged_.reset();
  }
  if (place_.address != nullptr && place_.core->is_ours()) {
    auto& slab = *static_cast<ForeignSlab*>(place_.origin);
    // sync(hold-ended): our last look at the bytes comes before their owner's next use.
    // seq_cst: this count and g_lingering need one order, as in note_let_go().
    slab.holds[place_.chunk].fetch_sub(1, std::memory_order_seq_cst);
    detail::note_let_go(place_.core);
  }
  place_.address = nullptr;
  place_.size_bytes = 0;
  place_.filled = false;
}

}  // namespace tarn

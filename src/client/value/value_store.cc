#include "client/value/value_store.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "client/session_core.h"

namespace tarn::detail {
namespace {

// What a first table with a few entries needs.
constexpr std::uint64_t kSmallBytes = 512;

}  // namespace

void ValueStore::Release::operator()(std::byte* block) const noexcept {
  ::operator delete (block, std::align_val_t{layout::kArrayAlign});
}

ValueStore::ValueStore() noexcept { reset(); }

ValueStore::ValueStore(std::shared_ptr<SessionCore> session, Heap& heap) noexcept
    : session_(std::move(session)), heap_(&heap) {
  reset();
}

std::unique_ptr<ValueStore> ValueStore::create(std::shared_ptr<SessionCore> session, Heap& heap,
                                               std::uint64_t expected_bytes) {
  auto store = std::make_unique<ValueStore>(std::move(session), heap);
  store->expect(expected_bytes);
  return store;
}

void ValueStore::drop() noexcept {
  loan_ = Loan();
  block_.reset();
}

void ValueStore::reset() noexcept {
  drop();
  base_ = first_.data();
  capacity_ = kFirstBytes;
  builder().format();
}

layout::ValueHeader ValueStore::header() const noexcept {
  layout::ValueHeader header;
  std::memcpy(&header, base(), sizeof header);
  return header;
}

std::uint64_t ValueStore::used_bytes() const noexcept {
  return std::min(header().size_bytes, capacity());
}

std::uint64_t ValueStore::dead_bytes() const noexcept { return header().dead_bytes; }

void ValueStore::expect(std::uint64_t size_bytes) {
  if (size_bytes <= capacity()) return;
  if (const auto grown = grow(size_bytes, used_bytes()); !grown) {
    fail(grown.error(), "make room for a value");
  }
}

void ValueStore::assign(std::span<const std::byte> bytes) {
  expect(bytes.size());
  std::memcpy(base_, bytes.data(), bytes.size());
}

Loan* ValueStore::finished_loan() noexcept {
  if (!loan_) return nullptr;
  loan_.shrink(used_bytes());
  return &loan_;
}

void ValueStore::keep_filling() noexcept {
  if (loan_) loan_.place_.size_bytes = capacity_;
}

Status ValueStore::grow(std::uint64_t at_least, std::uint64_t used_bytes) noexcept {
  const bool is_first = base_ == first_.data();
  const std::uint64_t usual = is_first ? std::max(kSmallBytes, expected_bytes_) : capacity() * 2;
  const std::uint64_t wanted = std::max(at_least, usual);
  const Status grown = is_shared() ? grow_loan(wanted, used_bytes) : grow_block(wanted, used_bytes);
  // Twice as much may be more than there is, where what is needed is not.
  if (grown || wanted == at_least) return grown;
  return is_shared() ? grow_loan(at_least, used_bytes) : grow_block(at_least, used_bytes);
}

Status ValueStore::grow_loan(std::uint64_t wanted, std::uint64_t used_bytes) noexcept {
  if (!session_->is_ours()) return Error::forked;
  Loan more;
  if (auto loaned = session_->loan(wanted, more, *heap_); !loaned) {
    refusal_ = std::move(loaned).error();
    return refusal_->code();
  }
  std::memcpy(more.bytes().data(), base_, used_bytes);
  loan_ = std::move(more);
  base_ = loan_.bytes().data();
  capacity_ = loan_.size();
  return Done{};
}

Status ValueStore::grow_block(std::uint64_t wanted, std::uint64_t used_bytes) noexcept {
  auto* more = static_cast<std::byte*>(
      ::operator new (wanted, std::align_val_t{layout::kArrayAlign}, std::nothrow));
  if (more == nullptr) return Error::no_memory;
  std::memcpy(more, base_, used_bytes);
  block_.reset(more);
  base_ = more;
  capacity_ = wanted;
  return Done{};
}

void ValueStore::fail(Error::Code code, const char* attempted) {
  if (refusal_ && refusal_->code() == code) {
    Error refusal = *std::exchange(refusal_, std::nullopt);
    throw refusal;
  }
  throw_value_error(code, attempted);
}

void throw_value_error(Error::Code code, const char* attempted, const std::string& object) {
  switch (code) {
    case Error::not_found:
      throw Error(code, attempted, object, "there is no such key or element; look with find()");
    case Error::wrong_type:
      throw Error(code, attempted, object, "ask for its type() first");
    case Error::out_of_range:
      throw Error(code, attempted, object,
                  "ask for a wider type, for rounded(), or nest less than 1000 levels");
    case Error::invalid_argument:
      throw Error(code, attempted, object,
                  "text and keys are UTF-8; keys are text, bytes, numbers, booleans or none");
    case Error::version_mismatch:
      // Of a part: value_in() says it of the whole.
      throw Error(code, attempted, object + ", which has a part of unknown type",
                  "a newer tarn made it: copy it with that one; all else can be read in place");
    case Error::corrupt:
      throw Error(code, attempted, object, "its bytes make no sense: its maker spoilt it");
    case Error::too_large:
      throw Error(code, attempted, object, "make it smaller, or several of it");
    case Error::no_memory:
      throw Error(code, attempted, object, "free memory, or make it smaller");
    default:
      throw Error(code, attempted, object, {});
  }
}

}  // namespace tarn::detail

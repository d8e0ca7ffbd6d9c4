#include "tarn/value.h"

#include <functional>
#include <vector>

#include "client/value/value_access.h"
#include "shm/value/value_walk.h"

namespace tarn {

using detail::throw_value_error;
using detail::ValueStore;
using layout::Cell;
using layout::CellType;

// --- places -------------------------------------------------------------------------------------

struct ValueRef::Access {
  static ValuePlace place(const ValueRef& ref) noexcept {
    return {ref.block_, ref.number_, ref.epoch_, ref.depth_};
  }
  static ValueRef ref(const ValueRef& of, const ValuePlace& place) noexcept {
    return {of.store_, place.block, place.number, place.epoch, place.depth};
  }
  // Runs step(builder, place) and throws its error.
  template <class Step>
  static auto change(ValueRef& ref, const char* attempted, Step&& step) {
    ValueBuilder builder = ref.store_->builder();
    ValuePlace place = Access::place(ref);
    auto outcome = step(builder, place);
    // Where its table has moved to is worth remembering.
    ref.block_ = place.block;
    if (!outcome) [[unlikely]]
      ref.store_->fail(outcome.error(), attempted);
    return *outcome;
  }
  static void set(ValueRef& ref, Cell scalar) {
    change(ref, "set a part of",
           [&](ValueBuilder& builder, ValuePlace& place) { return builder.set(place, scalar); });
  }
  static bool removed(ValueRef& ref, const ValueKey& key) {
    ValueBuilder builder = ref.store_->builder();
    ValuePlace place = Access::place(ref);
    const auto outcome = builder.remove(place, key);
    if (outcome) return true;
    if (outcome.error() == Error::not_found) return false;
    ref.store_->fail(outcome.error(), "remove an entry of");
  }
  // `held` is the view's cell, and must outlive the key.
  static ValueKey key_of(const ValueView& view, const Cell& held) {
    const auto key = ValueView::Access::reader(view).key(held);
    if (!key) throw_value_error(Error::invalid_argument, "use a key of");
    return *key;
  }
};

namespace {

// The bytes as they are, or a copy where they lie in the very value that is being changed: its
// buffer may move under them, and their own block may be what is replaced.
class Apart {
 public:
  Apart(const ValueStore& store, std::span<const std::byte> bytes) : bytes_(bytes) {
    const std::span<const std::byte> own = store.bytes();
    const std::less<> before;
    if (bytes.empty() || before(bytes.data(), own.data()) ||
        !before(bytes.data(), own.data() + own.size())) {
      return;
    }
    copy_.assign(bytes.begin(), bytes.end());
    bytes_ = copy_;
  }
  Apart(const Apart&) = delete;
  Apart& operator=(const Apart&) = delete;

  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::vector<std::byte> copy_;
  std::span<const std::byte> bytes_;
};

std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

ValueRef& ValueRef::operator=(std::nullptr_t) {
  Access::set(*this, Cell{});
  return *this;
}

ValueRef& ValueRef::set_number(ValueType type, std::uint64_t bits) {
  Access::set(*this, Cell{static_cast<std::uint8_t>(type), 0, 0, 0, bits});
  return *this;
}

ValueRef& ValueRef::operator=(std::string_view text) {
  if (text.size() <= layout::kCellTextBytes) {
    ValuePlace place = Access::place(*this);
    if (store_->builder().set_short_text(place, text)) return *this;
  }
  const Apart apart(*store_, bytes_of(text));
  Access::change(*this, "set the text of", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_text(place, CellType::text, apart.bytes());
  });
  return *this;
}

ValueRef& ValueRef::set_bytes(std::span<const std::byte> bytes) {
  const Apart apart(*store_, bytes);
  Access::change(*this, "set the bytes of", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_text(place, CellType::bytes, apart.bytes());
  });
  return *this;
}

ValueRef& ValueRef::set_big_integer(const BigIntegerView& number) {
  const Apart apart(*store_, number.magnitude);
  Access::change(*this, "set a big integer of", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_big_integer(place, number.negative, apart.bytes());
  });
  return *this;
}

ValueRef& ValueRef::set_reference(const ReferenceView& reference) {
  layout::ReferenceBlock block{};
  block.kind = reference.kind;
  std::copy(std::begin(reference.words), std::end(reference.words), std::begin(block.words));
  Access::change(*this, "set a reference of", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_reference(place, block);
  });
  return *this;
}

ValueRef& ValueRef::set_complex(ValueType part, std::uint64_t real, std::uint64_t imaginary) {
  const auto number = static_cast<CellType>(part);
  const std::uint64_t part_bytes = number_bytes(number);
  if (part_bytes == 0 || number == CellType::boolean) {
    throw_value_error(Error::invalid_argument, "set a complex number of");
  }
  if (part_bytes == 8) {
    Access::change(*this, "set a complex number of", [&](ValueBuilder& builder, ValuePlace& place) {
      return builder.set_wide_complex(place, number, {real, imaginary});
    });
    return *this;
  }
  const std::uint64_t both = (real & 0xFFFFFFFF) | imaginary << 32;
  Access::set(*this, Cell{static_cast<std::uint8_t>(CellType::complex),
                          static_cast<std::uint8_t>(part), 0, 0, both});
  return *this;
}

ValueRef& ValueRef::operator=(std::complex<float> number) {
  return set_complex(ValueType::float32, bits_of(number.real()), bits_of(number.imag()));
}

ValueRef& ValueRef::operator=(std::complex<double> number) {
  return set_complex(ValueType::float64, bits_of(number.real()), bits_of(number.imag()));
}

// --- copies -------------------------------------------------------------------------------------

ValueRef& ValueRef::operator=(const ValueView& value) {
  if (ValueView::Access::looks_into(value, store_->bytes())) {
    // What it looks at may move while it is copied, or be the very thing that is replaced.
    return *this = Value::copy_of(value);
  }
  Access::change(*this, "copy into", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.copy(place, ValueView::Access::reader(value), ValueView::Access::cell(value));
  });
  return *this;
}

ValueRef& ValueRef::operator=(const ValueRef& other) { return *this = other.view(); }
ValueRef& ValueRef::operator=(const Value& value) { return *this = value.view(); }

// --- tables -------------------------------------------------------------------------------------

ValueRef ValueRef::operator[](std::string_view key) {
  if (key.size() <= layout::kCellTextBytes) {
    ValuePlace table = Access::place(*this);
    const ValuePlace found = store_->builder().put_short(table, key);
    if (found.block != 0) return Access::ref(*this, found);
  }
  const Apart apart(*store_, bytes_of(key));
  const ValuePlace found =
      Access::change(*this, "put an entry into", [&](ValueBuilder& builder, ValuePlace& place) {
        return builder.put(place, text_key(apart.text()));
      });
  return Access::ref(*this, found);
}

ValueRef ValueRef::entry(const ValueView& key) {
  if (ValueView::Access::looks_into(key, store_->bytes())) {
    const Value apart = Value::copy_of(key);
    return entry(apart.view());
  }
  const Cell held = ValueView::Access::cell(key);
  const ValuePlace found =
      Access::change(*this, "put an entry into", [&](ValueBuilder& builder, ValuePlace& place) {
        return builder.put(place, Access::key_of(key, held));
      });
  return Access::ref(*this, found);
}

ValueRef ValueRef::entry_of_number(std::int64_t key) {
  const ValuePlace found =
      Access::change(*this, "put an entry into", [&](ValueBuilder& builder, ValuePlace& place) {
        return builder.put(place, integer_key(key));
      });
  return Access::ref(*this, found);
}

ValueRef& ValueRef::make_table(std::size_t expected, bool order_matters) {
  Access::change(*this, "make a table in", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_container(place, CellType::table,
                                 order_matters ? layout::kOrderMatters : std::uint8_t{0}, expected);
  });
  return *this;
}

bool ValueRef::remove(std::string_view key) { return Access::removed(*this, text_key(key)); }
bool ValueRef::remove(const ValueView& key) {
  const Cell held = ValueView::Access::cell(key);
  return Access::removed(*this, Access::key_of(key, held));
}

// --- lists --------------------------------------------------------------------------------------

ValueRef ValueRef::element(std::uint64_t index) {
  const ValuePlace found = Access::change(
      *this, "take an element of",
      [&](ValueBuilder& builder, ValuePlace& place) { return builder.element(place, index); });
  return Access::ref(*this, found);
}

ValueRef ValueRef::append() {
  const ValuePlace added = Access::change(
      *this, "append to",
      [](ValueBuilder& builder, ValuePlace& place) { return builder.append(place); });
  return Access::ref(*this, added);
}

ValueRef& ValueRef::make_list(std::size_t expected) {
  Access::change(*this, "make a list in", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_container(place, CellType::list, 0, expected);
  });
  return *this;
}

ValueRef& ValueRef::make_tuple(std::size_t expected) {
  Access::change(*this, "make a tuple in", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_container(place, CellType::tuple, 0, expected);
  });
  return *this;
}

bool ValueRef::remove_at(std::size_t index) {
  ValueBuilder builder = store_->builder();
  ValuePlace place = Access::place(*this);
  const auto outcome = builder.remove(place, std::uint64_t{index});
  if (outcome) return true;
  if (outcome.error() == Error::not_found) return false;
  store_->fail(outcome.error(), "remove an element of");
}

void ValueRef::clear() {
  Access::change(*this, "clear a part of",
                 [](ValueBuilder& builder, ValuePlace& place) { return builder.clear(place); });
}

void ValueRef::reserve(std::size_t expected) {
  Access::change(*this, "make room in", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.reserve(place, expected);
  });
}

// --- arrays -------------------------------------------------------------------------------------

std::span<std::byte> ValueRef::array_of(ElementType type, std::span<const std::size_t> shape) {
  static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
  const auto number = static_cast<std::uint8_t>(type.number);
  const auto detail =
      type.is_complex ? static_cast<std::uint8_t>(number | layout::kComplexFlag) : number;
  return Access::change(*this, "make an array in", [&](ValueBuilder& builder, ValuePlace& place) {
    return builder.set_array(place, detail, shape);
  });
}

ValueView ValueRef::view() const {
  ValueBuilder builder = store_->builder();
  ValuePlace place = Access::place(*this);
  const auto at = builder.address(place);
  if (!at) store_->fail(at.error(), "look at a part of");
  return ValueView(store_->bytes().data(), store_->bytes().size(), *at);
}

// --- the whole ----------------------------------------------------------------------------------

Value::Value() : store_(std::make_unique<ValueStore>()) {}
Value::Value(std::unique_ptr<ValueStore> store) noexcept : store_(std::move(store)) {}
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

ValueRef Value::root() {
  // One that was moved away begins anew.
  if (store_ == nullptr) store_ = std::make_unique<ValueStore>();
  return {store_.get(), 0, 0, 0, 0};
}

ValueView Value::view() const noexcept {
  return store_ != nullptr ? ValueView::Access::root(store_->reader()) : ValueView();
}

std::span<const std::byte> Value::bytes() const noexcept {
  static const ValueStore none;
  return store_ != nullptr ? store_->bytes() : none.bytes();
}

bool Value::is_shared() const noexcept { return store_ != nullptr && store_->is_shared(); }

Value Value::copy_of(const ValueView& value) {
  Value copy;
  copy.root() = value;
  return copy;
}

Value Value::from_bytes(std::span<const std::byte> bytes) {
  // A copy is made anew and would not show what is wrong with indexes and counts.
  const auto checked_copy = [](const ValueView& value) {
    value.check();
    return copy_of(value);
  };
  if (ValueReader::is_aligned(bytes.data())) return checked_copy(value_in(bytes));
  ValueStore aligned;
  aligned.expect(bytes.size());
  std::memcpy(aligned.base(), bytes.data(), bytes.size());
  return checked_copy(value_in({aligned.base(), bytes.size()}));
}

std::size_t Value::dead_bytes() const noexcept {
  return store_ != nullptr ? store_->dead_bytes() : 0;
}

void Value::compact() {
  const Value apart = copy_of(view());
  if (store_ != nullptr) store_->assign(apart.bytes());
}

}  // namespace tarn

// value_fuzz.cc - arbitrary bytes taken for a value: read, walked, compared, copied, changed.
//
// An answer or an Error, and nothing else: no byte outside the buffer is touched (it stands at the
// end of an allocation of its own), and everything ends.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#ifndef TARN_LIBFUZZER
#include <gtest/gtest.h>
#endif

#include "tarn/value.h"
#include "testing/fuzz.h"

namespace tarn {
namespace {

// So many parts are looked at one by one: links that share their blocks make more of a few.
constexpr int kMostParts = 2000;

class Reader {
 public:
  // Adds what it sees, so that no read is thrown away by the compiler.
  std::uint64_t sum() const { return sum_; }

  void read(const ValueView& view, int depth) {
    if (++parts_ > kMostParts || depth > 50) return;
    sum_ += static_cast<std::uint64_t>(view.type());
    attempt([&] { sum_ += view.size(); });
    attempt([&] { count(view.order_matters()); });
    read_scalars(view);
    read_arrays(view);
    count(view.contains("a"));
    count(view.contains("a key that stands in a block"));
    count(view.find_number(1).has_value());
    attempt([&] { read(view["n"], depth + 1); });
    attempt([&] { read(view[1], depth + 1); });
    attempt([&] {
      for (const auto [key, element] : view.entries()) {
        if (parts_ > kMostParts) break;
        read(key, depth + 1);
        read(element, depth + 1);
      }
    });
    attempt([&] {
      for (const ValueView element : view.elements()) {
        if (parts_ > kMostParts) break;
        read(element, depth + 1);
      }
    });
  }

 private:
  template <class Step>
  static void attempt(Step&& step) {
    try {
      step();
    } catch (const Error&) {
    }
  }

  void count(bool seen) { sum_ += seen ? 1u : 0u; }

  void read_scalars(const ValueView& view) {
    count(view.as_or<std::int8_t>(1) != 0);
    sum_ += view.as_or<std::uint64_t>(1);
    count(view.as_or<float>(1) > 0);
    count(view.as_or<std::complex<double>>(1).real() > 0);
    count(view.as_or(true));
    if (const auto text = view.try_text()) sum_ += touch(std::as_bytes(std::span(*text)));
    attempt([&] { count(view.rounded<float>() > 0); });
    attempt([&] { sum_ += touch(view.bytes()); });
    attempt([&] { sum_ += touch(view.big_integer().magnitude); });
    attempt([&] { sum_ += view.reference().words[4]; });
    attempt([&] { sum_ += static_cast<std::uint64_t>(view.element_type().number); });
  }

  void read_arrays(const ValueView& view) {
    if (const auto numbers = view.try_array<double>()) sum_ += touch(std::as_bytes(*numbers));
    attempt([&] { sum_ += touch(view.array_bytes()); });
    attempt([&] {
      for (const std::size_t extent : view.shape()) sum_ += extent;
    });
  }

  static std::uint64_t touch(std::span<const std::byte> bytes) {
    if (bytes.empty()) return 0;
    return std::to_integer<std::uint64_t>(bytes.front()) +
           std::to_integer<std::uint64_t>(bytes.back());
  }

  std::uint64_t sum_ = 0;
  int parts_ = 0;
};

// Changes a value as the input's bytes say.
class Changer {
 public:
  explicit Changer(Value& value) : value_(value) {}

  void change(std::span<const std::uint8_t> orders) {
    for (const std::uint8_t order : orders) {
      try {
        step(order);
      } catch (const Error&) {
        while (places_.size() > 1) places_.pop_back();
      }
    }
  }

 private:
  void step(std::uint8_t order) {
    ValueRef place = places_[order % places_.size()];
    const std::string key(order % 32, static_cast<char>('a' + order % 3));
    switch (order / 8 % 12) {
      case 0:
        keep(place[key]);
        break;
      case 1:
        keep(place.append());
        break;
      case 2:
        keep(place[order % 5]);
        break;
      case 3:
        place = key;
        break;
      case 4:
        place = std::complex<double>(order, 1);
        break;
      case 5:
        place.array<float>(order)[0] = order;
        break;
      case 6:
        place.remove(key);
        break;
      case 7:
        place.remove_at(order % 3);
        break;
      case 8:
        place = places_.front().view();
        break;
      case 9:
        place.clear();
        break;
      case 10:
        place.reserve(order);
        break;
      default:
        if (value_.bytes().size() > (1u << 16)) value_.compact();
        keep(value_.root());
    }
  }

  void keep(const ValueRef& place) {
    if (places_.size() < 64) places_.emplace_back(place);
  }

  Value& value_;
  std::vector<ValueRef> places_{value_.root()};
};

struct Free {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};

#ifndef TARN_LIBFUZZER

testkit::FuzzInput bytes_of(const Value& value) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(value.bytes().data());
  return {first, first + value.bytes().size()};
}

std::vector<testkit::FuzzInput> honest_values() {
  std::vector<testkit::FuzzInput> honest;
  Value value;
  honest.push_back(bytes_of(value));
  value["a"] = 1;
  value["n"]["a key that stands in a block"] = 0.5;
  value["n"]["x"].append("text");
  value["n"]["x"].append(std::string(100, 'x'));
  honest.push_back(bytes_of(value));
  value["f"].array<double>({3, 4})[11] = 1;
  value["c"] = std::complex<double>(1, 2);
  value["t"].make_tuple(2);
  value["t"].append(std::complex<float>(1, 2));
  value["r"].set_reference({2, {1, 2, 3, 4, 5}});
  value["b"].set_big_integer({true, std::as_bytes(std::span("123456789"))});
  for (int i = 0; i < 20; ++i) value["large"]["key " + std::to_string(i)] = i;
  value["large"].remove("key 7");
  honest.push_back(bytes_of(value));
  return honest;
}

TEST(ValueFuzz, ArbitraryBytesGiveAnAnswerOrAnError) {
  EXPECT_GT(testkit::fuzz_for_a_while(honest_values()), 100u);
}

#endif

}  // namespace
}  // namespace tarn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size_bytes) {
  using namespace tarn;
  // Exactly so large, and aligned like a message.
  void* memory = nullptr;
  if (::posix_memalign(&memory, 64, std::max<std::size_t>(size_bytes, 1)) != 0) return 0;
  const std::unique_ptr<std::byte, Free> held(static_cast<std::byte*>(memory));
  if (size_bytes > 0) std::memcpy(memory, input, size_bytes);
  const std::span<const std::byte> bytes(held.get(), size_bytes);
  const auto view = find_value(bytes);
  if (!view) return 0;
  const auto orders = std::span(input, size_bytes).last(std::min<std::size_t>(size_bytes, 64));
  Reader reader;
  reader.read(*view, 0);
  try {
    view->check();
    // What is whole can be copied, and the copy is as whole.
    const Value copy = Value::copy_of(*view);
    copy.view().check();
    static_cast<void>(copy.view() == *view);
  } catch (const Error&) {
  }
  try {
    Value copy = Value::copy_of(*view);
    Changer(copy).change(orders);
    copy.view().check();
  } catch (const Error&) {
  }
  try {
    // The bytes as they are, with whatever they share: nothing outside them is touched.
    Value taken = Value::from_bytes(bytes);
    Changer(taken).change(orders);
    static_cast<void>(taken.view() == *view);
  } catch (const Error&) {
  }
  return 0;
}

// borders_fuzz.cc - arbitrary bytes taken for JSON, MessagePack and CBOR, and for a value that is
// written as each of them.
//
// A value or an Error, and nothing else. What was read is whole, and what is written of it without
// loss reads back as the same. The first byte of the input says what the others are taken for.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#ifndef TARN_LIBFUZZER
#include <gtest/gtest.h>
#endif

#include "borders/read.h"
#include "borders/write.h"
#include "testing/fuzz.h"

namespace tarn {
namespace {

constexpr borders::Format kFormats[] = {borders::Format::json, borders::Format::msgpack,
                                        borders::Format::cbor};
// Of the first byte: the format in the low two bits, 3 for a value; then the options of reading.
constexpr unsigned kValue = 3;
constexpr unsigned kNoTags = 4;
constexpr unsigned kArrays = 8;
constexpr unsigned kLast = 16;

// No value, but input as it may come in any number: the rest of it is not looked at further.
constexpr std::size_t kMost = std::size_t{1} << 16;

std::string lossless(const ValueView& value, borders::Format format) {
  return borders::to_text(value, format, {.lossless = true});
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// As the text is the same, so is the value: also where it is no number.
void expect_whole(const Value& value) {
  value.view().check();
  const std::string text = lossless(value.view(), borders::Format::json);
  for (const borders::Format format : kFormats) {
    borders::to_text(value.view(), format);
    const Value again = borders::read_value(format, lossless(value.view(), format));
    require(lossless(again.view(), borders::Format::json) == text, "it did not come back");
  }
}

void take_for_format(borders::Format format, unsigned options, std::string_view input) {
  borders::BytesSource source(input);
  borders::Reader reader(format, source,
                         {.tags = (options & kNoTags) == 0,
                          .number_arrays = (options & kArrays) != 0,
                          .last_of_duplicates = (options & kLast) != 0});
  for (;;) {
    Value value;
    try {
      if (!reader.next(value.root())) return;
    } catch (const Error& error) {
      require(!error.object().empty() && error.object().size() < 2000, "an error without words");
      return;
    }
    expect_whole(value);
  }
}

void take_for_value(std::string_view input) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, 64, std::max<std::size_t>(input.size(), 1)) != 0) return;
  const std::unique_ptr<void, void (*)(void*)> held(memory, std::free);
  std::memcpy(memory, input.data(), input.size());
  const auto view = find_value({static_cast<const std::byte*>(memory), input.size()});
  if (!view) return;
  for (const borders::Format format : kFormats) {
    for (const bool is_lossless : {false, true}) {
      try {
        borders::to_text(*view, format, {.lossless = is_lossless, .pretty = !is_lossless});
      } catch (const Error&) {
      }
    }
  }
}

#ifndef TARN_LIBFUZZER

constexpr const char* kTexts[] = {
    R"({"a":[1,-300,1.5,"text",null,true,-0.0],"b":{"$bytes":"AAEC"},"n":{"$float":"nan"}})",
    R"({"c":{"$tuple":[{"$complex":[1,2]},{"$tuple":[{"$tuple":[]}]}]}})",
    R"([{"$array":"int16","shape":[1,2],"data":"AQACAA=="},{"$array":"complex_float32","shape":[1],)"
    R"("data":"AACAPwAAAEA="}])",
    R"({"$table":[[1,2],[{"$bytes":"AA=="},[[[]]]],[null,{"$ordered":[["x",1],["y",{}]]}]]})",
    R"([{"$integer":"-0x10000000000000000"},18446744073709551615,{"$ext":5,"data":{"$bytes":"AA=="}}])",
};

testkit::FuzzInput with_selector(unsigned selector, std::string_view content) {
  testkit::FuzzInput input{static_cast<std::uint8_t>(selector)};
  input.insert(input.end(), content.begin(), content.end());
  return input;
}

std::vector<testkit::FuzzInput> honest_inputs() {
  using namespace std::string_view_literals;
  std::vector<testkit::FuzzInput> inputs;
  for (const char* text : kTexts) {
    const Value value = borders::read_value(borders::Format::json, text);
    for (unsigned format = 0; format < 3; ++format) {
      const std::string bytes = lossless(value.view(), kFormats[format]);
      for (const unsigned options : {0u, kNoTags, kArrays, kArrays | kLast}) {
        inputs.push_back(with_selector(format | options, bytes));
      }
    }
    const auto bytes = value.bytes();
    inputs.push_back(
        with_selector(kValue, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  for (const auto bytes : {"\x7f\x61\x61\x60\xff"sv, "\xc2\x5f\x41\x01\x41\x02\xff"sv,
                           "\xd8\x28\x82\x82\x01\x02\x82\x05\xf9\x3c\x00"sv,
                           "\x9f\xbf\x61\x61\xd8\x51\x44\x3f\x80\x00\x00\xff\xff"sv,
                           "\xa3\x01\x02\x20\x03\x41\x00\x9b\x00\x00\x00\x00\x00\x00\x00\x00"sv}) {
    inputs.push_back(with_selector(2, bytes));
    inputs.push_back(with_selector(2 | kArrays, bytes));
  }
  return inputs;
}

TEST(BordersFuzz, ArbitraryBytesAreAValueOrAnError) {
  EXPECT_GT(testkit::fuzz_for_a_while(honest_inputs()), 100u);
}

#endif

}  // namespace
}  // namespace tarn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size_bytes) {
  using namespace tarn;
  if (size_bytes < 1 || size_bytes > kMost) return 0;
  const unsigned selector = input[0];
  const std::string_view content(reinterpret_cast<const char*>(input + 1), size_bytes - 1);
  if ((selector & 3) == kValue) {
    take_for_value(content);
  } else {
    take_for_format(kFormats[selector & 3], selector, content);
  }
  return 0;
}

// misread_test.cc - input that the parser by itself would take for something else, or not survive.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <string>

#include "borders/read.h"
#include "borders/write.h"

namespace tarn::borders {
namespace {

using namespace std::string_literals;

struct Outcome {
  Error::Code code = Error::none;
  std::string object = {};
  std::string cure = {};
};

Outcome outcome_of(Format format, const std::string& input, ReadOptions options = {}) {
  try {
    read_value(format, input, options);
    return {};
  } catch (const Error& error) {
    return {error.code(), error.object(), error.cure()};
  }
}
std::string json_of(const Value& value) {
  return to_text(value.view(), Format::json, {.lossless = true});
}

TEST(MisreadTest, TextInChunksIsOneText) {
  EXPECT_EQ(json_of(read_value(Format::cbor, "\x7f\x62\x61\x62\x60\x78\x01\x63\xff"s)), "\"abc\"");
  EXPECT_EQ(json_of(read_value(Format::cbor, "\x5f\x41\x00\x42\x01\xff\xff"s)),
            R"({"$bytes":"AAH/"})");
  EXPECT_EQ(json_of(read_value(Format::cbor, "\x82\x7f\xff\x5f\xff"s)), R"(["",{"$bytes":""}])");
  EXPECT_EQ(json_of(read_value(Format::cbor, "\xa1\x7f\x61\x61\xff\x01"s)), R"({"a":1})");
  EXPECT_EQ(json_of(read_value(Format::cbor, "\xc2\x5f\x41\x01\x48\0\0\0\0\0\0\0\0\xff"s)),
            "18446744073709551616");
}

TEST(MisreadTest, ChunksInChunksAreRefused) {
  for (const std::string& bad :
       {std::string(40'000, '\x7f'), std::string(3'000'000, '\x5f'), "\x7f\x7f\x61\x61\xff\xff"s,
        "\x5f\x61\x61\xff"s, "\x7f\x41\x61\xff"s, "\x7f\x01\xff"s, "\x7f\xc1\x61\x61\xff"s,
        "\x7f\x7c\xff"s, "\xa1\x7f\x7f\xff\xff\x01"s}) {
    const Outcome outcome = outcome_of(Format::cbor, bad);
    EXPECT_EQ(outcome.code, Error::corrupt) << testing::PrintToString(bad.substr(0, 20));
    EXPECT_NE(outcome.object.find("chunks"), std::string::npos) << outcome.object;
  }
  for (const std::string& cut : {"\x7f"s, "\x7f\x62\x61"s, "\x7f\x78"s, "\x5f\x5b\xff\xff"s,
                                 "\x7f\x7b\xff\xff\xff\xff\xff\xff\xff\xff\x61"s}) {
    EXPECT_EQ(outcome_of(Format::cbor, cut).code, Error::corrupt) << testing::PrintToString(cut);
  }
}

TEST(MisreadTest, TheLargestCountIsNotNone) {
  for (const std::string& head :
       {"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"s, "\xbb\xff\xff\xff\xff\xff\xff\xff\xff"s}) {
    EXPECT_EQ(outcome_of(Format::cbor, head + "\x01\x02\xff").code, Error::corrupt);
  }
  EXPECT_EQ(json_of(read_value(Format::cbor, "\x9b\0\0\0\0\0\0\0\x02\x01\x02"s)), "[1,2]");
  EXPECT_EQ(json_of(read_value(Format::cbor, "\xbb\0\0\0\0\0\0\0\x01\x61\x61\x02"s)), R"({"a":2})");
}

TEST(MisreadTest, TagsThatSayNothingSensibleAreRefused) {
  for (const std::string& bad :
       {"\xa1\xc2\x41\x01\x01"s,      // a big integer for a key
        "\xa1\xd8\x40\x61\x61\x01"s,  // a typed array for one
        "\xc2\xd8\x40\x41\x01"s, "\xc2\xc3\x41\x01"s,
        "\xc2\xc1\x41\x01"s,  // two tags
        "\x9f\xc1\xff"s, "\x9f\xc2\xff"s, "\xbf\xc1\xff"s,
        // An array where a tagged table has its list, or that has a pair.
        "\xa1\x66$table\xd8\x28\x81\x82\x01\x02"s, "\xa1\x66$table\x81\xd8\x28\x82\x01\x02"s,
        "\xa1\x66$tuple\xd8\x28\x82\x01\x02"s}) {
    EXPECT_EQ(outcome_of(Format::cbor, bad).code, Error::corrupt) << testing::PrintToString(bad);
  }
  // Those that do not matter are dropped, as many as there are.
  EXPECT_EQ(json_of(read_value(Format::cbor, "\xd9\xd9\xf7\xc1\xc2\x41\x05"s)), "5");
  EXPECT_EQ(json_of(read_value(Format::cbor, "\xa1\xc1\x61\x61\xc1\x05"s)), R"({"a":5})");
}

// What has a form keeps it when lists become arrays.
TEST(MisreadTest, ListsOfTaggedFormsStayLists) {
  for (const auto* text :
       {R"({"$complex":[1,2]})", R"([{"$complex":[1.5,-2.0]},1])",
        R"({"$array":"int16","shape":[1,2],"data":"AQACAA=="})", R"({"$tuple":[1,2]})",
        R"({"$table":[[1,2],[3,4]]})", R"({"$ordered":[["a",2],["b",4]]})"}) {
    const Value plain = read_value(Format::json, text);
    EXPECT_EQ(json_of(read_value(Format::json, text, {.number_arrays = true})), text);
    for (const Format format : {Format::msgpack, Format::cbor}) {
      const std::string bytes = to_text(plain.view(), format, {.lossless = true});
      EXPECT_EQ(json_of(read_value(format, bytes, {.number_arrays = true})), text);
    }
  }
  // Tag 40 with a list.
  EXPECT_EQ(json_of(read_value(Format::cbor, "\xd8\x28\x82\x82\x01\x02\x82\x05\x06"s,
                               {.number_arrays = true})),
            R"({"$array":"int64","shape":[1,2],"data":"BQAAAAAAAAAGAAAAAAAAAA=="})");
}

TEST(MisreadTest, FormsInsideFormsAreRefused) {
  for (const auto* text : {R"({"$bytes":{"$bytes":"AA=="}})", R"({"$float":{"$float":"nan"}})",
                           R"({"$array":"int8","shape":[1],"data":{"$bytes":"AA=="}})"}) {
    EXPECT_EQ(outcome_of(Format::json, text).code, Error::corrupt) << text;
  }
  std::string nested;
  for (int i = 0; i < 500; ++i) nested += "\xd8\x28\x82\x81\x01";
  EXPECT_EQ(outcome_of(Format::cbor, nested + "\x81\x01").code, Error::corrupt);
}

TEST(MisreadTest, CountsThatLieCostLittle) {
  std::string heads;
  for (int i = 0; i < 900; ++i) heads += "\x9a\x7f\xff\xff\xff";
  BytesSource source(heads);
  Reader reader(Format::cbor, source);
  Value value;
  EXPECT_THROW(reader.next(value.root()), Error);
  EXPECT_LT(value.bytes().size(), std::size_t{1} << 20);
}

TEST(MisreadTest, ComplexIntegersAboveTheSignedOnesStayExact) {
  const std::string text = R"({"$complex":[18446744073709551615,1]})";
  const Value value = read_value(Format::json, text);
  EXPECT_EQ(value.view().any_complex().real, ~std::uint64_t{0});
  EXPECT_EQ(json_of(value), text);
  EXPECT_EQ(outcome_of(Format::json, R"({"$complex":[18446744073709551615,-1]})").code,
            Error::corrupt);
}

TEST(MisreadTest, NarrowNumbersAndTheirPartsComeBack) {
  Value value;
  value["f"] = 0.1f;
  value["c"] = std::complex<float>(0.1f, -0.0f);
  value["i"].set_complex(ValueType::int16, 5, 0xFFFF);
  value["a"].array<std::complex<float>>(1)[0] = {0.1f, 2};
  value["b"].array<float>({2, 1})[1] = 0.1f;
  for (const Format format : {Format::json, Format::msgpack, Format::cbor}) {
    const std::string bytes = to_text(value.view(), format, {.lossless = true});
    const Value read = read_value(format, bytes);
    EXPECT_EQ(read.view(), value.view()) << name_of(format);
    EXPECT_EQ(read.view()["i"].any_complex().imaginary, ~std::uint64_t{0}) << name_of(format);
  }
}

TEST(MisreadTest, NumbersOfAllFormatsMakeTheSameArrays) {
  Value value;
  value.append(1.5);
  value.append(std::nan(""));
  for (const Format format : {Format::json, Format::msgpack, Format::cbor}) {
    const Value read = read_value(format, to_text(value.view(), format), {.number_arrays = true});
    EXPECT_EQ(read.view().type(), ValueType::array) << name_of(format);
  }
  const Value mixed = read_value(Format::json, R"([1,{"$bytes":""}])", {.number_arrays = true});
  EXPECT_EQ(mixed.view().type(), ValueType::list);
}

TEST(MisreadTest, ForeignBooleansBecomeBooleans) {
  const Value value = read_value(Format::json, R"({"$array":"boolean","shape":[3],"data":"AAL/"})");
  EXPECT_EQ(json_of(value), R"({"$array":"boolean","shape":[3],"data":"AAEB"})");
}

TEST(MisreadTest, ExtensionsReplaceWhatStoodThere) {
  const std::string input = "\x82\xa1\x61\x82\xa4$ext\x01\xa1x\x02\xa1\x61\xd4\x05\x07"s;
  const Value value = read_value(Format::msgpack, input, {.last_of_duplicates = true});
  EXPECT_EQ(json_of(value), R"({"a":{"$ext":5,"data":{"$bytes":"Bw=="}}})");
}

TEST(MisreadTest, TheLastOfDuplicatesReplacesContainers) {
  const ReadOptions last{.last_of_duplicates = true};
  EXPECT_EQ(json_of(read_value(Format::json, R"({"a":{"x":1},"a":{"y":2}})", last)),
            R"({"a":{"y":2}})");
  EXPECT_EQ(json_of(read_value(Format::json, R"({"a":[1,2],"a":[3]})", last)), R"({"a":[3]})");
  EXPECT_EQ(json_of(read_value(Format::json, R"({"a":[1],"a":{"$tuple":[]}})", last)),
            R"({"a":{"$tuple":[]}})");
}

TEST(MisreadTest, TheSignOfZeroIsKept) {
  const Value value = read_value(Format::json, "[-0,0,-0.0]");
  EXPECT_TRUE(std::signbit(value.view()[0].as<double>()));
  EXPECT_EQ(value.view()[1].type(), ValueType::int64);
  EXPECT_EQ(json_of(value), "[-0.0,0,-0.0]");
}

TEST(MisreadTest, ErrorsAreShortAndSayWhatToDo) {
  const Outcome huge = outcome_of(Format::json, "\"" + std::string(300'000, 'x') + "\n\"");
  EXPECT_EQ(huge.code, Error::corrupt);
  EXPECT_LT(huge.object.size(), 500u);
  const Outcome real = outcome_of(Format::json, "1E400");
  EXPECT_EQ(real.code, Error::out_of_range);
  EXPECT_EQ(real.cure.find("$integer"), std::string::npos) << real.cure;
  const Outcome whole = outcome_of(Format::json, std::string(400, '9'));
  EXPECT_NE(whole.cure.find("$integer"), std::string::npos) << whole.cure;
}

// Hands out its piece so many times.
class Endless final : public Source {
 public:
  Endless(std::string first, std::string piece, int count)
      : first_(std::move(first)), piece_(std::move(piece)), left_(count) {}
  std::span<const std::byte> next() override {
    if (!first_.empty()) return std::as_bytes(std::span(given_ = std::exchange(first_, {})));
    if (left_ == 0) return {};
    --left_;
    return std::as_bytes(std::span(piece_));
  }
  int left() const { return left_; }

 private:
  std::string first_;
  std::string given_ = {};
  std::string piece_;
  int left_;
};

TEST(MisreadTest, AnItemAboveItsLimitIsRefusedBeforeAllOfItIsRead) {
  const std::string much(1000, '1');
  struct {
    Format format;
    std::string first;
  } const cases[] = {{Format::json, "\""},   {Format::json, "[0."},
                     {Format::json, "0."},   {Format::cbor, "\x7a\x7f\xff\xff\xff"},
                     {Format::cbor, "\x9f"}, {Format::msgpack, "\xc6\x7f\xff\xff\xff"}};
  for (const auto& [format, first] : cases) {
    Endless source(first, much, 100);
    Reader reader(format, source, {.item_limit_bytes = 10'000});
    Value value;
    try {
      reader.next(value.root());
      ADD_FAILURE() << first;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Error::too_large) << first;
    }
    EXPECT_GT(source.left(), 85) << first;
  }
  // It is about one item, not about all of them.
  Endless source(" ", "[1,2,3,4] ", 100);
  Reader reader(Format::json, source, {.item_limit_bytes = 50});
  Value value;
  while (reader.next(value.root())) {
  }
  EXPECT_EQ(reader.count(), 100u);
}

}  // namespace
}  // namespace tarn::borders

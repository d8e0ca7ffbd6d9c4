#include "borders/base64.h"

#include <gtest/gtest.h>

namespace tarn::borders {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct Pair {
  std::string_view bytes;
  std::string_view text;
};

// Those of RFC 4648, section 10.
TEST(Base64Test, TheTestVectorsOfTheStandardBothWays) {
  for (const auto& [bytes, text] :
       {Pair{"", ""}, Pair{"f", "Zg=="}, Pair{"fo", "Zm8="}, Pair{"foo", "Zm9v"},
        Pair{"foob", "Zm9vYg=="}, Pair{"foobar", "Zm9vYmFy"}, Pair{"\xff\xff\xfe", "///+"}}) {
    EXPECT_EQ(to_base64(bytes_of(bytes)), text);
    const auto decoded = from_base64(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_TRUE(std::ranges::equal(*decoded, bytes_of(bytes))) << text;
  }
}

TEST(Base64Test, PaddingMayBeLeftOut) {
  EXPECT_EQ(from_base64("Zg")->size(), 1u);
  EXPECT_EQ(from_base64("Zm8")->size(), 2u);
}

TEST(Base64Test, WhatIsNoneIsRefused) {
  for (const char* text : {"Z", "Zg=", "Zg=a", "Z===", "Zm9v=", "Zh==", "Zm9vY g=", "-_-_"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace tarn::borders

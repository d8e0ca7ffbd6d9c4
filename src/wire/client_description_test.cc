#include "wire/client_description.h"

#include <gtest/gtest.h>

namespace tarn::wire {
namespace {

ClientDescription some() {
  ClientDescription description;
  description.arguments = {"./grab", "--rate", "50", ""};
  description.environment = {"PATH=/bin", "EMPTY="};
  description.limits = {{1, 2}, {3, ~std::uint64_t{0}}};
  description.file_mode_mask = 027;
  description.policy.restart = RestartWhen::always;
  description.policy.limit_count = 9;
  return description;
}

TEST(ClientDescriptionTest, ComesBackAsItWas) {
  const auto bytes = encode_description(some());
  ASSERT_TRUE(bytes);
  const auto back = decode_description(*bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->arguments, some().arguments);
  EXPECT_EQ(back->environment, some().environment);
  ASSERT_EQ(back->limits.size(), 2u);
  EXPECT_EQ(back->limits[1].soft, 3u);
  EXPECT_EQ(back->file_mode_mask, 027u);
  EXPECT_EQ(back->policy.restart, RestartWhen::always);
  EXPECT_EQ(back->policy.limit_count, 9u);
}

TEST(ClientDescriptionTest, EveryCutAndEveryChangedByteOfTheHeaderIsSurvived) {
  const auto bytes = *encode_description(some());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_description(std::span(bytes).first(size))) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= std::byte{0xff};
    const auto back = decode_description(changed);
    if (back) {
      EXPECT_FALSE(back->arguments.empty());
    }
  }
}

TEST(ClientDescriptionTest, WhatCannotBeIsRefused) {
  ClientDescription none = some();
  none.arguments.clear();
  EXPECT_EQ(encode_description(none).error().code(), Error::invalid_argument);
  ClientDescription nul = some();
  nul.arguments.emplace_back("a\0b", 3);
  EXPECT_EQ(encode_description(nul).error().code(), Error::invalid_argument);
  ClientDescription large = some();
  large.environment.emplace_back(kMaxDescriptionBytes, 'x');
  EXPECT_EQ(encode_description(large).error().code(), Error::too_large);
  ClientDescription backwards = some();
  backwards.policy.backoff_most_ns = backwards.policy.backoff_first_ns - 1;
  EXPECT_EQ(encode_description(backwards).error().code(), Error::invalid_argument);
}

TEST(ClientDescriptionTest, NamesThatLookLikeOptionsAreRefused) {
  EXPECT_TRUE(check_client_name("camera"));
  EXPECT_FALSE(check_client_name("-f"));
  EXPECT_FALSE(check_client_name("two words"));
  EXPECT_FALSE(check_client_name(""));
}

TEST(ClientDescriptionTest, CommandTextIsCutAndPrintable) {
  EXPECT_EQ(command_text({"ls", "-l"}, 20), "ls -l");
  EXPECT_EQ(command_text({"echo", "a\nb"}, 20), "echo a?b");
  EXPECT_EQ(command_text({"0123456789", "0123456789"}, 12), "012345678...");
}

}  // namespace
}  // namespace tarn::wire

#include "daemon/store/record.h"

#include <gtest/gtest.h>

namespace tarn::daemon {
namespace {

TEST(RecordTest, ComesBackUnderItsOwnKey) {
  StoredSession session{};
  session.index = 7;
  session.generation = 3;
  session.token[0] = 9;
  const auto bytes = encode_record(session);
  const auto back = decode_record<StoredSession>(key_of(session), bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->index, 7u);
  EXPECT_EQ(back->generation, 3u);
  EXPECT_EQ(back->token[0], 9u);
}

TEST(RecordTest, OtherSizeKindOrKeyIsNothing) {
  StoredPipe pipe{};
  pipe.id = 5;
  const auto bytes = encode_record(pipe);
  EXPECT_TRUE(decode_record<StoredPipe>(key_of(pipe), bytes));
  EXPECT_FALSE(decode_record<StoredPipe>(key_of(pipe), bytes.first(bytes.size() - 1)));
  EXPECT_FALSE(decode_record<StoredPipe>({RecordKind::segment, 5}, bytes));
  EXPECT_FALSE(decode_record<StoredPipe>({RecordKind::pipe, 6}, bytes));
  EXPECT_FALSE(decode_record<StoredSegment>(key_of(pipe), bytes));
  EXPECT_FALSE(decode_record<StoredPipe>(key_of(pipe), {}));
}

TEST(RecordTest, LinksOfDifferentPairsHaveDifferentKeys) {
  EXPECT_NE(key_of(StoredViewing{1, 2}), key_of(StoredViewing{2, 1}));
  EXPECT_NE(key_of(StoredViewing{1, 2}), key_of(StoredCarrying{1, 2}));
  EXPECT_EQ(key_of(StoredOpening{1, 2, 3}), key_of(StoredOpening{1, 2, 4}));
}

}  // namespace
}  // namespace tarn::daemon

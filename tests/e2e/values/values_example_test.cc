// values_example_test.cc - the programs of examples/values, as docs/guide/values.md tells of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;

class ValuesExampleTest : public CliTest {
 protected:
  static Program::Arguments example(const std::string& name, Words words = {}) {
    words.insert(words.begin(), TARN_TEST_BIN_DIR "/values-" + name);
    return words;
  }
};

TEST_F(ValuesExampleTest, TheTourFindsEverythingAsItSays) {
  const Outcome outcome = Program(example("tour")).wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("height_m is float64"));
}

TEST_F(ValuesExampleTest, RecordsGoFromProducerToConsumerWithoutACopy) {
  output_of({"pipe", "create", "records", "--capacity", "8"});
  Program consumer(example("consumer"));
  const Outcome produced = Program(example("producer", {"20"})).wait();
  EXPECT_EQ(produced.exit_code, 0) << produced.err;
  const Outcome consumed = consumer.wait();
  EXPECT_EQ(consumed.exit_code, 0) << consumed.err;
  EXPECT_THAT(consumed.out, HasSubstr("19: "));
  const std::string peaks = output_of({"pipe", "pop", "peaks", "--all"});
  EXPECT_EQ(std::count(peaks.begin(), peaks.end(), '\n'), 20);
  EXPECT_THAT(peaks, HasSubstr("\"station\":{\"name\":\"north\"}"));
  EXPECT_EQ(json_of({"pipe", "info", "peaks"})["copied_in"], 0);
}

}  // namespace
}  // namespace tarn::e2e

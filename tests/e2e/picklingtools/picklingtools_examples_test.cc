// examples_test.cc - the example programs as real processes, as their users run them.
#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;

using testkit::Arguments;
using testkit::Child;

class PicklingToolsExamplesTest : public testkit::RegionTest {};

// The packet of the originals' client example, to the letter.
std::string packet(int sequence, bool transformed) {
  std::ostringstream text;
  text << "{\n    'bi':10000000000000000000000000000000L,\n"
       << "    'bu':10000000000000000000000000000000L,\n";
  if (transformed) text << "    'my_sequence':" << sequence + 100 << ",\n";
  text << "    'sequence_number':" << sequence << "\n}\n";
  return text.str();
}

std::string packets(int count, bool transformed) {
  std::string text;
  for (int i = 0; i < count; ++i) text += packet(i, transformed);
  return text;
}

TEST_F(PicklingToolsExamplesTest, ServerMiddleAndClientPassEveryPacketOn) {
  // In the wrong order, so that they have to wait for each other.
  Child client = example("clientside_ex", {kRegion, "pipe2", "500"});
  Child middle = example("middleside_ex", {kRegion, "pipe1", "pipe2", "4", "500"});
  Child server = example("serverside_ex", {kRegion, "1000000", "pipe1", "4", "500"});
  expect_success_of(server, "serverside_ex");
  expect_success_of(middle, "middleside_ex");
  expect_success_of(client, "clientside_ex");
  EXPECT_EQ(read(output_of("clientside_ex")), packets(500, true));
}

TEST_F(PicklingToolsExamplesTest, AMiddleStageThatChangesNothingHandsTheSameMessagesOn) {
  Child client = example("clientside_ex", {kRegion, "pipe2", "200"});
  Child middle = example("middleside_ex", {kRegion, "pipe1", "pipe2", "4", "200", "--pass"});
  Child server = example("serverside_ex", {kRegion, "1000000", "pipe1", "4", "200"});
  expect_success_of(server, "serverside_ex");
  expect_success_of(middle, "middleside_ex");
  expect_success_of(client, "clientside_ex");
  EXPECT_EQ(read(output_of("clientside_ex")), packets(200, false));
}

TEST_F(PicklingToolsExamplesTest, MulticastGivesEveryReaderEveryPacket) {
  Child first = example("clientside_ex", {kRegion, "out0", "100"});
  Child second = example("clientside_ex", {kRegion, "out1", "100"}, "second");
  Child multicast = example("multicast_ex", {kRegion, "pipe1", "2", "4", "60", "100"});
  Child server = example("serverside_ex", {kRegion, "1000000", "pipe1", "4", "100"});
  expect_success_of(server, "serverside_ex");
  expect_success_of(multicast, "multicast_ex");
  expect_success_of(first, "clientside_ex");
  expect_success_of(second, "second");
  EXPECT_EQ(read(output_of("clientside_ex")), packets(100, false));
  EXPECT_EQ(read(output_of("second")), packets(100, false));
}

TEST_F(PicklingToolsExamplesTest, MulticastDropsWhatAReaderIsTooSlowFor) {
  Child reader = example("clientside_ex", {kRegion, "out0", "50"});
  // Nobody reads out1, which has room for four.
  Child multicast = example("multicast_ex", {kRegion, "pipe1", "2", "4", "0.01", "50"});
  Child server = example("serverside_ex", {kRegion, "1000000", "pipe1", "4", "50"});
  expect_success_of(server, "serverside_ex");
  expect_success_of(multicast, "multicast_ex");
  const std::string errors = read(output_of("multicast_ex") + ".errors");
  const auto count = [&](const std::string& line) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = errors.find(line, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count("Reader 1 is too slow, dropping packet\n"), 46u);
  // A reader that is scheduled late may miss some as well; what it gets is whole and in order.
  const std::size_t missed = count("Reader 0 is too slow, dropping packet\n");
  if (missed == 0) {
    expect_success_of(reader, "clientside_ex");
    EXPECT_EQ(read(output_of("clientside_ex")), packets(50, false));
  }
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }

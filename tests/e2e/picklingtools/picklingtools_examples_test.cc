// examples_test.cc - the example programs as real processes, as their users run them.
#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;

using testkit::Arguments;
using testkit::Child;

class PicklingToolsExamplesTest : public testkit::RegionTest {};

// The packet of the originals' client example, to the letter.
std::string packet_text(int sequence, bool transformed) {
  std::ostringstream text;
  text << "{\n    'bi':10000000000000000000000000000000L,\n"
       << "    'bu':10000000000000000000000000000000L,\n";
  if (transformed) text << "    'my_sequence':" << sequence + 100 << ",\n";
  text << "    'sequence_number':" << sequence << "\n}\n";
  return text.str();
}

std::string packets(int count, bool transformed) {
  std::string text;
  for (int i = 0; i < count; ++i) text += packet_text(i, transformed);
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

// A removed entry leaves a gap, which no message that was made anew would have.
TEST_F(PicklingToolsExamplesTest, AMiddleStageThatChangesNothingHandsTheSameBytesOn) {
  SHMMain main(kRegion, 1000000);
  main.start();
  ServerSide in(kRegion, "pipe1", 4);
  in.start();
  Child middle = example("middleside_ex", {kRegion, "pipe1", "pipe2", "4", "1", "--pass"});
  Session session = connect(options());
  Value value = session.value();
  value["gone"] = std::string(200, 'x');
  value["sequence_number"] = 1;
  value.root().remove("gone");
  const std::vector<std::byte> before(value.bytes().begin(), value.bytes().end());
  ASSERT_EQ(session.open_pipe("pipe1").push(std::move(value)), PushStatus::ok);
  ClientSide out(kRegion, "pipe2");
  out.start();
  const Popped popped = session.open_pipe("pipe2").pop();
  const std::span<const std::byte> after = popped.message.bytes();
  EXPECT_TRUE(std::equal(after.begin(), after.end(), before.begin(), before.end()));
  expect_success_of(middle, "middleside_ex");
}

TEST_F(PicklingToolsExamplesTest, MulticastDropsWhatAReaderIsTooSlowFor) {
  constexpr int kPackets = 50;
  SHMMain main(kRegion, 1000000);
  main.start();
  ServerSide server(kRegion, "pipe1", 4);
  server.start();
  // Nobody reads out1, which has room for four.
  Child multicast = example("multicast_ex", {kRegion, "pipe1", "2", "4", "0.01", "50"});
  ClientSide reader(kRegion, "out0");
  reader.start();
  std::vector<int> came;
  const auto read_some = [&](double patience) {
    for (Val packet; reader.pipe().dequeue(patience, packet);) {
      came.push_back(packet["n"]);
      EXPECT_EQ(string(packet["text"]), string(100 + static_cast<std::size_t>(came.back()), 'x'));
    }
  };
  for (int n = 0; n < kPackets; ++n) {
    Tab packet;
    packet["n"] = n;
    packet["text"] = string(100 + static_cast<std::size_t>(n), 'x');
    server.pipe().enq(packet);
    read_some(0);
  }
  while (!multicast.has_ended()) read_some(.01);
  read_some(0);
  expect_success_of(multicast, "multicast_ex");
  const std::string errors = read(output_of("multicast_ex") + ".errors");
  const auto count = [&](const std::string& line) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = errors.find(line, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count("Reader 1 is too slow, dropping packet\n"), kPackets - 4u);
  // Who is scheduled late may miss some as well; what comes is in order, and all that was not
  // dropped.
  EXPECT_EQ(came.size() + count("Reader 0 is too slow, dropping packet\n"), std::size_t{kPackets});
  EXPECT_TRUE(std::is_sorted(came.begin(), came.end()));
  EXPECT_EQ(std::adjacent_find(came.begin(), came.end()), came.end());
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }

// picklingtools_received_test.cc - received packets in the hands of programs: changed in every way,
// read by several threads, inherited by a child, handed on by a stage that only looks.
#include <sys/wait.h>

#include <thread>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;

class PicklingToolsReceivedTest : public testkit::RegionTest {
 protected:
  PicklingToolsReceivedTest()
      : main_(kRegion, 1000000), server_(kRegion, "pipe", 64), second_(kRegion, "second", 64) {
    main_.start();
    server_.start();
    second_.start();
    session_ = connect(options());
  }
  Val passed(const Val& value) {
    server_.pipe().enq(value);
    return server_.pipe().deq();
  }
  // Received by a stage, looked at by `look`, handed on: the bytes that went in and came out.
  template <class Look>
  std::pair<std::vector<std::byte>, std::vector<std::byte>> staged(Value value, Look&& look) {
    std::vector<std::byte> in(value.bytes().begin(), value.bytes().end());
    EXPECT_EQ(session_.open_pipe("pipe").push(std::as_const(value)), PushStatus::ok);
    Val packet = server_.pipe().deq();
    look(packet);
    second_.pipe().enq(packet);
    const Popped popped = session_.open_pipe("second").pop();
    const std::span<const std::byte> out = popped.message.bytes();
    return {in, {out.begin(), out.end()}};
  }

  SHMMain main_;
  ServerSide server_;
  ServerSide second_;
  Session session_;
};

TEST_F(PicklingToolsReceivedTest, WhatContainsItselfTwiceIsRefusedAtOnce) {
  Val round = new Tab();
  round["a"] = round;
  round["b"] = round;
  EXPECT_THROW(server_.pipe().enqueue(round, 1), logic_error);
  round["a"] = None;
  round["b"] = None;
}

OC::Array<int_4> five() {
  OC::Array<int_4> array;
  for (int i = 0; i < 5; ++i) array.append(i);
  return array;
}

TEST_F(PicklingToolsReceivedTest, EveryChangeOfAReceivedArrayWorksOnACopy) {
  using Change = void (*)(OC::Array<int_4>&);
  const Change changes[] = {
      [](auto& a) { a.removeAt(1); },
      [](auto& a) { a.removeFirst(); },
      [](auto& a) { a.removeLast(); },
      [](auto& a) { a.removeRange(1, 3); },
      [](auto& a) { a.remove(3); },
      [](auto& a) { a.removeAll(3); },
      [](auto& a) { a.append(7); },
      [](auto& a) { a.insert(7); },
      [](auto& a) { a.prepend(7); },
      [](auto& a) { a.insertAt(2, 7); },
      [](auto& a) { a.fill(7, 2); },
      [](auto& a) { a.expandTo(9); },
      [](auto& a) { a.expandBy(-2); },
      [](auto& a) { a.resize(50); },
      [](auto& a) { a.clear(); },
      [](auto& a) { a[4] = 9; },
      [](auto& a) { a(0) = 9; },
      [](auto& a) { *(a.end() - 1) = 9; },
      [](auto& a) { *a.begin() = 9; },
      [](auto& a) { a.data()[3] = 9; },
      [](auto& a) { a += a; },
      [](auto& a) { a = OC::Array<int_4>(a); },
      [](auto& a) {
        OC::Array<int_4> other(a);
        a.swap(other);
      },
  };
  for (const Change change : changes) {
    OC::Array<int_4> expected = five();
    change(expected);
    Val packet = passed(Val(five()));
    OC::Array<int_4>& array = packet;
    change(array);
    EXPECT_EQ(array, expected) << &change - changes;
    Val inside = passed(Tup(five(), 1))[0];
    change(static_cast<OC::Array<int_4>&>(inside));
    EXPECT_EQ(inside, expected) << &change - changes;
  }
}

TEST_F(PicklingToolsReceivedTest, EveryChangeOfAReceivedListAndTableWorks) {
  Val list = passed(Arr("[1,[2],3]"));
  OC::Arr& arr = list;
  arr.removeAt(0);
  arr.append(4);
  EXPECT_EQ(list, Arr("[[2],3,4]"));
  Val again = passed(Arr("[1,2]"));
  static_cast<OC::Arr&>(again).clear();
  EXPECT_EQ(again.length(), 0);
  Val table = passed(Tab("{'a':1,'b':{'c':2}}"));
  Tab taken;
  taken.swap(table);
  table = None;  // the message's own part goes on in `taken`
  taken["d"] = 3;
  EXPECT_TRUE(taken.remove("a"));
  EXPECT_EQ(taken, Tab("{'b':{'c':2},'d':3}"));
  Val many = passed(Tab("{'a':1}"));
  const Val first = Val(static_cast<Tab&>(many));  // copies share the place, and unpack apart
  const Val second = Val(static_cast<Tab&>(many));
  EXPECT_EQ(first["a"], 1);
  EXPECT_EQ(second["a"], 1);
  EXPECT_EQ(many["a"], 1);
}

TEST_F(PicklingToolsReceivedTest, SeveralThreadsReadOnePacket) {
  Val packet = Tab("{'a':{'b':[1,2,{'c':3}]},'t':(1,2)}");
  OC::Array<real_8> samples(1000);
  samples.fill(2.5);
  packet["samples"] = samples;
  for (int round = 0; round < 200; ++round) {
    const Val came = passed(packet);
    const auto read = [&] {
      EXPECT_EQ(came["a"]["b"][2]["c"], 3);
      const Val copied = came["a"];
      EXPECT_EQ(copied["b"].length(), 3);
      EXPECT_EQ(came["t"][1], 2);
      OC::Array<real_8>& array = came["samples"];
      EXPECT_EQ(array[999], 2.5);  // copies the elements
      const OC::Array<real_8>& constant = array;
      EXPECT_EQ(constant[0], 2.5);
    };
    std::thread first(read);
    std::thread second(read);
    first.join();
    second.join();
  }
}

TEST_F(PicklingToolsReceivedTest, AChildOfForkIsToldWhatItCannotRead) {
  Val table = passed(Tab("{'a':{'b':1}}"));
  Val looked_at = passed(Tab("{'a':1}"));
  EXPECT_EQ(looked_at["a"], 1);
  Val whole = passed(Arr("[1,[2,3],(4,'text'),o{'k':2.5}]"));
  EXPECT_EQ(Stringize(whole), "[1, [2, 3], (4, 'text'), OrderedDict([('k', 2.5)])]");
  OC::Array<real_8> samples(1000);
  samples.fill(2.5);
  Val array = passed(Val(samples));
  const pid_t child = ::fork();
  if (child == 0) {
    int wrong = 0;
    const auto expect_throw = [&](int bit, auto&& call) {
      try {
        call();
        wrong |= bit;
      } catch (const runtime_error&) {
      }
    };
    expect_throw(1, [&] { table["a"]["b"]; });
    expect_throw(2, [&] { std::as_const(static_cast<OC::Array<real_8>&>(array))[1]; });
    expect_throw(4, [&] { static_cast<OC::Array<real_8>&>(array)[1] = 1; });
    expect_throw(8, [&] { server_.pipe().enqueue(table, 1); });
    if (looked_at["a"] != 1) wrong |= 16;
#if !defined(__SANITIZE_THREAD__)  // it knows no threads in a child of a process with threads
    if (!server_.pipe().empty()) wrong |= 32;
    try {
      server_.pipe().enq(looked_at);  // what was looked at is here, all of it
      server_.pipe().enq(whole);
    } catch (const runtime_error&) {
      wrong |= 64;
    }
#endif
    ::_exit(wrong);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "bits " << WEXITSTATUS(status);
  EXPECT_EQ(table["a"]["b"], 1);
#if !defined(__SANITIZE_THREAD__)
  for (const Val& expected : {looked_at, whole}) {
    Val came;
    EXPECT_TRUE(server_.pipe().dequeue(0, came));
    EXPECT_EQ(came, expected);
  }
#endif
}

// A value that PicklingTools' types say only in part.
Value rich() {
  Value value;
  value["number"] = 1;
  const std::byte raw[] = {std::byte{'a'}, std::byte{'b'}};
  value["bytes"].set_bytes(raw);
  const std::span<float> image = value["image"].array<float>({2, 3, 4});
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
  const std::span<std::byte> flags =
      value["flags"].array_of({ValueType::boolean, false}, std::array<std::size_t, 1>{3});
  flags[0] = flags[2] = std::byte{1};
  flags[1] = std::byte{0};
  value["reference"].set_reference({2, {1, 2, 3, 4, 0xffffffffffffffff}});
  return value;
}

TEST_F(PicklingToolsReceivedTest, AStageThatOnlyLooksHandsOnTheSameBytes) {
  const auto [in, out] = staged(rich(), [](Val& packet) {
    EXPECT_EQ(packet["bytes"], "ab");
    EXPECT_EQ(packet["image"][1][2].subtype, 'f');
    OC::Array<bool>& flags = packet["flags"];
    EXPECT_TRUE(std::as_const(flags)[2]);
    EXPECT_EQ(packet["reference"].tag, 'a');
    EXPECT_FALSE(Stringize(packet).empty());
  });
  EXPECT_EQ(in, out);
}

TEST_F(PicklingToolsReceivedTest, WhatAStageLeavesAloneKeepsItsType) {
  const auto [in, out] = staged(rich(), [](Val& packet) {
    EXPECT_FALSE(Stringize(packet).empty());
    packet["number"] = 2;
    packet["copied"] = Val(packet["image"]);
  });
  alignas(16) static std::byte buffer[4096];
  ASSERT_LE(out.size(), sizeof buffer);
  std::copy(out.begin(), out.end(), buffer);
  const ValueView view = value_in({buffer, out.size()});
  EXPECT_EQ(view["number"].as<int>(), 2);
  EXPECT_EQ(view["bytes"].type(), ValueType::bytes);
  EXPECT_EQ(view["image"].shape(), (std::vector<std::size_t>{2, 3, 4}));
  EXPECT_EQ(view["copied"].shape(), (std::vector<std::size_t>{2, 3, 4}));
  EXPECT_EQ(view["image"].array<float>()[23], 23);
  EXPECT_EQ(view["flags"].element_type().number, ValueType::boolean);
  EXPECT_EQ(view["reference"].reference().kind, 2u);
  EXPECT_EQ(view["reference"].reference().words[4], 0xffffffffffffffff);
}

TEST_F(PicklingToolsReceivedTest, TuplesWithinTuplesComeAsTheyWere) {
  const Val nested = Tup(1, Tup(2, Tup(3, Tup())));
  EXPECT_EQ(Stringize(passed(nested)), "(1, (2, (3, ())))");
}

TEST_F(PicklingToolsReceivedTest, MessagesTakeTheMemoryOfTheirElements) {
  OC::Array<int_1> bytes(1 << 20);
  bytes.fill(7);
  const std::uint64_t before = session_.pipe_status("pipe").pushed_bytes;
  server_.pipe().enq(Val(bytes));
  EXPECT_LT(session_.pipe_status("pipe").pushed_bytes - before, (1u << 20) + 4096);
  EXPECT_LT(session_.status().used_bytes, std::uint64_t{12} << 20);
  EXPECT_EQ(server_.pipe().deq().length(), 1 << 20);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }

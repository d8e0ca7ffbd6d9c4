// picklingtools_values_test.cc - what is enqueued is what is dequeued: types, worth, and place.
#include <cmath>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;

using testkit::range_of;

class PicklingToolsValuesTest : public testkit::PassingTest {
 protected:
  // The pipe as programs that know nothing of PicklingTools see it.
  Pipe native() {
    if (!session_) session_ = connect(options());
    return session_.open_pipe("pipe");
  }

  Session session_;
};

bool is_in_slab(const void* address) {
  return range_of(address).what.find("memfd:tarn-slab") != std::string::npos;
}

template <class T>
OC::Array<T> three(T a, T b, T c) {
  OC::Array<T> array;
  for (const T& each : {a, b, c}) array.append(each);
  return array;
}

TEST_F(PicklingToolsValuesTest, ScalarsKeepTypeAndWorth) {
  const Val scalars[] = {None,
                         true,
                         int_1(-1),
                         int_u1(255),
                         int_2(-300),
                         int_u2(65535),
                         int_4(-70000),
                         int_u4(4000000000u),
                         int_8(-5000000000),
                         int_u8(18446744073709551615u),
                         real_4(0.1f),
                         -0.0,
                         1e300,
                         HUGE_VAL,
                         complex_8(1, -2),
                         complex_16(0.1, 2),
                         cx_t<int_1>(-1, 2),
                         cx_t<int_u1>(200, 255),
                         cx_t<int_2>(-3, 4),
                         cx_t<int_u2>(65535, 1),
                         cx_t<int_4>(-70000, 7),
                         cx_t<int_u4>(4000000000u, 1),
                         cx_t<int_8>(-9223372036854775807, 3),
                         cx_t<int_u8>(18446744073709551615u, 1),
                         int_n("-123456789012345678901234567890"),
                         int_n(0),
                         int_un("99999999999999999999999"),
                         int_un(5),
                         "",
                         "short",
                         "text of more than fourteen bytes",
                         "gr\xc3\xbc\xc3\x9f",
                         "not UTF-8: \xff\xfe",
                         Str("with\0zero", 9)};
  for (const Val& value : scalars) {
    const Val came = passed(value);
    EXPECT_EQ(came.tag, value.tag) << value;
    EXPECT_EQ(Stringize(came), Stringize(value));
    EXPECT_FALSE(came.isproxy);
    // The same inside a container.
    Tab table;
    table["it"] = value;
    EXPECT_EQ(passed(table)["it"].tag, value.tag) << value;
    EXPECT_EQ(Stringize(passed(table)["it"]), Stringize(value));
  }
}

TEST_F(PicklingToolsValuesTest, ContainersKeepTypeAndOrder) {
  Tab keys;
  keys[Tup(1, "x")] = "tuple";
  keys[std::nan("")] = "nan";
  keys[complex_16(1, 2)] = "complex";
  keys[int_un("99999999999999999999")] = "big";
  const Val containers[] = {Tab(),
                            Tab("{'a':1,'b':{'c':[1,2,(3,None)]}}"),
                            OTab("o{'z':1,'a':2}"),
                            Arr("[1,'two',3.0]"),
                            Arr(),
                            Tup(1, 2.5, "x"),
                            Tup(),
                            keys,
                            Tab("{1:'a',-5000000000:'b',2.5:'c',True:'d',None:'e'}"),
                            Tup(Tup(Tup(1))),
                            Tup("picklingtools:pairs", true, Arr()),
                            three<int_1>(-1, 0, 1),
                            three<int_u8>(1, 2, 18446744073709551615u),
                            three<bool>(true, false, true),
                            three<real_4>(0.1f, 2, 3),
                            three<real_8>(0.1, 2, 3),
                            three<complex_8>({1, 2}, {3, 4}, {5, 6}),
                            three<cx_t<int_8>>({1, 2}, {3, 4}, {5, 6}),
                            OC::Array<int_2>()};
  for (const Val& value : containers) {
    const Val came = passed(value);
    EXPECT_EQ(came.tag, value.tag) << value;
    EXPECT_EQ(came.subtype, value.subtype) << value;
    EXPECT_TRUE(came.isproxy);
    EXPECT_EQ(Stringize(came), Stringize(value));
    EXPECT_TRUE(InSHM(came, server_.pool()));
  }
}

TEST_F(PicklingToolsValuesTest, LargeTablesArriveEqual) {
  Val table = Tab();
  for (int i = 0; i < 3000; ++i) table["key number " + Stringize(i)] = i;
  Val came = passed(table);
  EXPECT_EQ(came, table);
  EXPECT_EQ(came["key number 2999"], 2999);
}

TEST_F(PicklingToolsValuesTest, PlainTablesAndHeapProxiesAreCopiedIn) {
  EXPECT_EQ(passed(Tab("{'a':1}")), Tab("{'a':1}"));
  Val proxy = new Tab("{'a':1}");
  Val outer = Shared(server_.pool(), Tab());
  outer["first"] = proxy;
  outer["second"] = proxy;
  const Val came = passed(outer);
  proxy["a"] = 2;
  EXPECT_EQ(came, Tab("{'first':{'a':1},'second':{'a':1}}"));
}

TEST_F(PicklingToolsValuesTest, WhatCannotBeHandedOverIsRefusedAtEnqueue) {
  Val round = new Tab();
  round["again"] = round;
  EXPECT_THROW(server_.pipe().enqueue(round, 1), logic_error);
  Val deep = Arr();
  for (int i = 0; i < 1200; ++i) {
    Arr outer;
    outer.append(None);
    outer[0].swap(deep);
    deep = Val(std::move(outer));
  }
  EXPECT_THROW(server_.pipe().enqueue(deep, 1), logic_error);
  EXPECT_TRUE(server_.pipe().empty());
  round["again"] = None;  // so that it goes
}

TEST_F(PicklingToolsValuesTest, ArraysAreReadWhereTheyLieAndCopiedToBeChanged) {
  OC::Array<real_8> samples(100000);
  samples.fill(2.5);
  Val packet = Shared(server_.pool(), Tab());
  packet["samples"] = samples;
  Val came = passed(packet);
  OC::Array<real_8>& array = came["samples"];
  const OC::Array<real_8>& read_only = array;
  EXPECT_TRUE(is_in_slab(read_only.data()));
  EXPECT_EQ(read_only[99999], 2.5);
  array[0] = 1;
  EXPECT_FALSE(is_in_slab(read_only.data()));
  EXPECT_EQ(read_only[0], 1);
  EXPECT_EQ(passed(came)["samples"], came["samples"]);
}

const void* place_of(Val& packet) {
  const OC::Array<real_8>& array = packet["samples"];
  return array.data();
}

TEST_F(PicklingToolsValuesTest, AnUnchangedPacketIsHandedOnByReference) {
  Val packet = Tab("{'n':1,'deep':{'list':[1,2,{'x':'text that is rather long'}]}}");
  packet["samples"] = OC::Array<real_8>(three<real_8>(1, 2, 3));
  Val first = passed(packet);
  // Looked at everywhere, and changed nowhere.
  EXPECT_EQ(Stringize(first), Stringize(packet));
  first["deep"]["list"][2]["x"] = "text that is rather long";
  const void* place = place_of(first);
  Val second = passed(first);
  EXPECT_EQ(place_of(second), place);
  // Changed deep inside: another message, and the old one is as it was.
  second["deep"]["list"][2]["x"] = "new";
  Val third = passed(second);
  EXPECT_NE(place_of(third), place);
  EXPECT_EQ(third["deep"]["list"][2]["x"], "new");
  EXPECT_EQ(first["deep"]["list"][2]["x"], "text that is rather long");
  // Added to, and taken from.
  first["more"] = 1;
  EXPECT_TRUE(passed(first).contains("more"));
  first.remove("more");
  first.remove("n");
  EXPECT_FALSE(passed(first).contains("n"));
}

TEST_F(PicklingToolsValuesTest, PartsOfAPacketOutliveIt) {
  Val part;
  {
    Val packet = passed(Tab("{'a':{'b':[1,2,3]}}"));
    part = packet["a"];
  }
  EXPECT_EQ(part, Tab("{'b':[1,2,3]}"));
}

TEST_F(PicklingToolsValuesTest, OtherProgramsReadAndWriteTheSameValues) {
  server_.pipe().enq(Tab("{'sequence':17,'bins':[0.5,1.5]}"));
  const Popped popped = native().pop();
  ASSERT_TRUE(popped);
  EXPECT_EQ(popped.message.value()["sequence"].as<int>(), 17);
  EXPECT_EQ(popped.message.value()["bins"][1].as<double>(), 1.5);

  Value value = session_.value();
  value["name"] = "north";
  value["image"].array<float>({2, 3})[4] = 4;
  EXPECT_EQ(native().push(std::move(value)), PushStatus::ok);
  Val came = server_.pipe().deq();
  EXPECT_EQ(came["name"], "north");
  EXPECT_EQ(came["image"].length(), 2);
  EXPECT_EQ(came["image"][1].subtype, 'f');
  EXPECT_EQ(native().push("plain text"), PushStatus::ok);
  EXPECT_EQ(server_.pipe().deq(), "plain text");
}

TEST_F(PicklingToolsValuesTest, BytesThatMakeNoSenseThrowAndNothingWorse) {
  Value value;
  value["a"]["b"].append(std::string(100, 'x'));
  const std::span<const std::byte> bytes = value.bytes();
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::vector<std::byte> spoilt(bytes.begin(), bytes.end());
    spoilt[at] ^= std::byte{0x81};
    ASSERT_EQ(native().push(std::span<const std::byte>(spoilt)), PushStatus::ok);
    try {
      const Val came = server_.pipe().deq();
      EXPECT_FALSE(Stringize(came).empty());
    } catch (const runtime_error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }

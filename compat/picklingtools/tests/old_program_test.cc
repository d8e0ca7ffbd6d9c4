// old_program_test.cc - what programs of the originals' write, as they write it.
#include <gtest/gtest.h>

#include "shmboot.h"

namespace {

enum Colour { RED, GREEN = 7 };

TEST(OldProgramTest, ProxiesComeFromPointersAndGiveReferences) {
  Proxy table = new Tab("{'a':1}");
  Tab& inside = table;
  inside["b"] = 2;
  EXPECT_EQ(table["b"], 2);
  EXPECT_EQ(table.tag, 't');
  Proxy array = new Array<real_8>(3);
  Array<real_8>& samples = array;
  samples.fill(1.5);
  EXPECT_EQ(array.subtype, 'd');
  EXPECT_EQ(array.length(), 3);
  int count = 0;
  for (It ii(table); ii();) ++count;
  EXPECT_EQ(count, 2);
  Proxy other = new Tab("{'a':1,'b':2}");
  EXPECT_TRUE(table == other);
  EXPECT_FALSE(table != other);
  EXPECT_FALSE(is(table, other));
  Proxy again = table;
  EXPECT_TRUE(is(table, again));
  EXPECT_TRUE(IsProxy(Val(table)));
  EXPECT_FALSE(IsProxy(Val(1)));
  Proxy empty;
  EXPECT_EQ(empty.tag, 't');
  Proxy all(new Tab, true, true, true);
  Val vals = new Array<Val>(2);
  vals.append("x");
  EXPECT_EQ(vals, Arr("['x']"));
}

TEST(OldProgramTest, AReferenceToTheProxyInAValIsTheVal) {
  Val value = new Tab("{'a':1}");
  Proxy& proxy = value;
  proxy = Shared(nullptr, Arr("[1,2]"));
  EXPECT_EQ(value.tag, 'n');
  EXPECT_EQ(value.subtype, 'Z');
  EXPECT_TRUE(value.isproxy);
  EXPECT_EQ(value[1], 2);
  proxy = new OTab("o{'z':1}");
  EXPECT_EQ(value["z"], 1);
}

TEST(OldProgramTest, EnumeratorsAreIntsAsValuesAndKeys) {
  Val value = GREEN;
  EXPECT_EQ(int(value), 7);
  Tab table;
  table[RED] = "red";
  Val as_val = table;
  as_val[GREEN] = GREEN;
  EXPECT_EQ(as_val[0], "red");
  EXPECT_TRUE(as_val[GREEN] == GREEN);
  EXPECT_EQ(Val('a').tag, 'l');
  EXPECT_EQ(Val('a'), 97);
}

TEST(OldProgramTest, AllocatorsAreAccepted) {
  StreamingPool* pool = nullptr;
  Tab table("{'a':1}", pool);
  Tab copied(table, pool);
  Arr list(4, pool);
  Arr zero(0);
  Arr list_copied(list, pool);
  Tup tuple(Tup(1, 2), pool);
  Val value(table, pool);
  Val of_value(value, pool);
  Val number(int_n(5), pool);
  Val array(Array<int_4>(3, pool), pool);
  EXPECT_EQ(of_value, table);
  EXPECT_EQ(copied, table);
  EXPECT_EQ(tuple.length(), 2);
  EXPECT_EQ(value.allocator(), nullptr);
  EXPECT_EQ(table.allocator(), nullptr);
  EXPECT_EQ(array.subtype, 'l');
  const string text = "{'b':2}";
  Tab from_text = text;
  EXPECT_EQ(from_text("b"), 2);
  OTab ordered = "['a':1, 'b':[2]]";
  EXPECT_EQ(Stringize(ordered), "OrderedDict([('a', 1), ('b', [2])])");
}

TEST(OldProgramTest, CapacitiesAreWhatTheyWere) {
  Array<int> array;
  EXPECT_EQ(array.capacity(), 2);
  array.resize(10);
  EXPECT_EQ(array.length(), 0);
  EXPECT_EQ(array.capacity(), 10);
  array.append(1);
  array.fill(5);
  EXPECT_EQ(array.length(), 10);
  EXPECT_EQ(array[0], 1);
  EXPECT_EQ(array[9], 5);
  array.fill(6, 3);
  EXPECT_EQ(array.length(), 13);
  const int_ptr capacity = array.capacity();
  EXPECT_EQ(Array<int>(array).capacity(), capacity);
  array.clear();
  EXPECT_EQ(array.length(), 0);
  EXPECT_EQ(array.capacity(), capacity);
  array.data()[2] = 42;  // written into the room, and then said to be there
  array.expandTo(3);
  EXPECT_EQ(array.length(), 3);
  EXPECT_EQ(array[2], 42);
  array.expandBy(2);
  EXPECT_EQ(array.length(), 5);
  array.resize(1);
  EXPECT_EQ(array.length(), 5);
  EXPECT_EQ(array.capacity(), 5);
  EXPECT_THROW(array.expandTo(-1), length_error);
  Array<string> words;
  words.expandTo(3);
  words.expandTo(1);
  EXPECT_EQ(words.length(), 1);
}

TEST(OldProgramTest, ArraysHaveAllTheirOperations) {
  Array<int> array;
  for (int i = 0; i < 8; ++i) array.insert(i % 3);
  EXPECT_EQ(array.index(2), 2);
  EXPECT_EQ(array.index(9), Array<int>::ARRAY_NPOS);
  int found = -1;
  EXPECT_TRUE(array.find(1, found));
  EXPECT_EQ(found, 1);
  EXPECT_FALSE(array.find(9, found));
  EXPECT_EQ(array.removeAll(0), 3);
  EXPECT_EQ(array.removeAt(0), 1);
  EXPECT_EQ(array.removeFirst(), 2);
  EXPECT_EQ(array.removeLast(), 1);
  EXPECT_EQ(Val(array), Eval("[1,2]"));
  array.removeRange(0, 2);
  EXPECT_TRUE(array.isEmpty());
  EXPECT_THROW(array.removeLast(), out_of_range);
  EXPECT_THROW(array.removeRange(0, 1), out_of_range);
  array << 1 << 2;
  array += array;
  EXPECT_EQ(array.length(), 4);
  EXPECT_TRUE(Array<int>() < array);
  array.adoptMemory(new int[5], 5);
  EXPECT_EQ(array.length(), 0);
  EXPECT_EQ(array.capacity(), 5);
  array.adoptMemory(static_cast<int*>(malloc(8)), 2, 0);
  Array<Str> texts;
  texts.adoptMemory(new Str[3], 3);
  texts.append(Str(40, 'x'));
  EXPECT_EQ(texts.capacity(), 3);
  EXPECT_EQ(texts[0], Str(40, 'x'));
  int elsewhere[2] = {1, 2};
  Array<int> refers(2, elsewhere);
  refers.append(3);
  EXPECT_EQ(refers.removeAt(1), 2);
  EXPECT_EQ(elsewhere[1], 2);
}

TEST(OldProgramTest, TablesHaveAllTheirOperations) {
  Tab table;
  EXPECT_TRUE(table.isEmpty());
  table.append("zero");
  table.appendStr("one");
  EXPECT_EQ(table(0), "zero");
  EXPECT_EQ(table("1"), "one");
  table.remove(0);
  table[1] = "in the way";
  table.remove("1");
  EXPECT_THROW(table.append("x"), runtime_error);
  Val key;
  Val value = "untouched";
  EXPECT_TRUE(table.find(1.0, key));
  EXPECT_EQ(key.tag, 'l');
  EXPECT_FALSE(table.findValue("no", value));
  EXPECT_EQ(value, "untouched");
  EXPECT_TRUE(table.findKeyAndValue(1, key, value));
  EXPECT_EQ(value, "in the way");
  EXPECT_EQ(table.keys(), Arr("[1]"));
  EXPECT_EQ(table.values(), Arr("['in the way']"));
  EXPECT_EQ(Stringize(table.items()), "[(1, 'in the way')]");
  OTab ordered;
  ordered.append(5);
  Val as_val = ordered;
  as_val.append(6);
  as_val.appendStr(7);
  EXPECT_EQ(as_val, OTab("o{0:5, 1:6, '2':7}"));
  Val list = Arr();
  list.appendStr(1);
  EXPECT_EQ(list, Arr("[1]"));
  Tup tuple(1);
  EXPECT_THROW(tuple.append(1), runtime_error);
  EXPECT_THROW(Val(tuple).append(1), runtime_error);
  EXPECT_EQ(tuple.impl().length(), 1);
  EXPECT_TRUE(Tup(1, 2) < Tup(1, 3));
  EXPECT_TRUE(OTab("o{'a':1,'b':2}") == Tab("{'b':2,'a':1}"));
  EXPECT_TRUE(Tab("{'a':1}") != OTab("o{'a':2}"));
  EXPECT_TRUE(Val(OTab("o{'a':1}")) == Val(Tab("{'a':1}")));
}

TEST(OldProgramTest, IteratorsOfEveryKind) {
  Tab table("{'b':1,'a':2}");
  string seen;
  TabIt it(table);
  while (it.next()) seen += string(it.key());
  it.reset();
  while (++it) seen += Stringize(it.value());
  for (TabSit sit(table); sit();) seen += string(sit.key());
  EXPECT_EQ(seen, "ba12ab");
  TabIt nothing;
  EXPECT_FALSE(nothing());
  nothing.reset(table);
  EXPECT_TRUE(nothing());
  OTab ordered("['z':1,'y':2]");
  seen.clear();
  for (OTabIt oit(ordered); oit();) seen += string(oit.key());
  for (OTabSit sit(ordered); sit();) seen += string(sit.key());
  EXPECT_EQ(seen, "zyyz");
  Arr list("[3,1,2]");
  seen.clear();
  for (ArrIt<Val> ii(list); ii();) seen += Stringize(ii.key()) + Stringize(ii.value());
  for (ArrSit<Val> ii(list); ii();) seen += Stringize(ii.value());
  for (Sit ii((Val(list))); ii();) seen += Stringize(ii.value());
  EXPECT_EQ(seen, "031122123123");
  for (Sit ii(Tab("{'x':1}")); ii();) EXPECT_EQ(ii.key(), "x");
  It first(Val(Arr("[1,2]")));
  It copied(first);
  EXPECT_TRUE(first() && first() && copied() && !first() && copied());
}

TEST(OldProgramTest, InShmTakesEveryType) {
  Val shared = Shared(nullptr, Tab("{'a':[1]}"));
  Tab& table = shared;
  EXPECT_TRUE(InSHM(table, nullptr));
  EXPECT_FALSE(InSHM(Tab(), nullptr));
  EXPECT_FALSE(InSHM(OTab(), nullptr));
  EXPECT_FALSE(InSHM(Tup(1), nullptr));
  EXPECT_FALSE(InSHM(Arr(), nullptr));
  EXPECT_FALSE(InSHM(Array<real_8>(), nullptr));
  Proxy samples = Shared(nullptr, Array<real_8>(3));
  Array<real_8>& array = samples;
  EXPECT_TRUE(InSHM(array, nullptr));
  EXPECT_TRUE(InSHM(samples, nullptr));
  EXPECT_TRUE(InSHM(OCString("text"), nullptr));
  EXPECT_TRUE(InSHM("text", nullptr));
  EXPECT_TRUE(InSHM(int_n(1), nullptr));
  EXPECT_TRUE(InSHM(int_un(1), nullptr));
  EXPECT_TRUE(InSHM(17, nullptr));
  EXPECT_THROW(InSHM(Tab(), nullptr, true, "here"), runtime_error);
  table["heap"] = new Tab;
  EXPECT_FALSE(InSHM(table, nullptr));
}

TEST(OldProgramTest, LiteralsAreReadToTheLetter) {
  EXPECT_EQ(Eval("(2j,)").tag, 'u');
  EXPECT_EQ(Eval("(2j)").tag, 'D');
  EXPECT_EQ(Eval("'\\012\\0\\1016'"), Str("\n\0A6", 4));
  for (const char* text : {"(nan+nanj)", "(-inf-infj)", "(1+infj)", "(inf-2j)"}) {
    EXPECT_EQ(Stringize(Eval(text)), text);
  }
  EXPECT_THROW(Eval("12e"), runtime_error);
  EXPECT_THROW(Eval("12e+"), runtime_error);
  EXPECT_THROW(Tab("[1]"), runtime_error);
  EXPECT_THROW(Arr("{}"), runtime_error);
}

TEST(OldProgramTest, StatesHaveTheirNamesAndOrder) {
  static_assert(OC::STOPPED < OC::STARTING && OC::STARTING < OC::STARTED);
  const State_e state = STOPPED;
  EXPECT_EQ(state, 0);
}

}  // namespace

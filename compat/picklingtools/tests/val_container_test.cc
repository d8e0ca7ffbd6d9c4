// val_container_test.cc - tables, lists, arrays, proxies: look-up, copies, iteration.
#include <gtest/gtest.h>

#include <thread>

#include "shmboot.h"

namespace {

TEST(ValLookUpTest, BracketsInsertAndParenthesesThrow) {
  Val table = Tab();
  EXPECT_EQ(table["new"], None);
  EXPECT_TRUE(table.contains("new"));
  EXPECT_EQ(table.length(), 1);
  try {
    table("zz");
    FAIL();
  } catch (const out_of_range& error) {
    EXPECT_STREQ(error.what(), "Key 'zz' not in table");
  }
  EXPECT_FALSE(table.contains("zz"));
}

TEST(ValLookUpTest, Cascades) {
  Val value = Tab("{'n':{'x':[1,2,{'y':3}]}}");
  EXPECT_EQ(value["n"]["x"][2]["y"], 3);
  value["n"]["x"][2]["y"] = "changed";
  EXPECT_EQ(value("n")("x")(2)("y"), "changed");
}

TEST(ValLookUpTest, IndicesAreChecked) {
  Val list = Arr("[1,2]");
  EXPECT_THROW(list[2], out_of_range);
  EXPECT_THROW(list[-1], out_of_range);
  Val tuple = Tup(1, 2);
  EXPECT_THROW(tuple[5], out_of_range);
  EXPECT_EQ(tuple[1], 2);
}

TEST(ValLookUpTest, WhatIsNoContainerThrowsLogicError) {
  for (Val each : {Val("text"), Val(), Val(1), Val(2.5)}) {
    try {
      each["key"];
      FAIL() << each;
    } catch (const logic_error& error) {
      EXPECT_NE(string(error.what()).find("No conversion from:"), string::npos);
      EXPECT_NE(string(error.what()).find("to table."), string::npos);
    }
  }
  Val array = Array<real_8>(4);
  EXPECT_THROW(array[0], logic_error);
}

TEST(ValLookUpTest, NumbersOfTheSameWorthAreTheSameKey) {
  Val table = Tab();
  table[1] = "int";
  table[int_8(1)] = "int_8";
  table[1.0] = "real";
  EXPECT_EQ(table.length(), 1);
  EXPECT_EQ(table[int_n(1)], "real");
  table[Tup(1, "x")] = "tuple";
  EXPECT_EQ(table[Tup(1.0, "x")], "tuple");
  table[None] = "none";
  EXPECT_EQ(table[None], "none");
}

TEST(TabTest, ReferencesStayGoodWhileItGrowsAndShrinks) {
  Tab table;
  Val& first = table["first"];
  first = 17;
  for (int i = 0; i < 5000; ++i) table[i] = i;
  for (int i = 0; i < 5000; i += 2) EXPECT_TRUE(table.remove(i));
  EXPECT_FALSE(table.remove(0));
  EXPECT_EQ(&first, &table("first"));
  EXPECT_EQ(table.entries(), 2501);
  for (int i = 1; i < 5000; i += 2) EXPECT_EQ(table(i), i);
  for (int i = 0; i < 5000; i += 2) EXPECT_FALSE(table.contains(i));
  for (int i = 0; i < 100; ++i) table[Stringize(i)] = i;
  EXPECT_EQ(table("99"), 99);
}

TEST(TabTest, HasTheOriginalsOtherOperations) {
  Tab table("{'a':1,'b':{'c':2,'d':[3,4]}}");
  EXPECT_EQ(table.get("a"), 1);
  EXPECT_EQ(table.get("z"), None);
  EXPECT_EQ(table.get("z", 5), 5);
  EXPECT_EQ(table.total_elements(), 6);
  table.insertKeyAndValue("a", 10);
  table += Tab("{'a':11,'e':12}");
  EXPECT_EQ(table("a"), 11);
  EXPECT_EQ(table("e"), 12);
  EXPECT_EQ(table.lookup("nothing"), nullptr);
  EXPECT_EQ(*table.lookup("e"), 12);
  Tab other("{'x':1}");
  table.swap(other);
  EXPECT_EQ(table, Tab("{'x':1}"));
}

TEST(ValCopyTest, PlainValuesAreCopiedWholeAndProxiesShared) {
  Val plain = Tab("{'a':[1]}");
  Val copied = plain;
  copied["a"][0] = 2;
  EXPECT_EQ(plain["a"][0], 1);

  Val proxy = new Tab("{'a':[1]}");
  EXPECT_TRUE(proxy.isproxy);
  EXPECT_EQ(proxy.tag, 't');
  Val same_one = proxy;
  same_one["a"][0] = 2;
  EXPECT_EQ(proxy["a"][0], 2);
  Proxy& as_proxy = proxy;
  EXPECT_EQ(as_proxy["a"][0], 2);
}

TEST(ValCopyTest, APartMayReplaceTheWhole) {
  Val value = Tab("{'a':{'b':1}}");
  value = value["a"];
  EXPECT_EQ(value, Tab("{'b':1}"));
  value = Val(value);
  EXPECT_EQ(value["b"], 1);
}

TEST(ValCopyTest, ProxyizeMakesAProxyInPlace) {
  Val value = Tab("{'a':1}");
  value.Proxyize();
  EXPECT_TRUE(value.isproxy);
  EXPECT_EQ(value["a"], 1);
  Val number = 1;
  EXPECT_THROW(number.Proxyize(), logic_error);
}

TEST(ValTagTest, TagsAreTheOriginals) {
  EXPECT_EQ(Val(int_1(1)).tag, 's');
  EXPECT_EQ(Val(1).tag, 'l');
  EXPECT_EQ(Val(int_u8(1)).tag, 'X');
  EXPECT_EQ(Val(1.0f).tag, 'f');
  EXPECT_EQ(Val(int_n(1)).tag, 'q');
  EXPECT_EQ(Val(int_un(1)).tag, 'Q');
  EXPECT_EQ(Val(cx_t<int_8>(1)).tag, 'h');
  EXPECT_EQ(Val("").tag, 'a');
  EXPECT_EQ(Val(OTab()).tag, 'o');
  EXPECT_EQ(Val(Tup(1)).tag, 'u');
  EXPECT_EQ(Val(Arr()).tag, 'n');
  EXPECT_EQ(Val(Arr()).subtype, 'Z');
  EXPECT_EQ(Val(Array<complex_8>()).subtype, 'F');
  EXPECT_EQ(None.tag, 'Z');
}

TEST(ItTest, GoesOverEveryContainer) {
  string seen;
  Val table = Tab("{'b':1,'a':2}");
  for (It ii(table); ii();) seen += string(ii.key()) + Stringize(ii.value());
  EXPECT_EQ(seen, "b1a2");
  seen.clear();
  for (Sit ii(table); ii();) seen += string(ii.key());
  EXPECT_EQ(seen, "ab");
  for (It ii(table); ii();) ii.value() = int(ii.value()) + 10;
  EXPECT_EQ(table["b"], 11);

  Val list = Arr("[5,6]");
  int sum = 0;
  for (It ii(list); ii();) sum += int(ii.key()) * 100 + int(ii.value());
  EXPECT_EQ(sum, 111);
  Array<real_8> numbers;
  numbers.append(2.5);
  for (It ii(numbers); ii();) EXPECT_EQ(ii.value(), 2.5);
  for (It ii(Val(Tup(7))); ii();) EXPECT_EQ(ii.value(), 7);
  EXPECT_THROW(It(Val(1)), runtime_error);
}

TEST(ArrayTest, HasTheOriginalsOperations) {
  Array<int> array(3);
  EXPECT_EQ(array.length(), 0);
  array.fill(7);
  EXPECT_EQ(array.length(), 3);
  array.append(8);
  array.prepend(6);
  array.insertAt(1, 5);
  EXPECT_EQ(Val(array), Eval("[6,5,7,7,7,8]"));
  EXPECT_TRUE(array.contains(5));
  EXPECT_TRUE(array.remove(5));
  EXPECT_FALSE(array.remove(5));
  array.removeAt(0);
  EXPECT_EQ(array[0], 7);
  EXPECT_THROW(array[4], out_of_range);
  EXPECT_THROW(array.at(-1), out_of_range);
  EXPECT_THROW(array.insertAt(9, 1), out_of_range);
  array.resize(100);
  EXPECT_EQ(array.capacity(), 100);
  for (int i = 0; i < 100; ++i) array.append(array[0]);
  EXPECT_EQ(array(103), 7);
  array.clear();
  EXPECT_EQ(array.length(), 0);
  Array<Val*> pointers;
  pointers.append(nullptr);
  EXPECT_EQ(pointers[0], nullptr);
}

TEST(ValChangeTest, AppendsAndRemoves) {
  Val list = Arr("[1,2,3]");
  list.append("four");
  EXPECT_TRUE(list.remove(2));
  EXPECT_EQ(list, Arr("[1,3,'four']"));
  Val numbers = Array<int_2>();
  numbers.append(3.7);
  EXPECT_EQ(Stringize(numbers), "array([3], 's')");
  EXPECT_THROW(Val(1).append(1), logic_error);
}

TEST(InShmTest, SaysWhetherAllOfItIsShared) {
  Val shared = Shared(nullptr, Tab("{'a':[1,2]}"));
  shared["more"] = Tab("{'b':1}");
  EXPECT_TRUE(InSHM(shared, nullptr));
  EXPECT_TRUE(IsSHM(Val(17), nullptr));
  EXPECT_FALSE(InSHM(Val(Tab()), nullptr));
  shared["heap"] = new Tab("{'c':1}");
  EXPECT_FALSE(InSHM(shared, nullptr));
  EXPECT_THROW(InSHM(shared, nullptr, true, "packet"), runtime_error);
  EXPECT_TRUE(InSHM(Shared(nullptr, Array<real_8>(3)), nullptr));
}

TEST(TransactionLockTest, ExcludesOtherThreadsAndTimesOut) {
  Val table = Locked(new Tab("{'n':0}"));
  {
    TransactionLock outer(table);
#if !defined(__SANITIZE_THREAD__)  // GCC's does not know locks that are waited for by this clock
    TransactionLock again(table, 0.5);
#endif
    bool timed_out = false;
    std::thread other([&] {
      try {
        TransactionLock blocked(table, 0.01);
      } catch (const runtime_error& error) {
        timed_out = string(error.what()) == "Transaction Lock timed out";
      }
    });
    other.join();
    EXPECT_TRUE(timed_out);
  }
  const auto count = [&] {
    for (int i = 0; i < 1000; ++i) {
      TransactionLock lock(table);
      table["n"] = int(table["n"]) + 1;
    }
  };
  std::thread first(count);
  std::thread second(count);
  first.join();
  second.join();
  EXPECT_EQ(table["n"], 2000);
  EXPECT_THROW(TransactionLock(Val(1)), logic_error);
}

}  // namespace

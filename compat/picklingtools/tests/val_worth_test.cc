// val_worth_test.cc - conversions and comparisons.
#include <gtest/gtest.h>

#include <cmath>

#include "shmboot.h"

namespace {

TEST(ValConversionTest, NumbersConvertAsInC) {
  EXPECT_EQ(int(Val(3.99)), 3);
  EXPECT_EQ(int(Val(-3.99)), -3);
  EXPECT_EQ(int_1(Val(300)), int_1(44));
  EXPECT_EQ(int_u4(Val(-1)), 4294967295u);
  EXPECT_EQ(real_8(Val(int_u8(18446744073709551615u))), 18446744073709551616.0);
  EXPECT_EQ(real_4(Val(0.5)), 0.5f);
  EXPECT_EQ(int(Val(true)), 1);
  EXPECT_EQ(int_8(Val(int_n("18446744073709551617"))), 1);
  EXPECT_TRUE(bool(Val(0.1)));
  EXPECT_FALSE(bool(Val(0)));
  const int implicit = Val(7);
  EXPECT_EQ(implicit, 7);
}

TEST(ValConversionTest, RealsBeyondTheRangeGiveItsEnd) {
  EXPECT_EQ(int_u8(Val(1e30)), 18446744073709551615u);
  EXPECT_EQ(int_8(Val(-1e30)), int_8(int_u8{1} << 63));
  EXPECT_EQ(int(Val(std::nan(""))), 0);
}

TEST(ValConversionTest, TextIsReadAsANumberAndBadTextIsZero) {
  EXPECT_EQ(int(Val("17")), 17);
  EXPECT_EQ(int(Val(" -17 apples")), -17);
  EXPECT_EQ(int(Val("2.9")), 2);
  EXPECT_EQ(int(Val("apples")), 0);
  EXPECT_EQ(int(Val("")), 0);
  EXPECT_EQ(real_8(Val("2.5")), 2.5);
  EXPECT_EQ(real_8(Val("none")), 0.0);
  EXPECT_EQ(int_u8(Val("18446744073709551615")), 18446744073709551615u);
}

TEST(ValConversionTest, ContainersConvertToTheirLength) {
  EXPECT_EQ(int(Val(Tab("{'a':1,'b':2}"))), 2);
  EXPECT_EQ(int(Val(Arr("[1,2,3]"))), 3);
  EXPECT_EQ(int(Val(Tup(1, 2))), 2);
  EXPECT_EQ(int(Val(Array<real_8>())), 0);
}

TEST(ValConversionTest, EverythingConvertsToText) {
  EXPECT_EQ(string(Val("as it is")), "as it is");
  EXPECT_EQ(string(Val(17)), "17");
  EXPECT_EQ(string(Val(Tab("{'a':'b'}"))), "{'a': 'b'}");
  const string implicit = Val("text");
  EXPECT_EQ(implicit, "text");
}

TEST(ValConversionTest, ComplexNumbersConvertToComplexOnesOnly) {
  EXPECT_EQ(complex_8(Val(complex_16(1, 2))), complex_8(1, 2));
  EXPECT_EQ(complex_16(Val(3)), complex_16(3, 0));
  EXPECT_EQ(cx_t<int_2>(Val(complex_16(1.9, -2.9))), cx_t<int_2>(1, -2));
  EXPECT_THROW(static_cast<void>(int(Val(complex_16(1, 2)))), logic_error);
  EXPECT_THROW(static_cast<void>(real_8(Val(complex_16(1, 2)))), logic_error);
}

TEST(ValConversionTest, ContainersConvertByReferenceOrThrow) {
  Val value = Tab("{'a':1}");
  Tab& table = value;
  table["b"] = 2;
  EXPECT_EQ(value["b"], 2);
  EXPECT_THROW(static_cast<void>(static_cast<Arr&>(value)), logic_error);
  EXPECT_THROW(static_cast<void>(static_cast<Proxy&>(value)), logic_error);
  EXPECT_THROW(static_cast<void>(static_cast<OTab&>(value)), logic_error);
  Val numbers = Array<real_8>(3);
  static_cast<Array<real_8>&>(numbers).append(2.5);
  EXPECT_EQ(numbers.length(), 1);
  EXPECT_THROW(static_cast<void>(static_cast<Array<real_4>&>(numbers)), logic_error);
}

TEST(BigIntegerTest, CalculatesBeyondSixtyFourBits) {
  const int_n large("123456789012345678901234567890");
  EXPECT_EQ(Stringize(large + int_n(1)), "123456789012345678901234567891");
  EXPECT_EQ(Stringize(large * large),
            "15241578753238836750495351562536198787501905199875019052100");
  EXPECT_EQ(Stringize(-large), "-123456789012345678901234567890");
  EXPECT_EQ((large / int_n(10)) * int_n(10) + large % int_n(10), large);
  EXPECT_EQ(int_n("42").as(), 42);
  EXPECT_EQ(int_un("18446744073709551615").as(), 18446744073709551615u);
  EXPECT_EQ(Stringize(int_n(-5)), "-5");
  EXPECT_EQ(Stringize(int_n("007")), "7");
  EXPECT_THROW(int_un(3) -= int_un(4), domain_error);
  EXPECT_THROW(int_un(-1), domain_error);
  EXPECT_THROW(large / int_n(0), domain_error);
}

// --- comparison ---------------------------------------------------------------------------------

TEST(ValComparisonTest, NumbersCompareByWorthAcrossTypes) {
  const Val ones[] = {int_1(1), int_u1(1),    int_2(1),      int_u2(1),     int_4(1), int_u4(1),
                      int_8(1), int_u8(1),    real_4(1),     real_8(1),     int_n(1), int_un(1),
                      true,     complex_8(1), complex_16(1), cx_t<int_2>(1)};
  for (const Val& a : ones) {
    for (const Val& b : ones) EXPECT_EQ(a, b) << a.tag << b.tag;
  }
}

TEST(ValComparisonTest, NegativeNumbersStandBelowLargeUnsignedOnes) {
  const Val large = int_u8(18446744073709551615u);
  EXPECT_LT(Val(-1), large);
  EXPECT_FALSE(large < Val(-1));
  EXPECT_NE(Val(-1), large);
  EXPECT_NE(Val(int_8(-1)), Val(int_u8(18446744073709551615u)));
  EXPECT_LT(large, Val(int_n("18446744073709551616")));
  EXPECT_LT(Val(int_n("-18446744073709551616")), Val(-1));
}

TEST(ValComparisonTest, LargeNumbersCompareExactly) {
  EXPECT_NE(Val(int_8(9007199254740993)), Val(9007199254740992.0));
  EXPECT_GT(Val(int_8(9007199254740993)), Val(9007199254740992.0));
  EXPECT_LT(Val(int_n("2251799813685248")), Val(2251799813685248.5));
  EXPECT_LT(Val(int_n("99999999999999999999")), Val(HUGE_VAL));
  EXPECT_LT(Val(2), Val(int_n(3)));
}

TEST(ValComparisonTest, NoneIsBelowNumbersAndNumbersBelowText) {
  EXPECT_LT(None, Val(-1e300));
  EXPECT_LT(Val(1e300), Val(""));
  EXPECT_LT(Val("a"), Val("b"));
  EXPECT_LT(Val("zz"), Val(Arr()));
  EXPECT_NE(None, Val(0));
  EXPECT_NE(Val("1"), Val(1));
  EXPECT_EQ(None, Val());
}

TEST(ValComparisonTest, ComplexNumbersHaveNoOrder) {
  EXPECT_THROW(static_cast<void>(Val(complex_16(1, 2)) < Val(complex_16(1, 3))), logic_error);
  EXPECT_FALSE(Val(complex_16(1, 2)) < Val(complex_16(1, 2)));
  EXPECT_EQ(Val(complex_16(1, 2)), Val(complex_8(1, 2)));
  EXPECT_NE(Val(complex_16(1, 2)), Val(1));
}

TEST(ValComparisonTest, NanIsEqualToNothing) {
  const Val nan(std::nan(""));
  EXPECT_FALSE(nan == nan);
  EXPECT_FALSE(nan < Val(1));
  EXPECT_FALSE(Val(1) <= nan);
}

TEST(ValComparisonTest, ContainersCompareByWhatTheyHold) {
  EXPECT_EQ(Val(Tab("{'a':1,'b':2}")), Val(Tab("{'b':2.0,'a':1}")));
  EXPECT_NE(Val(OTab("o{'a':1,'b':2}")), Val(OTab("o{'b':2,'a':1}")));
  EXPECT_NE(Val(Tab("{'a':1}")), Val(Tab("{'a':2}")));
  EXPECT_EQ(Val(Arr("[1,2]")), Val(Arr("[1,2]")));
  EXPECT_LT(Val(Arr("[1,2]")), Val(Arr("[1,3]")));
  EXPECT_LT(Val(Arr("[1]")), Val(Arr("[1,0]")));
  EXPECT_EQ(Val(Tup(1, "x")), Val(Tup(1, "x")));
  Array<int_4> numbers;
  numbers.append(1);
  numbers.append(2);
  EXPECT_EQ(Val(numbers), Val(Arr("[1,2]")));
}

TEST(ValComparisonTest, ComparesWithPlainCppValuesOnEitherSide) {
  const Val number = 17;
  EXPECT_TRUE(number == 17 && 17 == number && number != 18 && number < 18 && 16 < number);
  EXPECT_TRUE(number <= 17u && number >= 16.5 && 17L == number);
  const Val text = "abc";
  EXPECT_TRUE(text == "abc" && "abc" == text && text != string("abd") && text < "abd");
}

}  // namespace

// big_integer.h - whole numbers of any size: int_n, and int_un that is never below zero.
//
// The arithmetic is a library's (Boost.Multiprecision), inside the compiled part: programs that
// include this header need nothing of it.
#pragma once

#include "ocport.h"

namespace OC {

namespace detail {

// Sign and magnitude, least significant word first, without zeros at the end. Zero has no words.
struct Whole {
  bool negative = false;
  std::vector<std::uint32_t> words;

  static Whole of(std::int64_t number);
  static Whole of(std::uint64_t number);
  // The whole part. Throws out_of_range for infinities and NaN.
  static Whole of(double number);
  // Decimal digits, with a sign, blanks around and an L behind them; what follows is ignored, and
  // no digits are 0.
  static Whole of(const char* text);
  std::string digits() const;
  std::uint64_t low_bits() const;  // modulo 2^64, of the number in two's complement
  double as_double() const;
};

Whole calculate(char what, const Whole& left, const Whole& right);  // + - * / %
int compare(const Whole& left, const Whole& right);
int compare(const Whole& left, double right);  // NaN is not to be asked about

}  // namespace detail

// What both kinds have in common. Self is int_n or int_un.
template <class Self>
class BigNumber {
 public:
  // In decimal.
  std::string stringize() const { return whole_.digits(); }
  const detail::Whole& whole() const { return whole_; }
  detail::Whole& whole() { return whole_; }

  Self& operator+=(const Self& other) { return become('+', other); }
  Self& operator-=(const Self& other) { return become('-', other); }
  Self& operator*=(const Self& other) { return become('*', other); }
  Self& operator/=(const Self& other) { return become('/', other); }
  Self& operator%=(const Self& other) { return become('%', other); }
  Self& operator++() { return become('+', Self(1)); }
  Self& operator--() { return become('-', Self(1)); }

  friend Self operator+(Self left, const Self& right) { return left += right; }
  friend Self operator-(Self left, const Self& right) { return left -= right; }
  friend Self operator*(Self left, const Self& right) { return left *= right; }
  friend Self operator/(Self left, const Self& right) { return left /= right; }
  friend Self operator%(Self left, const Self& right) { return left %= right; }
  friend bool operator==(const Self& a, const Self& b) { return order(a, b) == 0; }
  friend bool operator!=(const Self& a, const Self& b) { return order(a, b) != 0; }
  friend bool operator<(const Self& a, const Self& b) { return order(a, b) < 0; }
  friend bool operator>(const Self& a, const Self& b) { return order(a, b) > 0; }
  friend bool operator<=(const Self& a, const Self& b) { return order(a, b) <= 0; }
  friend bool operator>=(const Self& a, const Self& b) { return order(a, b) >= 0; }
  friend ostream& operator<<(ostream& out, const Self& number) {
    return out << number.whole().digits();
  }

 protected:
  explicit BigNumber(detail::Whole whole) : whole_(std::move(whole)) {}
  detail::Whole whole_;

 private:
  static int order(const BigNumber& a, const BigNumber& b) {
    return detail::compare(a.whole_, b.whole_);
  }
  // Throws domain_error for a division by zero, and where an int_un would fall below zero.
  Self& become(char what, const Self& other) {
    return static_cast<Self&>(*this) = Self(detail::calculate(what, whole_, other.whole()));
  }
};

class int_n : public BigNumber<int_n> {
 public:
  int_n() : BigNumber(detail::Whole()) {}
  template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  int_n(T number)
      : BigNumber(detail::Whole::of(
            static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(
                number))) {}
  explicit int_n(double number) : BigNumber(detail::Whole::of(number)) {}
  int_n(const char* text) : BigNumber(detail::Whole::of(text)) {}
  int_n(const std::string& text) : BigNumber(detail::Whole::of(text.c_str())) {}
  explicit int_n(detail::Whole whole) : BigNumber(std::move(whole)) {}
  int_n(const int_un& other);
  friend int_n operator-(const int_n& number) { return int_n(0) - number; }

  // The low 64 bits: what is lost is lost, and said so by calling this.
  int_8 as() const { return static_cast<int_8>(whole_.low_bits()); }
};

class int_un : public BigNumber<int_un> {
 public:
  int_un() : BigNumber(detail::Whole()) {}
  template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  int_un(T number)
      : int_un(detail::Whole::of(
            static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(
                number))) {}
  explicit int_un(double number) : int_un(detail::Whole::of(number)) {}
  int_un(const char* text) : int_un(detail::Whole::of(text)) {}
  int_un(const std::string& text) : int_un(detail::Whole::of(text.c_str())) {}
  // Throws domain_error below zero.
  explicit int_un(detail::Whole whole) : BigNumber(std::move(whole)) {
    if (whole_.negative) throw domain_error("An int_un cannot be below zero");
  }
  explicit int_un(const int_n& other) : int_un(other.whole()) {}
  int_u8 as() const { return whole_.low_bits(); }
};

inline int_n::int_n(const int_un& other) : BigNumber(other.whole()) {}

}  // namespace OC

// complex.h - complex numbers of any number type: two parts side by side, and nothing else.
#pragma once

#include <complex>

#include "ocport.h"

namespace OC {

template <class T>
struct cx_t {
  T re, im;

  cx_t(T real = T(), T imaginary = T()) : re(real), im(imaginary) {}
  template <class U>
  cx_t(const cx_t<U>& other) : re(static_cast<T>(other.re)), im(static_cast<T>(other.im)) {}
  cx_t(const std::complex<T>& other) : re(other.real()), im(other.imag()) {}
  operator std::complex<T>() const { return {re, im}; }

  cx_t& operator+=(const cx_t& other) { return *this = *this + other; }
  cx_t& operator-=(const cx_t& other) { return *this = *this - other; }
  cx_t& operator*=(const cx_t& other) { return *this = *this * other; }
  cx_t& operator/=(const cx_t& other) { return *this = *this / other; }

  friend cx_t operator+(const cx_t& a, const cx_t& b) { return made(a.re + b.re, a.im + b.im); }
  friend cx_t operator-(const cx_t& a, const cx_t& b) { return made(a.re - b.re, a.im - b.im); }
  friend cx_t operator-(const cx_t& a) { return made(T() - a.re, T() - a.im); }
  friend cx_t operator*(const cx_t& a, const cx_t& b) {
    return made(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
  }
  friend cx_t operator/(const cx_t& a, const cx_t& b) {
    const auto size = b.re * b.re + b.im * b.im;
    return made((a.re * b.re + a.im * b.im) / size, (a.im * b.re - a.re * b.im) / size);
  }
  friend bool operator==(const cx_t& a, const cx_t& b) { return a.re == b.re && a.im == b.im; }
  friend bool operator!=(const cx_t& a, const cx_t& b) { return !(a == b); }

 private:
  // Arithmetic on small integers is done in int: it comes back as what it was.
  template <class U>
  static cx_t made(U real, U imaginary) {
    return cx_t(static_cast<T>(real), static_cast<T>(imaginary));
  }
};

typedef cx_t<real_4> complex_8;
typedef cx_t<real_8> complex_16;

// As Python writes them: (1-2j).
template <class T>
ostream& operator<<(ostream& out, const cx_t<T>& number);

}  // namespace OC

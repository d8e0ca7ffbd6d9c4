// ocport.h - what every header of this family begins with: numbers, names, and the standard
// headers.
//
// Programs written for PicklingTools include shmboot.h alone and use cout, string, atoi, fopen and
// FILE without more ado. So these headers include what the originals did, and make the names of
// `std` and `OC` visible; OC_FORCE_NAMESPACE, defined before the first of them is
// included, keeps those of `OC` in their namespace.
// LINUX_, OC_NEW_STYLE_INCLUDES and the other switches of the originals are accepted and change
// nothing. C++17 and C++20.
#pragma once

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#define OC_BEGIN_NAMESPACE namespace OC {
#define OC_END_NAMESPACE }
#define PTOOLS_BEGIN_NAMESPACE OC_BEGIN_NAMESPACE
#define PTOOLS_END_NAMESPACE OC_END_NAMESPACE
#define OC_NAMESPACED(X) OC::X

namespace OC {

using namespace std;

typedef signed char int_1;
typedef unsigned char int_u1;
typedef std::int16_t int_2;
typedef std::uint16_t int_u2;
typedef std::int32_t int_4;
typedef std::uint32_t int_u4;
typedef std::int64_t int_8;
typedef std::uint64_t int_u8;
typedef float real_4;
typedef double real_8;
typedef std::intptr_t int_ptr;  // a size that may be subtracted
typedef std::uintptr_t AVLP;    // an address as a number
typedef std::string Str;
typedef std::string OCString;

class Val;
class Tab;
class OTab;
class Tup;
class Arr;
class Proxy;
class int_n;
class int_un;
class StreamingPool;
typedef StreamingPool Allocator;
template <class T>
class Array;

// Asked again and again while something is waited for; true ends the waiting.
typedef bool (*BreakChecker)();

}  // namespace OC

using namespace std;
#if !defined(OC_FORCE_NAMESPACE)
using namespace OC;
#endif

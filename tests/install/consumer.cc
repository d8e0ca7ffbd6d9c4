// Compiles and links against an installed tarn. With an argument it would join a domain; without
// one it needs no running node, but the linker has to find everything all the same.
#include <tarn/tarn.h>

#include <cstdio>

int main(int argument_count, char**) {
  if (argument_count > 1) tarn::connect();
  std::puts(tarn::version().c_str());
}

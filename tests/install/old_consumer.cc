// old_consumer.cc - a program written for PicklingTools, in C++17, with an installed tarn. It needs
// no node.
#include "shmboot.h"

static_assert(__cplusplus < 202002L, "tarn's own standard must not reach its users");

int main() {
  CQ queue(4);
  queue.enq(Tab("{'a':[1,2.5]}"));
  Val packet = queue.deq();
  return Stringize(packet) == "{'a': [1, 2.5]}" ? 0 : 1;
}

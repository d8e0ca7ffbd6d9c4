// force_namespace_test.cc - with OC_FORCE_NAMESPACE the names of OC stay in OC, so that a program
// may have others of the same name.
#define OC_FORCE_NAMESPACE
#include <gtest/gtest.h>

#include "shmboot.h"

struct Tab {
  int size = 4;
};
class Proxy {};
int STARTED = 17;

namespace {

TEST(ForceNamespaceTest, NamesOfOcStayInOc) {
  const Tab table;
  static_cast<void>(Proxy());
  OC::Val value = OC::Tab("{'a':1}");
  EXPECT_EQ(value["a"], 1);
  EXPECT_EQ(table.size, 4);
  EXPECT_EQ(STARTED, 17);
  const OC::State_e state = OC::STARTED;
  EXPECT_EQ(state, 2);
  cout << flush;  // those of std are visible all the same
}

}  // namespace

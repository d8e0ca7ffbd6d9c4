#include "os/socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "os/limits.h"

namespace tarn::os {
namespace {

using namespace std::chrono_literals;

TEST(SocketTest, ConnectingWaitsNoLongerThanItsDeadline) {
  raise_descriptor_limit();
  std::string folder = "/tmp/tarn-socket-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/socket";
  auto listener = listen_at(path);
  ASSERT_TRUE(listener);
  // Nobody accepts: the queue fills, and the next one would wait for ever.
  std::vector<UniqueFd> queued;
  Error::Code code = Error::none;
  while (code == Error::none) {
    auto made = connect_to(path, Deadline::in(10ms));
    if (made) {
      queued.push_back(std::move(*made));
    } else {
      code = made.error().code();
    }
  }
  EXPECT_EQ(code, Error::node_lost);
  EXPECT_GT(queued.size(), 1u);
  auto accepted = accept_from(listener->get());
  EXPECT_TRUE(accepted && *accepted);
  EXPECT_TRUE(connect_to(path, Deadline::in(10ms))) << "there is a place again";
  listener->reset();
  EXPECT_EQ(connect_to(path).error().code(), Error::node_unavailable);
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

}  // namespace
}  // namespace tarn::os

#include "os/access/passage.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "os/process.h"
#include "os/socket.h"

namespace tarn::os {
namespace {

class PassageTest : public ::testing::Test {
 protected:
  PassageTest() {
    std::string pattern = "/tmp/tarn-passage-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    ::chmod(root_.c_str(), 01777);
    path_ = root_ + "/one/two";
  }
  ~PassageTest() override { std::filesystem::remove_all(root_); }
  Error::Code check() const {
    const auto checked = check_passage(root_, path_, own_uid());
    return checked ? Error::none : checked.error().code();
  }
  static mode_t mode_of(const std::string& path) {
    struct stat facts {};
    ::stat(path.c_str(), &facts);
    return facts.st_mode & 07777;
  }

  std::string root_;
  std::string path_;
};

TEST_F(PassageTest, EachLevelMayBePassedThroughAndNoMore) {
  const mode_t before = ::umask(0077);
  EXPECT_EQ(check(), Error::not_found);
  EXPECT_TRUE(make_passage(root_, path_));
  ::umask(before);
  EXPECT_EQ(mode_of(root_ + "/one"), 0711u);
  EXPECT_EQ(mode_of(path_), 0711u);
  EXPECT_EQ(check(), Error::none);
  EXPECT_TRUE(make_passage(root_, path_)) << "made before";
}

TEST_F(PassageTest, WhatOthersCouldChangeIsRefused) {
  ASSERT_TRUE(make_passage(root_, path_));
  for (const mode_t mode : {0733U, 0731U, 0713U, 0777U}) {
    ::chmod((root_ + "/one").c_str(), mode);
    EXPECT_EQ(check(), Error::unsafe_directory) << std::oct << mode;
    EXPECT_FALSE(make_passage(root_, path_));
  }
  ::chmod((root_ + "/one").c_str(), 0711);
  EXPECT_FALSE(check_passage(root_, path_, own_uid() + 1)) << "another account's";
  ::chmod(root_.c_str(), 0777);
  EXPECT_EQ(check(), Error::unsafe_directory) << "public, and not sticky";
  ::chmod(root_.c_str(), 0755);
  EXPECT_EQ(check(), Error::none) << "not public";
}

TEST_F(PassageTest, LinksAndFilesAreRefused) {
  ASSERT_TRUE(make_passage(root_, root_ + "/real/two"));
  ASSERT_EQ(::symlink((root_ + "/real").c_str(), (root_ + "/one").c_str()), 0);
  EXPECT_EQ(check(), Error::unsafe_directory);
  EXPECT_FALSE(make_passage(root_, path_));
  ::unlink((root_ + "/one").c_str());
  ASSERT_EQ(::mknod((root_ + "/one").c_str(), S_IFREG | 0644, 0), 0);
  EXPECT_EQ(check(), Error::unsafe_directory);
}

TEST_F(PassageTest, TheSocketIsOpenToOthersOrToOneGroup) {
  ASSERT_TRUE(make_passage(root_, path_));
  const std::string socket = path_ + "/door";
  EXPECT_FALSE(check_socket(socket, own_uid()));
  ASSERT_TRUE(listen_for_others(socket, {}));
  EXPECT_EQ(mode_of(socket), 0666u);
  EXPECT_TRUE(check_socket(socket, own_uid()));
  EXPECT_FALSE(check_socket(socket, own_uid() + 1));
  ASSERT_TRUE(listen_for_others(socket, ::getgid()));
  EXPECT_EQ(mode_of(socket), 0660u);
  std::filesystem::remove(socket);
  ASSERT_EQ(::mknod(socket.c_str(), S_IFREG | 0644, 0), 0);
  EXPECT_FALSE(check_socket(socket, own_uid()));
}

}  // namespace
}  // namespace tarn::os

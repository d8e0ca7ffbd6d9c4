// stuck_to_close.h - a file as a hostile account makes one: whoever closes it waits, without being
// killable, until the program that is its file system answers.
#pragma once

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "os/fd.h"

namespace tarn::testing {

// One file, mounted for all accounts; needs root, and a kernel with FUSE: where it has none it is
// not there. Its program, a child of this process, answers everything but the flush that each
// close(2) asks for. Whoever has it open must not be waited for before release().
class StuckToClose {
 public:
  StuckToClose() {
    os::UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    const os::UniqueFd place(::mkstemp(path_.data()));
    std::array<char, 96> options{};
    std::snprintf(options.data(), options.size(),
                  "fd=%d,rootmode=100666,user_id=0,group_id=0,allow_other", device.get());
    std::array<int, 2> ends{};
    is_there_ =
        device && place && ::pipe2(ends.data(), O_CLOEXEC) == 0 &&
        ::mount("tarn-test", path_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.data()) == 0;
    if (!is_there_) return;
    said_ = os::UniqueFd(ends[0]);
    const os::UniqueFd say(ends[1]);
    program_ = ::fork();
    if (program_ == 0) serve(device.get(), say.get());
  }
  StuckToClose(const StuckToClose&) = delete;
  StuckToClose& operator=(const StuckToClose&) = delete;
  ~StuckToClose() {
    release();
    if (is_there_) ::umount2(path_.c_str(), MNT_DETACH);
    ::unlink(path_.c_str());
  }

  explicit operator bool() const noexcept { return is_there_; }
  const std::string& path() const noexcept { return path_; }
  // In a child: hangs in exec, as it closes the file, and is the program `true` after release().
  [[noreturn]] void hang_in_exec() const {
    if (::open(path_.c_str(), O_RDWR | O_CLOEXEC) < 0) ::_exit(101);
    ::execl("/bin/true", "true", nullptr);
    ::_exit(102);
  }
  // Returns once somebody closes it, and waits.
  void await_close() const {
    char one = 0;
    while (::read(said_.get(), &one, 1) < 0 && errno == EINTR) {
    }
  }
  // Ends its program: all that wait go on, and from now on nobody waits.
  void release() noexcept {
    if (program_ <= 0) return;
    ::kill(program_, SIGKILL);
    ::waitpid(program_, nullptr, 0);
    program_ = 0;
  }

 private:
  struct Reply {
    fuse_out_header header{};
    union {
      fuse_init_out init;
      fuse_attr_out attributes;
      fuse_open_out opened;
    };
    Reply() noexcept : attributes() {}
    template <class T>
    void append(const T&) noexcept {
      header.len += sizeof(T);
    }
  };

  [[noreturn]] static void serve(int device, int say) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    alignas(8) static std::array<std::byte, 1 << 17> request;
    for (;;) {
      if (::read(device, request.data(), request.size()) <= 0) {
        if (errno == EINTR || errno == ENOENT) continue;
        ::_exit(0);
      }
      fuse_in_header head{};
      std::memcpy(&head, request.data(), sizeof head);
      if (head.opcode == FUSE_FLUSH) [[maybe_unused]]
        const auto told = ::write(say, "x", 1);
      if (head.opcode != FUSE_FLUSH && head.opcode != FUSE_FORGET) answer(device, head);
    }
  }
  static void answer(int device, const fuse_in_header& head) {
    Reply reply;
    reply.header.unique = head.unique;
    reply.header.len = sizeof reply.header;
    if (head.opcode == FUSE_INIT) {
      reply.init.major = FUSE_KERNEL_VERSION;
      reply.init.minor = 31;
      reply.init.max_write = 4096;
      reply.append(reply.init);
    } else if (head.opcode == FUSE_GETATTR) {
      reply.attributes.attr.ino = 1;
      reply.attributes.attr.mode = S_IFREG | 0666;
      reply.attributes.attr.nlink = 1;
      reply.append(reply.attributes);
    } else if (head.opcode == FUSE_OPEN) {
      reply.append(reply.opened);
    } else if (head.opcode != FUSE_RELEASE) {
      reply.header.error = -ENOSYS;
    }
    [[maybe_unused]] const auto written = ::write(device, &reply, reply.header.len);
  }

  std::string path_ = "/tmp/tarn-stuck-XXXXXX";
  bool is_there_ = false;
  os::UniqueFd said_;
  pid_t program_ = 0;
};

}  // namespace tarn::testing

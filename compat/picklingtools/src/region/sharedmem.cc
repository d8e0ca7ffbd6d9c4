#include "sharedmem.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>

namespace OC {
namespace {

// Names below /dev/shm, which nobody else has to read.
constexpr mode_t kOwnerOnly = 0600;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const char* what, const char* name) {
  throw runtime_error(std::string(what) + " '" + name + "': " + strerror(errno));
}

string object_name(const char* name) {
  if (name == nullptr || *name == 0) {
    errno = EINVAL;
    fail("Couldn't use the shared memory", name == nullptr ? "" : name);
  }
  return *name == '/' ? string(name) : "/" + string(name);
}

void* mapped(int descriptor, size_t bytes, const char* name) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) fail("Couldn't map the shared memory", name);
  return memory;
}

std::atomic<unsigned char>& last_byte(void* memory, size_t bytes) {
  if (memory == nullptr || bytes == 0) throw runtime_error("There is no shared memory to look at");
  static_assert(sizeof(std::atomic<unsigned char>) == 1);
  return *reinterpret_cast<std::atomic<unsigned char>*>(static_cast<char*>(memory) + bytes - 1);
}

}  // namespace

void* SHMCreate(const char* name, size_t bytes, bool debug, void*) {
  const string object = object_name(name);
  ::shm_unlink(object.c_str());
  const Descriptor made(::shm_open(object.c_str(), O_RDWR | O_CREAT | O_EXCL, kOwnerOnly));
  if (made.get() < 0) fail("Couldn't create the shared memory", name);
  // Taken at once, so that too large a wish is an error here and not a signal later.
  const int error =
      bytes == 0 ? EINVAL : ::posix_fallocate(made.get(), 0, static_cast<off_t>(bytes));
  if (error != 0) {
    ::shm_unlink(object.c_str());
    errno = error;
    fail("Couldn't get the memory for", name);
  }
  void* memory = mapped(made.get(), bytes, name);
  if (debug) cerr << "SHMCreate: " << name << " has " << bytes << " bytes at " << memory << endl;
  return memory;
}

void* SHMAttach(const char* name, void*, size_t& bytes, bool debug) {
  const Descriptor found(::shm_open(object_name(name).c_str(), O_RDWR, 0));
  if (found.get() < 0) fail("Couldn't attach to the shared memory", name);
  struct stat status {};
  if (::fstat(found.get(), &status) != 0) fail("Couldn't attach to the shared memory", name);
  const auto size = static_cast<size_t>(status.st_size);
  void* memory = mapped(found.get(), size, name);
  bytes = size;
  if (debug) cerr << "SHMAttach: " << name << " has " << size << " bytes at " << memory << endl;
  return memory;
}

void SHMDetach(void* memory, size_t bytes) {
  if (::munmap(memory, bytes) != 0) fail("Couldn't detach from the shared memory", "");
}

void SHMUnlink(const char* name, bool show_error) {
  if (::shm_unlink(object_name(name).c_str()) == 0 || !show_error) return;
  cerr << "shm_unlink of '" << name << "': " << strerror(errno) << endl;
}

void SHMInitialize(void* memory, size_t bytes) {
  // sync(shm-initialized): hands over what was written before.
  last_byte(memory, bytes).store(1, std::memory_order_release);
}

bool SHMInitialized(void* memory, size_t bytes) {
  // sync(shm-initialized): receives it.
  return last_byte(memory, bytes).load(std::memory_order_acquire) == 1;
}

}  // namespace OC

// shmboot.h - SHMMain, ServerSide and ClientSide: values that pass between processes.
//
// The region is a tarn domain, "picklingtools." and its name; the pipes are that domain's pipes, so
// that the command `tarn` shows them. There is no fixed address: address randomisation stays on,
// and forced addresses are accepted and ignored. Sizes are hints: memory is taken as messages need
// it and given back when they are gone.
#pragma once

#include "opencontainers.h"
#include "sharedmem.h"

namespace OC {

namespace detail {
class Region;  // this process's part in a region
}  // namespace detail

enum State_e { STOPPED, STARTING, STARTED };

// What stood in the boot section; nothing depends on it here.
struct Bootstrap_t {
  size_t bytes_in_main_pool = 0;
  StreamingPool* main_pool = nullptr;
  void* data = nullptr;
  char initialization[4] = {0, 0, 0, 1};  // the last byte: it is ready
};

// What SHMMain, ServerSide and ClientSide have in common.
class SHMSide {
 public:
  // Whether to warn of address randomisation; nothing depends on it here, so nobody is warned.
  // Returns what it was.
  bool warning(bool on) {
    std::swap(warning_, on);
    return on;
  }
  // Whether this process has its addresses randomised.
  bool addressRandomization() const;
  State_e state() const { return state_; }
  // Both throw runtime_error before start(). The pool is this process's own.
  StreamingPool* pool();
  Bootstrap_t* boot();

  SHMSide(const SHMSide&) = delete;
  SHMSide& operator=(const SHMSide&) = delete;

 protected:
  SHMSide(const string& region, size_t pool_bytes, bool debug, BreakChecker external_break,
          int_8 micro_sleep);
  ~SHMSide();
  void say(const string& what) const;
  // Throws runtime_error when the caller's BreakChecker says so; else sleeps a little.
  void wait_a_little(const string& what) const;
  // Waits for the region, and has joined it then.
  void join_region();

  string region_;
  State_e state_ = STOPPED;
  bool debug_;
  bool warning_ = true;
  BreakChecker external_break_;
  int_8 micro_sleep_;
  std::shared_ptr<detail::Region> joined_;

 private:
  struct PoolMemory;
  bool try_to_join();
  size_t pool_bytes_;
  std::unique_ptr<PoolMemory> pool_;  // made when it is asked for
  Bootstrap_t boot_;
};

// Makes the region: one for each. While it is there, or anybody attached to it, the region is; a
// second SHMMain of the name ends everything that the first one began, and those who are attached
// get a runtime_error that says so.
class SHMMain : public SHMSide {
 public:
  // Ends any older region of this name at once.
  SHMMain(const string& region, size_t bytes, bool debug = false, void* forced_addr = 0,
          BreakChecker external_break = 0, int_8 micro_sleep = 100000);
  // New clients wait from here on. Those who are attached go on with what they have.
  ~SHMMain();

  // Throws runtime_error ("Couldn't create boot pool:...", "Couldn't create main pool:...").
  State_e start();

 private:
  void end_older();
  void begin();
  size_t bytes_;
  std::shared_ptr<void> mark_;  // the pipe that says that the region is there
};

// Makes a pipe in the region, or takes part in the one that is there: then its capacity holds.
class ServerSide : public SHMSide {
 public:
  ServerSide(const string& region, const string& pipe, int capacity, bool debug = false,
             void* forced_addr = 0, BreakChecker external_break = 0, int_8 micro_sleep = 100000);
  ~ServerSide();

  // Waits for the region, for ever or until the BreakChecker says so. Throws runtime_error: for a
  // capacity or a name that cannot be, and when the domain refuses. Once more after that, it joins
  // what is there then; other threads that are at an operation of the pipe end it there as it was.
  // After a throw it is STOPPED.
  State_e start();
  // Throws runtime_error before start(). The same queue as long as this lives, also after start()
  // was called again.
  CQ& pipe();

 private:
  string pipe_name_;
  int capacity_;
  std::unique_ptr<CQ> pipe_;
};

// Takes part in a pipe that some ServerSide makes.
class ClientSide : public SHMSide {
 public:
  ClientSide(const string& region, const string& pipe, bool debug = false, void* forced_addr = 0,
             BreakChecker external_break = 0, int_8 micro_sleep = 100000);
  ~ClientSide();

  // Waits for the region and the pipe, as ServerSide::start() does.
  State_e start();
  CQ& pipe();

 private:
  bool try_to_open();
  string pipe_name_;
  std::unique_ptr<CQ> pipe_;
};

}  // namespace OC

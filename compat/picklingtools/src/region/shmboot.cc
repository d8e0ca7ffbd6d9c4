// shmboot.cc - SHMMain, ServerSide and ClientSide over a tarn domain.
#include "shmboot.h"

#include <sys/mman.h>
#include <sys/personality.h>

#include <chrono>
#include <thread>

#include "region/queue_back.h"
#include "region/region.h"

namespace OC {

using detail::Region;
using tarn::Error;

namespace {

// A side's own pool: address space, which becomes memory where it is used.
constexpr size_t kSidePoolBytes = size_t{64} << 20;
// Beside what a caller of SHMMain's pool asked for.
constexpr size_t kMoreBytes = 4096;
// No address space is larger; a number below zero becomes one that is.
constexpr size_t kMostBytes = size_t{1} << 47;

bool ends_by_itself(const Error& error) {
  return error.code() == Error::node_unavailable || error.code() == Error::node_lost ||
         error.code() == Error::not_found || error.code() == Error::closed;
}

// The state of a side whose start() runs: one that throws leaves it stopped.
class Starting {
 public:
  explicit Starting(State_e& state) : state_(state) { state_ = STARTING; }
  ~Starting() {
    if (state_ == STARTING) state_ = STOPPED;
  }
  Starting(const Starting&) = delete;
  Starting& operator=(const Starting&) = delete;
  State_e succeed() { return state_ = STARTED; }

 private:
  State_e& state_;
};

}  // namespace

// --- both sides ---------------------------------------------------------------------------------

struct SHMSide::PoolMemory {
  explicit PoolMemory(size_t bytes)
      : size(bytes),
        memory(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)),
        pool(memory == MAP_FAILED ? nullptr : static_cast<char*>(memory),
             static_cast<int_ptr>(bytes), 16) {}
  ~PoolMemory() { ::munmap(memory, size); }
  PoolMemory(const PoolMemory&) = delete;
  PoolMemory& operator=(const PoolMemory&) = delete;

  size_t size;
  void* memory;
  StreamingPool pool;
};

SHMSide::SHMSide(const string& region, size_t pool_bytes, bool debug, BreakChecker external_break,
                 int_8 micro_sleep)
    : region_(region),
      debug_(debug),
      external_break_(external_break),
      micro_sleep_(micro_sleep),
      pool_bytes_(pool_bytes) {}
SHMSide::~SHMSide() = default;

bool SHMSide::addressRandomization() const {
  constexpr unsigned long kAsk = 0xffffffff;
  const int personality = ::personality(kAsk);
  if (personality >= 0 && (personality & ADDR_NO_RANDOMIZE) != 0) return false;
  ifstream switch_file("/proc/sys/kernel/randomize_va_space");
  int level = 1;
  switch_file >> level;
  return level != 0;
}

StreamingPool* SHMSide::pool() {
  if (state_ != STARTED) throw runtime_error("Shared memory not started yet");
  if (pool_ == nullptr) pool_ = std::make_unique<PoolMemory>(pool_bytes_);
  return &pool_->pool;
}

Bootstrap_t* SHMSide::boot() {
  boot_.main_pool = pool();
  boot_.bytes_in_main_pool = pool_bytes_;
  return &boot_;
}

void SHMSide::say(const string& what) const {
  if (debug_) cerr << what << endl;
}

void SHMSide::wait_a_little(const string& what) const {
  if (external_break_ != nullptr && external_break_()) {
    throw runtime_error("External break caused the wait for " + what + " to end");
  }
  // Looking is cheap: sooner than the caller asks for does no harm.
  constexpr int_8 kLongest = 20000;
  const int_8 pause = std::clamp<int_8>(micro_sleep_, 1000, kLongest);
  std::this_thread::sleep_for(std::chrono::microseconds(pause));
}

// One that is joined stays so while it is waited for: to join costs more than to look.
bool SHMSide::try_to_join() {
  try {
    if (joined_ == nullptr || !joined_->is_ours()) joined_ = Region::join(region_, false);
    if (joined_->is_marked()) return true;
    joined_->remove_left_pipes();
  } catch (const Error& error) {
    if (!ends_by_itself(error)) {
      throw runtime_error("Couldn't attach to the main session..." + string(error.what()));
    }
    if (joined_ != nullptr) joined_->say_lost();
    joined_.reset();
  }
  return false;
}

void SHMSide::join_region() {
  if (try_to_join()) return;
  say("Waiting for the region " + region_ + " ...");
  do {
    wait_a_little("the region " + region_);
  } while (!try_to_join());
}

// --- SHMMain ------------------------------------------------------------------------------------

SHMMain::SHMMain(const string& region, size_t bytes, bool debug, void*, BreakChecker external_break,
                 int_8 micro_sleep)
    : SHMSide(region, bytes + kMoreBytes, debug, external_break, micro_sleep), bytes_(bytes) {
  try {
    end_older();
  } catch (const Error&) {
    // Nothing older is there, or start() will say what is wrong.
  }
}

// Whoever is attached learns of it by his pipes' end.
void SHMMain::end_older() {
  tarn::ConnectOptions how = Region::options(region_);
  how.observer = true;
  tarn::Session observer = tarn::connect(how);
  for (const tarn::PipeStatus& pipe : observer.pipes()) {
    try {
      observer.remove_pipe(pipe.name);
    } catch (const Error& error) {
      if (error.code() != Error::not_found) throw;
    }
  }
}

State_e SHMMain::start() {
  if (state_ == STARTED) return state_;
  Starting starting(state_);
  begin();
  say("The region " + region_ + " is there: see tarn --application " +
      joined_->session().application() + " pipe ls");
  return starting.succeed();
}

void SHMMain::begin() {
  constexpr int kTries = 2;  // what this process had joined before may be gone
  for (int left = kTries;; --left) {
    try {
      if (region_.empty()) throw runtime_error("a region without a name");
      joined_ = Region::join(region_, true);
    } catch (const std::exception& error) {
      throw runtime_error("Couldn't create boot pool:" + string(error.what()));
    }
    try {
      if (bytes_ == 0 || bytes_ > kMostBytes) {
        throw runtime_error("a size of " + to_string(static_cast<int_ptr>(bytes_)) + " bytes");
      }
      mark_ = std::make_shared<tarn::Pipe>(
          joined_->session().create_pipe(Region::kMark, {.capacity = 1}));
      return;
    } catch (const Error& error) {
      if (left == 1 || !ends_by_itself(error)) {
        throw runtime_error("Couldn't create main pool:" + string(error.what()));
      }
      joined_->say_lost();
    } catch (const std::exception& error) {
      throw runtime_error("Couldn't create main pool:" + string(error.what()));
    }
  }
}

SHMMain::~SHMMain() {
  if (state_ != STARTED) return;
  try {
    // Closed: a later SHMMain has the region now.
    if (!joined_->is_ours() || static_cast<tarn::Pipe*>(mark_.get())->is_closed()) return;
    tarn::Session& session = joined_->session();
    session.remove_pipe(Region::kMark);
    mark_.reset();
    joined_->remove_left_pipes();
    say("Memory clean?" + to_string(session.pipes().empty()));
  } catch (const std::exception& error) {
    say("The region " + region_ + " has ended before: " + error.what());
  }
}

// --- ServerSide, ClientSide ---------------------------------------------------------------------

namespace {

// Programs keep the reference that pipe() gave them, also when they call start() again.
void seat(std::unique_ptr<CQ>& pipe, std::unique_ptr<detail::QueueBack> back) {
  if (pipe == nullptr) {
    if (back != nullptr) pipe = std::make_unique<CQ>(std::move(back));
  } else {
    pipe->reseat(std::move(back));
  }
}

CQ& started(const std::unique_ptr<CQ>& pipe, const string& region, State_e state) {
  if (pipe == nullptr || state != STARTED) {
    throw runtime_error("Pipe:" + region + "_boot/" + region + " not initialized yet");
  }
  return *pipe;
}

// The last one out of a pipe whose region has gone takes what is left in it along.
void leave(std::unique_ptr<CQ>& pipe, const std::shared_ptr<Region>& region) {
  if (pipe == nullptr) return;
  pipe.reset();
  if (region == nullptr) return;
  try {
    if (!region->is_ours() || region->is_marked()) return;
    region->remove_left_pipes();
  } catch (const std::exception&) {
    // It has gone by itself.
  }
}

}  // namespace

ServerSide::ServerSide(const string& region, const string& pipe, int capacity, bool debug, void*,
                       BreakChecker external_break, int_8 micro_sleep)
    : SHMSide(region, kSidePoolBytes, debug, external_break, micro_sleep),
      pipe_name_(pipe),
      capacity_(capacity) {}
ServerSide::~ServerSide() { leave(pipe_, joined_); }

State_e ServerSide::start() {
  Starting starting(state_);
  seat(pipe_, nullptr);
  if (capacity_ < 1 || capacity_ > tarn::kMaxCapacity) {
    throw runtime_error("Pipe:" + region_ + "/" + pipe_name_ + " cannot have a capacity of " +
                        to_string(capacity_) + ": from 1 to " + to_string(tarn::kMaxCapacity));
  }
  join_region();
  try {
    seat(pipe_, detail::pipe_queue(joined_, pipe_name_, capacity_));
  } catch (const Error& error) {
    throw runtime_error("Pipe:" + region_ + "/" + pipe_name_ + ": " + error.what());
  }
  say("The pipe " + pipe_name_ + " is there");
  return starting.succeed();
}

CQ& ServerSide::pipe() { return started(pipe_, region_, state_); }

ClientSide::ClientSide(const string& region, const string& pipe, bool debug, void*,
                       BreakChecker external_break, int_8 micro_sleep)
    : SHMSide(region, kSidePoolBytes, debug, external_break, micro_sleep), pipe_name_(pipe) {}
ClientSide::~ClientSide() { leave(pipe_, joined_); }

bool ClientSide::try_to_open() {
  try {
    auto back = detail::pipe_queue(joined_, pipe_name_, std::nullopt);
    if (back == nullptr) return false;
    seat(pipe_, std::move(back));
    return true;
  } catch (const Error& error) {
    if (!ends_by_itself(error)) {
      throw runtime_error("Pipe:" + region_ + "/" + pipe_name_ + ": " + error.what());
    }
    joined_->say_lost();
    return false;
  }
}

State_e ClientSide::start() {
  Starting starting(state_);
  seat(pipe_, nullptr);
  join_region();
  if (!try_to_open()) {
    say("Waiting for the pipe " + pipe_name_ + " ...");
    do {
      wait_a_little("the pipe " + pipe_name_);
      join_region();  // it may have ended meanwhile
    } while (!try_to_open());
  }
  say("The pipe " + pipe_name_ + " is there");
  return starting.succeed();
}

CQ& ClientSide::pipe() { return started(pipe_, region_, state_); }

}  // namespace OC

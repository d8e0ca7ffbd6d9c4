#include "region/region.h"

#include <unistd.h>

#include <map>
#include <mutex>

namespace OC {
namespace detail {
namespace {

struct Regions {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Region>> by_name;
};
Regions& regions() {
  // Never ended: sides may be objects of static life.
  static Regions* all = new Regions;
  return *all;
}

}  // namespace

Region::Region(std::string name, tarn::Session session)
    : name_(std::move(name)), pid_(::getpid()), session_(std::move(session)) {}

bool Region::is_of_this_process() const { return pid_ == ::getpid(); }
bool Region::is_lost() const { return is_lost_ || session_.is_lost(); }
bool Region::is_ours() const { return is_of_this_process() && !is_lost(); }

tarn::ConnectOptions Region::options(const std::string& name) {
  tarn::ConnectOptions options;
  options.application = "picklingtools." + plain(name);
  return options;
}

std::shared_ptr<Region> Region::join(const std::string& name, bool start_node) {
  const std::scoped_lock lock(regions().mutex);
  std::weak_ptr<Region>& known = regions().by_name[plain(name)];
  std::shared_ptr<Region> region = known.lock();
  if (region != nullptr && region->is_ours()) return region;
  tarn::ConnectOptions how = options(name);
  how.start_node = start_node;
  region = std::make_shared<Region>(name, tarn::connect(how));
  known = region;
  return region;
}

bool Region::is_marked() {
  bool is_there = false;
  bool is_used = false;
  for (const tarn::PipeStatus& pipe : session_.pipes()) {
    is_there = is_there || (pipe.name == kMark && !pipe.closed);
    is_used = is_used || pipe.sessions > 0;
  }
  return is_there && is_used;
}

void Region::opened(const std::string& pipe) {
  const std::scoped_lock lock(mutex_);
  ++opened_[pipe];
}

void Region::left(const std::string& pipe) {
  const std::scoped_lock lock(mutex_);
  --opened_[pipe];
}

// Of a pipe that one session has open. The node hears a moment later that this one has left it: it
// joins once more, so that it surely is among those that are counted.
bool Region::is_left_to_us(const std::string& pipe) {
  const auto ours = opened_.find(pipe);
  if (ours == opened_.end() || ours->second != 0) return false;
  const tarn::Pipe joined = session_.open_pipe(pipe);
  return session_.pipe_status(pipe).sessions == 1;
}

void Region::remove_left_pipes() {
  const std::scoped_lock lock(mutex_);
  for (const tarn::PipeStatus& pipe : session_.pipes()) {
    if (pipe.sessions > 1) continue;
    try {
      if (pipe.sessions == 0 || is_left_to_us(pipe.name)) session_.remove_pipe(pipe.name);
    } catch (const tarn::Error& error) {
      if (error.code() != tarn::Error::not_found) throw;  // somebody else was as tidy
    }
  }
}

}  // namespace detail
}  // namespace OC

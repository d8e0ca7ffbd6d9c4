// region.h - a region as this process sees it: one session with the domain that it stands for.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "tarn/tarn.h"

namespace OC {
namespace detail {

// All SHMMains, ServerSides and ClientSides of one region in one process share a session, so that
// what came out of one pipe goes into another by reference.
class Region {
 public:
  // The pipe that is there while the region is: SHMMain makes it and takes it away. Nothing ever
  // passes through it, so that it keeps no node alive.
  static constexpr const char* kMark = "region of picklingtools";

  // What tarn::connect() throws; without `start_node`, node_unavailable when nobody has it.
  static std::shared_ptr<Region> join(const std::string& name, bool start_node);
  static tarn::ConnectOptions options(const std::string& name);
  // Names of shared memory objects may begin with a slash, and mean the same without it.
  static std::string plain(const std::string& name) {
    return name.substr(name.find_first_not_of('/') == 1 ? 1 : 0);
  }

  // Whether some SHMMain has made it and not ended it, and anybody is there still: one whose last
  // process was killed has ended, though messages that nobody took keep its node alive.
  bool is_marked();
  // Of a region whose mark has gone: the pipes that nobody is attached to but this process, which
  // has left them, end with all that is in them. Nobody could ever read it.
  void remove_left_pipes();
  // This process has the pipe open once more, or once less.
  void opened(const std::string& pipe);
  void left(const std::string& pipe);
  tarn::Session& session() { return session_; }
  const std::string& name() const { return name_; }
  // Not of the process that called fork().
  bool is_of_this_process() const;
  // Its node has gone for good.
  bool is_lost() const;
  // Neither the parent's nor lost.
  bool is_ours() const;
  void say_lost() { is_lost_ = true; }

  Region(std::string name, tarn::Session session);

 private:
  // Requires: mutex_ is held.
  bool is_left_to_us(const std::string& pipe);

  const std::string name_;
  const int pid_;
  std::atomic<bool> is_lost_{false};
  tarn::Session session_;
  std::mutex mutex_;
  std::map<std::string, int> opened_;  // every pipe that ever was; 0: none is now
};

}  // namespace detail
}  // namespace OC

#include "client/check/surroundings.h"

#include <map>
#include <set>
#include <string>

#include "os/directory.h"
#include "os/examine/path_facts.h"
#include "os/examine/process_facts.h"
#include "shm/audit/audit.h"

namespace tarn::check {
namespace {

using audit::Findings;
using audit::Kind;
using audit::NodeImage;
using audit::ObjectKind;
using audit::Place;

constexpr std::uint32_t kForOthers = 0077;

std::string number(std::uint64_t value) { return std::to_string(value); }

void add(Findings& out, Kind kind, const os::PathFacts& path, std::uint64_t evidence,
         std::string found) {
  out.add(kind, {ObjectKind::run_directory, 0, 0, 0}, evidence, "'" + path.path + "'",
          std::move(found));
}

void check_pid_file(const std::string& path, std::int32_t keeper, Findings& out) {
  const os::PathFacts file = os::look_at(path);
  const std::string text = os::read_small_file(path);
  const std::string expected = std::to_string(keeper) + "\n";
  if (file.kind == os::PathKind::file && text == expected) return;
  add(out, Kind::pid_file_wrong, file, text.size(),
      file.kind == os::PathKind::file
          ? "it does not say that the keeper is process " + std::to_string(keeper)
          : "it is missing, or no file");
}

struct Known {
  std::string name;
  Place place;
};
// By inode.
std::map<std::uint64_t, Known> objects_of(const NodeImage& node) {
  std::map<std::uint64_t, Known> known;
  const auto note = [&](const audit::SharedImage& memory, std::string name, const Place& place) {
    if (memory == nullptr || !memory->facts) return;
    known.emplace(memory->facts->identity, Known{std::move(name), place});
  };
  for (const auto& [index, each] : node.sessions) {
    note(each.memory, name_of(each), {ObjectKind::session, index, each.generation, 0});
  }
  for (const auto& [id, each] : node.pipes) {
    note(each.memory, name_of(each), {ObjectKind::pipe, id, 0, 0});
  }
  for (const auto& [index, each] : node.slabs) {
    note(each.memory, name_of(each), {ObjectKind::slab, index, each.generation, 0});
  }
  note(node.table, "node table", {ObjectKind::table, 0, 0, 0});
  for (const auto& [id, each] : node.clients) {
    const Place place{ObjectKind::client, id, 0, 0};
    const std::string name = "client '" + each.name + "'";
    for (const std::uint64_t identity : {each.description, each.board}) {
      if (identity != 0) known.emplace(identity, Known{name, place});
    }
  }
  return known;
}

// Part 0 of the node is its worker, part 1 its keeper: the same memory may be in the hands of both.
void check_strangers(const std::vector<std::uint64_t>& open, std::uint32_t part,
                     const std::map<std::uint64_t, Known>& known, Findings& out) {
  for (const std::uint64_t inode : open) {
    if (known.contains(inode)) continue;
    out.add(Kind::descriptor_unaccounted, {ObjectKind::node, 0, 0, part}, inode,
            part == 0 ? "the worker" : "the keeper",
            "it holds memory (inode " + number(inode) + ") that belongs to no object");
  }
}

}  // namespace

void check_run_directory(const wire::RunPaths& paths, const NodeImage& node, Findings& out) {
  check_pid_file(paths.pid_file, node.figures.keeper_pid, out);
  const os::PathFacts lock = os::look_at(paths.lock_file);
  if (lock.kind != os::PathKind::file) {
    add(out, Kind::lock_file_missing, lock, 0, "it is missing, or no file");
  }
  const os::PathFacts socket = os::look_at(paths.socket);
  if (socket.kind == os::PathKind::socket && (socket.mode & kForOthers) != 0) {
    add(out, Kind::socket_mode, socket, socket.mode, "others may connect to it");
  }
}

void check_descriptors(const NodeImage& node, Findings& out) {
  const auto known = objects_of(node);
  const auto keeper = os::open_memory(node.figures.keeper_pid);
  const auto worker = os::open_memory(node.figures.worker_pid);
  if (worker) check_strangers(*worker, 0, known, out);
  if (!keeper) return;
  check_strangers(*keeper, 1, known, out);
  const std::set<std::uint64_t> kept(keeper->begin(), keeper->end());
  for (const auto& [inode, object] : known) {
    // A keeper that is stopped has yet to take what was sent to it.
    if (kept.contains(inode) || os::is_stopped(node.figures.keeper_pid)) continue;
    out.add(Kind::keeper_lacks_memory, object.place, inode, object.name,
            "the keeper does not hold its memory: it would not outlive the worker");
  }
}

}  // namespace tarn::check

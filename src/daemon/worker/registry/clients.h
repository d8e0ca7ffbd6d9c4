// clients.h - the supervised clients of the domain, as the worker knows them.
//
// Requests change what is ordered; the shepherds (worker/supervision) see to it that it happens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "daemon/keeper/restart_pace.h"
#include "daemon/store/record.h"
#include "daemon/supervision/orders.h"
#include "os/fd.h"
#include "shm/board/board.h"
#include "wire/client_description.h"

namespace tarn::daemon {

inline constexpr std::size_t kMaxClients = 256;

struct ClientItem {
  StoredClient facts{};
  os::UniqueFd description;
  os::UniqueFd directory;
  std::string command;  // for people
  wire::RestartWhen restart{};

  // Its shepherd, while there is one.
  os::UniqueFd control;
  os::UniqueFd process;  // pidfd
  std::int32_t shepherd_pid = 0;
  std::uint64_t shepherd_edition = 0;
  bool knows_board = false;  // of this shepherd: it may get orders
  std::uint64_t told_serial = 0;
  bool told_end = false;
  std::int64_t spawned_ns = 0;

  // Its board, or that of its last shepherd.
  os::UniqueFd board_memory;
  Segment board_segment;
  BoardView board;

  RestartPace pace;
  Deadline spawn_at = Deadline::passed();

  std::string_view name() const noexcept { return wire::get_text(facts.name); }
  OrderKind order() const noexcept { return static_cast<OrderKind>(facts.order); }
  bool has_shepherd() const noexcept { return static_cast<bool>(control); }
  layout::BoardFacts board_facts() const noexcept {
    const auto facts_now = board ? board.facts() : Result<layout::BoardFacts>(Error::not_found);
    return facts_now ? *facts_now : layout::BoardFacts{};
  }
  // Something of its command may still run: its shepherd knew, or knows.
  bool has_leftovers() const noexcept { return board_facts().command_pid != 0; }
  // Nobody runs it, and nobody is about to.
  bool is_over() const noexcept {
    const auto now = board_facts();
    return now.order >= facts.serial && now.state >= layout::ClientState::stopped;
  }
};

// Reads the description, and takes from it what the worker needs to know. corrupt when it is none.
FullStatus read_description(ClientItem& item);

class ClientRegistry {
 public:
  const std::map<std::uint32_t, std::unique_ptr<ClientItem>>& all() const noexcept {
    return items_;
  }
  ClientItem* at(std::uint32_t id) noexcept {
    const auto found = items_.find(id);
    return found == items_.end() ? nullptr : found->second.get();
  }
  ClientItem* find(std::string_view name) noexcept {
    for (const auto& [id, item] : items_) {
      if (item->name() == name) return item.get();
    }
    return nullptr;
  }
  ClientItem& add(std::unique_ptr<ClientItem> item) {
    return *(items_[item->facts.id] = std::move(item));
  }
  void erase(std::uint32_t id) { items_.erase(id); }

  // Whether a process in this session belongs to a supervised client: it ends with the node.
  bool supervises_session(std::int32_t session) const noexcept {
    for (const auto& [id, item] : items_) {
      if (session != 0 && item->board_facts().command_pid == session) return true;
    }
    return false;
  }
  // Clients that were not stopped by a person: they keep the node alive.
  bool keeps_node() const noexcept {
    for (const auto& [id, item] : items_) {
      if (item->order() != OrderKind::stop) return true;
    }
    return false;
  }
  std::int64_t longest_stop_ns() const noexcept {
    std::int64_t longest = 0;
    for (const auto& [id, item] : items_) longest = std::max(longest, item->facts.stop_ns);
    return longest;
  }

 private:
  std::map<std::uint32_t, std::unique_ptr<ClientItem>> items_;
};

}  // namespace tarn::daemon

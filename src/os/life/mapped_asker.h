// mapped_asker.h - asks what processes have mapped, in threads of their own: whoever opens
// /proc/PID/maps waits while the kernel has that process in the middle of exec, for as long as
// something that closes with it takes.
//
// Used by one thread. A thread that still waits outlives this, and ends with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "os/fd.h"
#include "os/life/mapped.h"

namespace tarn::os {

// Questions at the same time; beyond that none is taken.
inline constexpr std::size_t kMostMappedQuestions = 8;

struct MappedAnswer {
  std::uint64_t number = 0;       // of the question
  std::optional<bool> is_mapped;  // what maps_for_writing() said
};

class MappedAsker {
 public:
  MappedAsker();
  ~MappedAsker();
  MappedAsker(const MappedAsker&) = delete;
  MappedAsker& operator=(const MappedAsker&) = delete;

  // Readable while there are answers; -1 where no descriptor could be had for it.
  int event() const noexcept;
  // maps_for_writing(pid, identity), as question `number`. False when it is being asked already, or
  // cannot be now.
  bool ask(std::uint64_t number, std::int32_t pid, std::uint64_t identity);
  // Those that came since this was asked last.
  std::vector<MappedAnswer> take();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tarn::os

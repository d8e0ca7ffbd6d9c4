// patterns.h - what is measured, by name: what --list prints and --only chooses from.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tools/bench/patterns/domain.h"
#include "tools/bench/stage.h"

namespace tarn::bench {

struct Pattern {
  std::string_view name;
  std::string_view description;
  void (*run)(Stage& stage, Domain& domain);
};

// In the order in which they run.
std::span<const Pattern> patterns() noexcept;
// True when nothing was chosen, or `name` matches one of the wildcards chosen.
bool is_chosen(const Settings& settings, std::string_view name);

// patterns.cc
void run_floors(Stage& stage, Domain& domain);
void run_memcpy(Stage& stage, Domain& domain);
// latency.cc
void run_polling(Stage& stage, Domain& domain);
void run_reference(Stage& stage, Domain& domain);
void run_touched(Stage& stage, Domain& domain);
void run_blocking(Stage& stage, Domain& domain);
void run_blocking_asleep(Stage& stage, Domain& domain);
// throughput.cc
void run_one_to_one(Stage& stage, Domain& domain);
void run_one_to_one_blocking(Stage& stage, Domain& domain);
void run_two_to_two(Stage& stage, Domain& domain);
void run_four_to_four(Stage& stage, Domain& domain);
void run_references(Stage& stage, Domain& domain);
// costs.cc
void run_attach(Stage& stage, Domain& domain);
void run_open(Stage& stage, Domain& domain);
void run_open_new(Stage& stage, Domain& domain);
void run_descriptors(Stage& stage, Domain& domain);
void run_memory(Stage& stage, Domain& domain);
// syscalls.cc
void run_syscalls(Stage& stage, Domain& domain);

}  // namespace tarn::bench

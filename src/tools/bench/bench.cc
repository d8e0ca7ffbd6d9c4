#include "tools/bench/bench.h"

#include <algorithm>
#include <string>

#include "tools/bench/patterns/domain.h"
#include "tools/bench/patterns/patterns.h"
#include "tools/bench/peers/peers.h"

namespace tarn::bench {

void run_chosen(Stage& stage) {
  Domain domain;
  for (const Pattern& pattern : patterns()) {
    if (is_chosen(stage.settings(), pattern.name)) pattern.run(stage, domain);
  }
  if (stage.settings().compare) run_peers(stage);
}

void require_known(const Settings& settings) {
  for (const std::string& wildcard : settings.only) {
    Settings alone;
    alone.only = {wildcard};
    const auto matches = [&](const Pattern& pattern) { return is_chosen(alone, pattern.name); };
    if (std::any_of(patterns().begin(), patterns().end(), matches)) continue;
    throw BenchError("no pattern is called '" + wildcard + "'");
  }
}

}  // namespace tarn::bench

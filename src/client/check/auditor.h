// auditor.h - looks at a node until every doubt is settled: what was seen once may have been work
// in flight, what is seen again unchanged was there all the time.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "base/deadline.h"
#include "client/check/node_reader.h"
#include "shm/audit/audit.h"
#include "tarn/check.h"
#include "wire/names.h"

namespace tarn::check {

struct Audit {
  std::vector<audit::Finding> findings;
  audit::Counts counts;
  std::uint32_t looks = 0;
  std::uint64_t node_id = 0;  // whose findings they are
};

class Auditor {
 public:
  // `paths` may be null: then what stands around the node is not looked at.
  Auditor(AskWorker ask, const wire::RunPaths* paths, CheckOptions options)
      : reader_(std::move(ask)), paths_(paths), options_(std::move(options)) {}

  Result<Audit, Error> run();

 private:
  struct Suspect {
    audit::Finding finding;
    std::uint32_t seen = 1;
  };
  Result<std::vector<audit::Finding>, Error> look();
  void sort_out(std::vector<audit::Finding> first);
  void confirm(const std::vector<audit::Finding>& again, bool patience_is_over);
  void leave_stopped_alone(audit::NodeImage& node) const;
  void tell(audit::Finding finding);

  NodeReader reader_;
  const wire::RunPaths* paths_;
  const CheckOptions options_;
  Audit audit_;
  audit::Tally told_;
  std::vector<Suspect> suspects_;
};

}  // namespace tarn::check

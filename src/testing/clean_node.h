// clean_node.h - tests ask that nothing is amiss in a node, or in a part of one without a node.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "shm/audit/audit.h"
#include "shm/pipe/pipe.h"
#include "tarn/check.h"
#include "tarn/session.h"

namespace tarn::testing {

inline std::string text_of(const CheckReport& report) {
  std::string text;
  for (const Defect& each : report.defects) {
    text += each.kind + ": " + each.object + ": " + each.found + '\n';
  }
  return text;
}

// Audits the running node of the domain. With `patience`, also what should end by itself within it
// (deaths that are recovered, slabs that are let go of) has to have ended; it costs nothing when
// nothing of it is there. A few milliseconds on a small node, and nothing in the node changes.
inline void expect_clean_node(const ConnectOptions& options = {},
                              std::chrono::milliseconds patience = std::chrono::milliseconds(0)) {
  CheckOptions check;
  check.patience = patience;
  const CheckReport report = check_node(options, check);
  EXPECT_TRUE(report.is_clean()) << text_of(report);
}

inline std::string text_of(const std::vector<audit::Finding>& findings) {
  std::string text;
  for (const audit::Finding& each : findings) {
    text += std::string(audit::word_of(each.kind)) + ": " + each.object + ": " + each.found + '\n';
  }
  return text;
}

inline audit::SharedImage image_of(const Segment& segment) {
  auto image = std::make_shared<audit::SegmentImage>();
  image->bytes = {segment.base(), segment.size()};
  return image;
}
// A pipe without a node, as format_pipe() made it. Borrows the segment's mapping.
inline audit::PipeImage image_of_pipe(const Segment& segment, std::uint32_t slot_count,
                                      bool at_least_once, std::uint32_t id = 1) {
  audit::PipeImage pipe;
  pipe.id = id;
  pipe.slot_count = slot_count;
  pipe.delivery = at_least_once ? 1 : 0;
  pipe.memory = image_of(segment);
  return pipe;
}
// What is wrong with it as it stands; empty when nothing is. Nobody may be at work there.
inline std::string defects_of_pipe(const Segment& segment, std::uint32_t slot_count,
                                   bool at_least_once, std::uint32_t id = 1) {
  return text_of(audit::audit_pipe(image_of_pipe(segment, slot_count, at_least_once, id)));
}
inline std::string defects_of_session(const Segment& segment) {
  audit::SessionImage session;
  session.index = 1;
  session.memory = image_of(segment);
  return text_of(audit::audit_session(session));
}

}  // namespace tarn::testing

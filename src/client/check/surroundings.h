// surroundings.h - what stands around a node: its run directory, and the descriptors that its two
// processes hold.
#pragma once

#include "shm/audit/finding.h"
#include "shm/audit/node_image.h"
#include "wire/names.h"

namespace tarn::check {

// What keeps a client from reaching the node at all is the doctor's business.
void check_run_directory(const wire::RunPaths& paths, const audit::NodeImage& node,
                         audit::Findings& out);
// Every segment is held by the keeper, which hands it to the next worker; and neither keeper nor
// worker holds memory that belongs to nothing. Says nothing where /proc does not show it.
void check_descriptors(const audit::NodeImage& node, audit::Findings& out);

}  // namespace tarn::check

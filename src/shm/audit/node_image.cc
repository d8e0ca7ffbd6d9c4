#include "shm/audit/node_image.h"

#include <cstring>

namespace tarn::audit {

bool SegmentImage::copy(std::uint64_t offset, std::span<std::byte> target) const noexcept {
  if (fd) return os::read_memory(fd.get(), offset, target) == target.size();
  if (offset > bytes.size() || target.size() > bytes.size() - offset) return false;
  if (!target.empty()) std::memcpy(target.data(), bytes.data() + offset, target.size());
  return true;
}

void NodeImage::add_link(const LinkImage& link) {
  links.push_back(link);
  if (!link.first_lists) return;
  const Pair pair{link.first, link.second};
  if (link.kind == LinkKind::opening) openings.insert(pair);
  if (link.kind == LinkKind::viewing) viewings.insert(pair);
  if (link.kind == LinkKind::carrying) carryings.insert(pair);
}

}  // namespace tarn::audit

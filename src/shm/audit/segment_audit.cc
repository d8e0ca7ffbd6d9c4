// What is true of every segment: its seals, its size, its header. And slabs, which have no more.
#include <string>

#include "shm/audit/audit.h"
#include "shm/heap/slab.h"

namespace tarn::audit {
namespace {

// The header's fields as plain numbers: a copy of it is not atomic any more.
struct HeaderCopy {
  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t kind;
  std::uint64_t size_bytes;
  std::uint64_t reserved;
};
static_assert(sizeof(HeaderCopy) == sizeof(layout::SegmentHeader));

struct SlabCopy {
  HeaderCopy segment;
  std::uint64_t chunk_bytes;
  std::uint32_t chunk_count;
  std::uint32_t reserved;
};
static_assert(sizeof(SlabCopy) == sizeof(layout::SlabHeader));

std::string number(std::uint64_t value) { return std::to_string(value); }

// False when the memory is not the one that was announced.
bool check_kernel_facts(const os::MemoryFacts& facts, std::uint64_t size_bytes, bool one_writer,
                        const Place& place, const std::string& object, Findings& out) {
  if (!facts.size_sealed) {
    out.add(Kind::memory_unsealed, place, 1, object, "its memory could be shrunk by somebody");
  } else if (one_writer && !facts.write_sealed) {
    out.add(Kind::memory_unsealed, place, 2, object, "its memory could be written by others");
  }
  if (facts.size_bytes == size_bytes) return true;
  out.add(Kind::memory_size, place, facts.size_bytes, object,
          "its memory has " + number(facts.size_bytes) + " bytes, where the node's record says " +
              number(size_bytes));
  return false;
}

void check_header(const HeaderCopy& header, layout::SegmentKind kind, std::uint64_t size_bytes,
                  const Place& place, const std::string& object, Findings& out) {
  if (header.magic != layout::kMagic) {
    out.add(Kind::header_magic, place, header.magic, object, "its first eight bytes are no magic");
  }
  if (header.layout_version != layout::kLayoutVersion) {
    out.add(Kind::header_version, place, header.layout_version, object,
            "its header says layout version " + number(header.layout_version) + ", not " +
                number(layout::kLayoutVersion));
  }
  const auto expected = static_cast<std::uint32_t>(kind);
  if (header.kind != expected) {
    out.add(Kind::header_kind, place, header.kind, object,
            "its header says kind " + number(header.kind) + ", not " + number(expected));
  }
  if (header.size_bytes != size_bytes) {
    out.add(Kind::header_size, place, header.size_bytes, object,
            "its header says " + number(header.size_bytes) + " bytes, not " + number(size_bytes));
  }
}

// All pages of a session's segment but the first are made when they are needed.
bool lacks_pages(const os::MemoryFacts& facts, layout::SegmentKind kind) noexcept {
  const std::uint64_t least = kind == layout::SegmentKind::session ? kPage : facts.size_bytes;
  return facts.allocated_bytes < least;
}

}  // namespace

bool check_segment(const SegmentImage* memory, layout::SegmentKind kind, std::uint64_t size_bytes,
                   bool one_writer, const Place& place, const std::string& object, Findings& out) {
  HeaderCopy header{};
  if (memory == nullptr || !memory->is_readable()) {
    out.add(Kind::memory_unreadable, place, 0, object, "its memory cannot be read");
    return false;
  }
  if (memory->facts) {
    if (!check_kernel_facts(*memory->facts, size_bytes, one_writer, place, object, out)) {
      return false;
    }
    if (lacks_pages(*memory->facts, kind)) {
      out.add(Kind::memory_pages_missing, place, memory->facts->allocated_bytes, object,
              "only " + number(memory->facts->allocated_bytes) + " of its bytes have memory");
      return false;
    }
  }
  if (!memory->copy_record(0, header)) {
    out.add(Kind::memory_unreadable, place, 1, object, "its memory is too short for a header");
    return false;
  }
  check_header(header, kind, size_bytes, place, object, out);
  return true;
}

std::string name_of(const SlabImage& slab) { return "segment " + number(slab.index); }

void check_slab(const SlabImage& slab, Findings& out) {
  const Place place{ObjectKind::slab, slab.index, slab.generation, 0};
  const std::string object = name_of(slab);
  if (slab.owner != 0 && !slab.owner_exists) {
    out.add(Kind::slab_owner_missing, place, slab.owner, object,
            "it belongs to session " + number(slab.owner) + ", which is not there");
  }
  const auto expected = slab_bytes(slab.chunk_bytes, slab.chunk_count);
  if (!expected || *expected != slab.size_bytes) {
    out.add(Kind::slab_record_shape, place, slab.size_bytes, object,
            number(slab.chunk_count) + " chunks of " + number(slab.chunk_bytes) +
                " bytes do not make " + number(slab.size_bytes) + " bytes");
  }
  if (!check_segment(slab.memory.get(), layout::SegmentKind::slab, slab.size_bytes, true, place,
                     object, out)) {
    return;
  }
  SlabCopy header{};
  if (!slab.memory->copy_record(0, header)) return;
  if (header.chunk_bytes == slab.chunk_bytes && header.chunk_count == slab.chunk_count) return;
  out.add(Kind::slab_header_shape, place, evidence_of(header.chunk_bytes, header.chunk_count),
          object,
          "its header says " + number(header.chunk_count) + " chunks of " +
              number(header.chunk_bytes) + " bytes, the node's record " + number(slab.chunk_count) +
              " of " + number(slab.chunk_bytes));
}

}  // namespace tarn::audit

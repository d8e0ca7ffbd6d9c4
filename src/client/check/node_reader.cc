#include "client/check/node_reader.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace tarn::check {
namespace {

using audit::LinkImage;
using audit::LinkKind;
using audit::NodeImage;
using audit::SegmentImage;
using wire::AuditSubject;

constexpr const char* kAttempted = "audit the node";

audit::SessionImage image_of(const wire::AuditSession& facts) {
  audit::SessionImage image;
  image.index = facts.index;
  image.generation = facts.generation;
  image.pid = facts.pid;
  image.quota_bytes = facts.quota_bytes;
  image.charged_bytes = facts.charged_bytes;
  image.owned_bytes = facts.owned_bytes;
  image.has_exited = facts.has_exited != 0;
  image.in_quarantine = facts.in_quarantine != 0;
  image.name = wire::get_text(facts.name);
  return image;
}

audit::PipeImage image_of(const wire::AuditPipe& facts) {
  audit::PipeImage image;
  image.id = facts.id;
  image.slot_count = facts.slot_count;
  image.delivery = facts.delivery;
  image.in_quarantine = facts.in_quarantine != 0;
  image.name = wire::get_text(facts.name);
  return image;
}

audit::SlabImage image_of(const wire::AuditSlab& facts) {
  audit::SlabImage image;
  image.index = facts.index;
  image.generation = facts.generation;
  image.owner = facts.owner;
  image.chunk_count = facts.chunk_count;
  image.chunk_bytes = facts.chunk_bytes;
  image.size_bytes = facts.size_bytes;
  image.owner_exists = facts.owner_exists != 0;
  image.owner_has_it = facts.owner_has_it != 0;
  return image;
}

audit::ClientImage image_of(const wire::AuditClient& facts) {
  return {facts.id, std::string(wire::get_text(facts.name)), facts.description, facts.board};
}

LinkImage image_of(LinkKind kind, const wire::AuditLink& facts) {
  LinkImage image;
  image.kind = kind;
  image.first = facts.first;
  image.second = facts.second;
  image.serial = facts.serial;
  image.first_lists = (facts.listed_by & 1) != 0;
  image.second_lists = (facts.listed_by & 2) != 0;
  image.first_exists = (facts.existing & 1) != 0;
  image.second_exists = (facts.existing & 2) != 0;
  return image;
}

// A pipe is read where it stands, where an earlier image has it mapped already if there is one. Its
// descriptor is not kept: there may be more pipes than descriptors.
void keep_mapped(SegmentImage& image, SegmentImage* known) {
  if (!image.facts || image.facts->size_bytes == 0) return;
  if (known != nullptr && known->facts->identity == image.facts->identity &&
      known->bytes.size() == image.facts->size_bytes) {
    image.mapping = std::move(known->mapping);
    known->bytes = {};
  } else if (auto mapping = os::map_readable(image.fd.get(), image.facts->size_bytes)) {
    image.mapping = Segment(std::move(*mapping));
  }
  image.fd.reset();
  image.bytes = {image.mapping.base(), image.mapping.size()};
}

}  // namespace

template <class Answer, class Request>
Result<Answer, Error> NodeReader::ask(Request request, Reply* whole) {
  request.header.request = ++last_request_;
  auto reply = ask_(wire::bytes_of(request));
  if (!reply) return std::move(reply).error();
  auto answer = reply->template as<Answer>(kAttempted);
  if (whole != nullptr) *whole = std::move(*reply);
  return answer;
}

template <class Page, class Visit>
FullStatus NodeReader::read_pages(AuditSubject subject, Visit&& visit) {
  auto wish = wire::make<wire::AuditList>(0);
  wish.subject = subject;
  for (;;) {
    const auto page = ask<Page>(wish);
    if (!page) return page.error();
    const auto count = std::min<std::size_t>(page->count, page->items.size());
    for (std::size_t i = 0; i < count; ++i) visit(page->items[i]);
    if (page->more == 0) return Done{};
    wish.after_first = page->last_first;
    wish.after_second = page->last_second;
  }
}

Result<NodeImage, Error> NodeReader::read() {
  NodeImage node;
  // The figures of the beginning say whose node it is; those of the end are newer than all else.
  if (auto done = read_figures(node); !done) return std::move(done).error();
  if (node_id_ == 0) node_id_ = node.figures.node_id;
  if (auto done = read_objects(node); !done) return std::move(done).error();
  if (auto done = read_all_links(node); !done) return std::move(done).error();
  if (auto done = read_figures(node); !done) return std::move(done).error();
  if (node.figures.node_id != node_id_) {
    return Error(Error::node_lost, kAttempted, "another node has taken its place", "check again");
  }
  if (auto done = read_memory(node); !done) return std::move(done).error();
  return node;
}

FullStatus NodeReader::read_figures(NodeImage& node) {
  const auto answer = ask<wire::AuditFigures>(wire::make<wire::AuditNode>(0));
  if (!answer) return answer.error();
  audit::NodeFigures& figures = node.figures;
  figures.node_id = answer->node_id;
  figures.limit_bytes = answer->limit_bytes;
  figures.used_bytes = answer->used_bytes;
  figures.holders_bytes = answer->holders_bytes;
  figures.pipes_bytes = answer->pipes_bytes;
  figures.orphans_bytes = answer->orphans_bytes;
  figures.last_pipe_id = answer->last_pipe_id;
  figures.last_session_generation = answer->last_session_generation;
  figures.last_segment_generation = answer->last_segment_generation;
  figures.last_opening = answer->last_opening;
  figures.keeper_pid = answer->keeper_pid;
  figures.worker_pid = answer->worker_pid;
  figures.worker_starts = answer->worker_starts;
  return Done{};
}

FullStatus NodeReader::read_objects(NodeImage& node) {
  auto done = read_pages<wire::AuditSessions>(
      AuditSubject::sessions,
      [&](const wire::AuditSession& facts) { node.sessions[facts.index] = image_of(facts); });
  if (!done) return done;
  done = read_pages<wire::AuditPipes>(AuditSubject::pipes, [&](const wire::AuditPipe& facts) {
    node.pipes[facts.id] = image_of(facts);
  });
  if (!done) return done;
  done = read_pages<wire::AuditSlabs>(AuditSubject::slabs, [&](const wire::AuditSlab& facts) {
    node.slabs[facts.index] = image_of(facts);
  });
  if (!done) return done;
  return read_pages<wire::AuditClients>(AuditSubject::clients, [&](const wire::AuditClient& facts) {
    node.clients[facts.id] = image_of(facts);
  });
}

FullStatus NodeReader::read_links(NodeImage& node, LinkKind kind, AuditSubject subject) {
  return read_pages<wire::AuditLinks>(
      subject, [&](const wire::AuditLink& facts) { node.add_link(image_of(kind, facts)); });
}

FullStatus NodeReader::read_all_links(NodeImage& node) {
  constexpr std::pair<LinkKind, AuditSubject> kLists[] = {
      {LinkKind::opening, AuditSubject::openings},
      {LinkKind::opening, AuditSubject::openings_of_pipes},
      {LinkKind::viewing, AuditSubject::viewings},
      {LinkKind::viewing, AuditSubject::viewings_of_slabs},
      {LinkKind::carrying, AuditSubject::carryings},
      {LinkKind::carrying, AuditSubject::carryings_of_pipes},
      {LinkKind::owning, AuditSubject::ownings}};
  for (const auto& [kind, subject] : kLists) {
    if (auto done = read_links(node, kind, subject); !done) return done;
  }
  return Done{};
}

template <class Table, class Subject>
FullStatus NodeReader::read_memory_of(Table& table, Subject&& subject_of) {
  for (auto at = table.begin(); at != table.end();) {
    const auto [subject, generation] = subject_of(at->second);
    auto memory = memory_of(subject, at->first, generation);
    if (!memory) return std::move(memory).error();
    at->second.memory = *memory;
    // What has gone meanwhile is no part of the image.
    at = *memory == nullptr ? table.erase(at) : std::next(at);
  }
  return Done{};
}

FullStatus NodeReader::read_memory(NodeImage& node) {
  using About = std::pair<AuditSubject, std::uint32_t>;
  used_.clear();
  auto done = read_memory_of(node.sessions, [](const audit::SessionImage& session) {
    return About{AuditSubject::sessions, session.generation};
  });
  if (!done) return done;
  done = read_memory_of(node.pipes, [](const audit::PipeImage&) {
    return About{AuditSubject::pipes, 0U};
  });
  if (!done) return done;
  done = read_memory_of(node.slabs, [](const audit::SlabImage& slab) {
    return About{AuditSubject::slabs, slab.generation};
  });
  if (!done) return done;
  auto table = memory_of(AuditSubject::table, 0, 0);
  if (!table) return std::move(table).error();
  node.table = *table;
  known_ = std::exchange(used_, {});
  return Done{};
}

Result<NodeReader::Memory, Error> NodeReader::memory_of(AuditSubject subject, std::uint32_t index,
                                                        std::uint32_t generation) {
  const Key key{subject, index, generation};
  const auto found = known_.find(key);
  const Memory known = found != known_.end() ? found->second : nullptr;
  if (known != nullptr && known->fd) {
    const auto facts = os::examine_memory(known->fd.get());
    if (!facts) return facts.error();
    known->facts = *facts;
    return used_[key] = known;
  }
  auto wish = wire::make<wire::AuditGet>(0);
  wish.subject = subject;
  wish.index = index;
  wish.generation = generation;
  auto fetched = fetch(wish);
  if (!fetched || *fetched == nullptr) return fetched;
  if (subject == AuditSubject::pipes) keep_mapped(**fetched, known.get());
  // What could not be had is asked for again: that may have been the moment's fault.
  if ((*fetched)->is_readable()) used_[key] = *fetched;
  return fetched;
}

Result<NodeReader::Memory, Error> NodeReader::fetch(const wire::AuditGet& wish) {
  Reply whole;
  const auto got = ask<wire::DoneReply>(wish, &whole);
  if (!got && got.error().code() == Error::not_found) return Memory();
  const bool is_ours = got || got.error().code() == Error::os;
  if (!is_ours) return got.error();
  auto image = std::make_shared<SegmentImage>();
  if (whole.descriptors.empty()) return image;
  image->fd = std::move(whole.descriptors.front());
  const auto facts = os::examine_memory(image->fd.get());
  if (!facts) return facts.error();
  image->facts = *facts;
  return image;
}

}  // namespace tarn::check

// node_reader.h - reads a node as an auditor sees it: the worker's facts page by page, then the
// memory of each object, for reading.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "client/connection.h"
#include "shm/audit/node_image.h"
#include "wire/audit_messages.h"

namespace tarn::check {

// Sends a request to the worker and waits for its answer. In tests, the worker may be a function.
using AskWorker = std::function<Result<Reply, Error>(std::span<const std::byte> request)>;

class NodeReader {
 public:
  explicit NodeReader(AskWorker ask) : ask_(std::move(ask)) {}

  // A whole image. Memory that was mapped for an earlier one is not mapped again. node_lost when
  // another node has taken the place of the first.
  Result<audit::NodeImage, Error> read();

 private:
  template <class Answer, class Request>
  Result<Answer, Error> ask(Request request, Reply* whole = nullptr);
  template <class Page, class Visit>
  FullStatus read_pages(wire::AuditSubject subject, Visit&& visit);
  FullStatus read_figures(audit::NodeImage& node);
  FullStatus read_objects(audit::NodeImage& node);
  FullStatus read_links(audit::NodeImage& node, audit::LinkKind kind, wire::AuditSubject subject);
  FullStatus read_all_links(audit::NodeImage& node);
  FullStatus read_memory(audit::NodeImage& node);
  // Null when the object has gone meanwhile; an image that is not readable when it cannot be had.
  // What the kernel says of it is asked anew for each image of the node.
  using Memory = std::shared_ptr<audit::SegmentImage>;
  Result<Memory, Error> memory_of(wire::AuditSubject subject, std::uint32_t index,
                                  std::uint32_t generation);
  Result<Memory, Error> fetch(const wire::AuditGet& wish);
  template <class Table, class Subject>
  FullStatus read_memory_of(Table& table, Subject&& subject_of);

  using Key = std::tuple<wire::AuditSubject, std::uint32_t, std::uint32_t>;
  AskWorker ask_;
  std::uint64_t last_request_ = 0;
  std::uint64_t node_id_ = 0;  // 0: not asked yet
  std::map<Key, Memory> known_;
  std::map<Key, Memory> used_;  // by the image that is being read
};

}  // namespace tarn::check

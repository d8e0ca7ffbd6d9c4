#include "client/access/viewers.h"

#include <algorithm>

#include "client/session_core.h"

namespace tarn::detail {

// model: hold_rows.pml, label ask_viewers
std::shared_ptr<const ViewerSet> KnownViewers::get() noexcept {
  const std::lock_guard guard(lock_);
  if (known_->epoch != session_.viewers_epoch()) {
    auto fresh = ask(*known_);
    if (fresh == nullptr) return nullptr;
    known_ = std::move(fresh);
  }
  return known_;
}

std::shared_ptr<const ViewerSet> KnownViewers::ask(const ViewerSet& before) {
  auto fresh = std::make_shared<ViewerSet>();
  auto request = wire::make<wire::ViewersGet>(0);
  request.audience = audience_;
  for (bool more = true; more;) {
    const auto answer = session_.connection().ask<wire::Viewers>(request, "find holders");
    if (!answer) return nullptr;
    if (request.after_viewer == 0 && request.after_carrier == 0) fresh->epoch = answer->epoch;
    const auto viewer_count = std::min<std::size_t>(answer->viewer_count, answer->viewers.size());
    for (std::size_t i = 0; i < viewer_count; ++i) {
      const wire::ViewerFacts& facts = answer->viewers[i];
      auto viewer = fetch_viewer({facts.index, facts.generation}, before);
      if (viewer) {
        fresh->viewers.push_back(std::move(*viewer));
      } else if (viewer.error().code() == Error::corrupt) {
        fresh->holds_everything = true;
      } else if (viewer.error().code() != Error::not_found) {
        return nullptr;
      }
      request.after_viewer = facts.index;
    }
    const auto carrier_count =
        std::min<std::size_t>(answer->carrier_count, answer->carriers.size());
    for (std::size_t i = 0; i < carrier_count; ++i) {
      auto carrier = fetch_carrier(answer->carriers[i], before);
      if (carrier) {
        fresh->carriers.push_back(std::move(*carrier));
      } else if (carrier.error().code() != Error::not_found) {
        return nullptr;
      }
      request.after_carrier = answer->carriers[i];
    }
    more = answer->more != 0 && viewer_count + carrier_count > 0;
  }
  return fresh;
}

Result<Viewer, Error> KnownViewers::fetch_viewer(SessionId id, const ViewerSet& before) {
  for (const Viewer& known : before.viewers) {
    if (known.id == id) return known;
  }
  auto request = wire::make<wire::SessionGet>(0);
  request.index = id.index;
  request.generation = id.generation;
  os::UniqueFd fd;
  auto got = session_.connection().ask<wire::SessionGot>(request, "find holders", -1, &fd);
  if (!got) return std::move(got).error();
  auto mapped = map_foreign(fd.get(), layout::kSessionBytes, true, false);
  if (!mapped) return std::move(mapped).error();
  Viewer viewer;
  viewer.id = id;
  viewer.segment = std::make_shared<const Segment>(std::move(*mapped));
  const auto view = SessionView::attach(*viewer.segment);
  // Its own doing, whatever it is.
  if (!view) return Error(Error::corrupt, "find holders", "a session's segment", {});
  viewer.view = *view;
  return viewer;
}

Result<Carrier, Error> KnownViewers::fetch_carrier(std::uint32_t pipe_id, const ViewerSet& before) {
  for (const Carrier& known : before.carriers) {
    if (known.pipe_id == pipe_id) return known;
  }
  auto request = wire::make<wire::PipeGet>(0);
  request.pipe_id = pipe_id;
  os::UniqueFd fd;
  auto got = session_.connection().ask<wire::PipeOpened>(request, "find holders", -1, &fd);
  if (!got) return std::move(got).error();
  auto mapped = map_foreign(fd.get(), got->size_bytes, false, false);
  if (!mapped) return std::move(mapped).error();
  auto control = std::make_shared<PipeControl>();
  control->segment = std::move(*mapped);
  const auto view = PipeView::attach(control->segment);
  if (!view) return Error(view.error(), "find holders", "a pipe's segment", {});
  control->view = *view;
  Carrier carrier;
  carrier.pipe_id = pipe_id;
  // Shares the control's ownership and points at its view.
  carrier.slots = std::shared_ptr<const SlotWatch>(control, &control->view);
  return carrier;
}

}  // namespace tarn::detail

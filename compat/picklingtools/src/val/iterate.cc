#include "oc/iterate.h"

#include <algorithm>

#include "oc/templates.h"
#include "val/proxy_body.h"

namespace OC {

void It::over(const Val& what, bool sorted) {
  // Only referred to: what is gone over is not copied.
  if (what.isproxy) whole_ = what;
  switch (what.tag) {
    case 't':
      over(what.object_as<Tab>(), sorted);
      return;
    case 'o':
      over(what.object_as<OTab>(), sorted);
      return;
    case 'u':
      over(what.object_as<Tup>().elements());
      return;
    case 'n':
      if (what.subtype == 'Z') {
        over(what.object_as<Arr>());
        return;
      }
      break;
    default:
      throw logic_error(std::string("Nothing to iterate over in a ") +
                        detail::name_of_tag(what.tag));
  }
  Arr copied(what.length());
  detail::visit_number(what.subtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for (const T& element : std::as_const(what.object_as<Array<T>>())) copied.append(Val(element));
  });
  whole_ = Val(new Arr(copied));
  over(whole_.object_as<Arr>());
}

void It::over(const detail::Table& table, bool sorted) {
  next_ = table.first();
  is_sorted_ = sorted;
  if (!sorted) return;
  for (detail::Entry* entry = next_; entry != nullptr; entry = entry->next) {
    sorted_.push_back(entry);
  }
  std::stable_sort(sorted_.begin(), sorted_.end(), [](const auto* a, const auto* b) {
    return detail::sorts_before(a->key, b->key);
  });
}

void It::over(const Array<Val>& list) {
  // A Val that is not const may be iterated over in order to be changed.
  list_ = const_cast<Array<Val>*>(&list);
}

bool It::operator()() {
  if (list_ != nullptr) {
    if (static_cast<int_ptr>(position_) >= list_->length()) return false;
    index_ = Val(static_cast<int_4>(position_));
    element_ = &(*list_)(static_cast<int_ptr>(position_++));
    return true;
  }
  if (is_sorted_) {
    entry_ = position_ < sorted_.size() ? sorted_[position_++] : nullptr;
    return entry_ != nullptr;
  }
  entry_ = next_;
  if (entry_ == nullptr) return false;
  next_ = entry_->next;
  return true;
}

}  // namespace OC

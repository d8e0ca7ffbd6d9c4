#include "oc/iterate.h"

#include <algorithm>

#include "oc/templates.h"
#include "val/proxy_body.h"

namespace OC {

void It::over(const Val& what) {
  // Only referred to: what is gone over is not copied.
  if (what.isproxy && &what != &whole_) whole_ = what;
  switch (what.tag) {
    case 't':
      over(what.object_as<Tab>());
      return;
    case 'o':
      over(what.object_as<OTab>());
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
      throw runtime_error(std::string("Nothing to iterate over in a ") +
                          detail::name_of_tag(what.tag));
  }
  Arr copied(what.length());
  detail::visit_number(what.subtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for (const T& element : what.object_as<Array<T>>().elements_now()) copied.append(Val(element));
  });
  whole_ = Val(new Arr(copied));
  over(whole_.object_as<Arr>());
}

void It::over(const detail::Table& table) {
  first_ = next_ = table.first();
  if (!is_sorted_) return;
  for (detail::Entry* entry = first_; entry != nullptr; entry = entry->next) {
    entries_.push_back(entry);
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const auto* a, const auto* b) {
    return detail::sorts_before(a->key, b->key);
  });
}

void It::over(const Array<Val>& list) {
  // A Val that is not const may be iterated over in order to be changed.
  list_ = const_cast<Array<Val>*>(&list);
  if (!is_sorted_) return;
  for (Val& element : *list_) values_.push_back(&element);
  std::stable_sort(values_.begin(), values_.end(),
                   [](const auto* a, const auto* b) { return detail::sorts_before(*a, *b); });
}

void It::reset() {
  position_ = 0;
  next_ = first_;
  entry_ = nullptr;
}

bool It::next() {
  if (list_ != nullptr) {
    if (static_cast<int_ptr>(position_) >= list_->length()) return false;
    index_ = Val(static_cast<int_4>(position_));
    element_ = is_sorted_ ? values_[position_] : &(*list_)(static_cast<int_ptr>(position_));
    ++position_;
    return true;
  }
  if (is_sorted_) {
    entry_ = position_ < entries_.size() ? entries_[position_++] : nullptr;
    return entry_ != nullptr;
  }
  entry_ = next_;
  if (entry_ == nullptr) return false;
  next_ = entry_->next;
  return true;
}

}  // namespace OC

// pretty_print.cc - values over several lines: entries of tables sorted by key, one to a line.
#include "oc/templates.h"

namespace OC {
namespace {

using detail::Table;

struct Layout {
  ostream& out;
  int add;

  void margin(int indent) const {
    for (int i = 0; i < indent; ++i) out << ' ';
  }
  void print(const Val& value, int indent) const {
    if (value.tag == 't') {
      entries(value, "{", true, indent);
    } else if (value.tag == 'o') {
      entries(value, "o{", false, indent);
    } else if (value.tag == 'u') {
      elements(value.object_as<Tup>().elements(), "()", indent);
    } else if (value.tag == 'n' && value.subtype == 'Z') {
      elements(value.object_as<Arr>(), "[]", indent);
    } else {
      out << value;
    }
  }
  void entries(const Val& table, const char* opening, bool sorted, int indent) const {
    if (table.length() == 0) {
      out << opening << " }";
      return;
    }
    out << opening << '\n';
    if (sorted) {
      each_entry(Sit(table), table.length(), indent + add);
    } else {
      each_entry(It(table), table.length(), indent + add);
    }
    margin(indent);
    out << '}';
  }
  void each_entry(It&& ii, int_ptr left, int indent) const {
    while (ii()) {
      margin(indent);
      out << ii.key() << ':';
      print(ii.value(), indent);
      out << (--left > 0 ? ",\n" : "\n");
    }
  }
  void elements(const Array<Val>& list, const char* brackets, int indent) const {
    if (list.empty()) {
      out << brackets[0] << ' ' << brackets[1];
      return;
    }
    out << brackets[0] << '\n';
    for (int_ptr i = 0; i < list.length(); ++i) {
      margin(indent + add);
      print(list[i], indent + add);
      out << (i + 1 < list.length() ? ",\n" : "\n");
    }
    margin(indent);
    out << brackets[1];
  }
};

}  // namespace

void Val::prettyPrint(ostream& out, int indent, int add) const {
  const Layout layout{out, add};
  layout.margin(indent);
  layout.print(*this, indent);
  out << '\n';
}

// A copy of what is printed is not needed: the Val only refers to it for the while.
void Tab::prettyPrint(ostream& out, int indent, int add) const {
  Val(Proxy(const_cast<Tab*>(this), false)).prettyPrint(out, indent, add);
}
void OTab::prettyPrint(ostream& out, int indent, int add) const {
  Val(Proxy(const_cast<OTab*>(this), false)).prettyPrint(out, indent, add);
}
void Tup::prettyPrint(ostream& out, int indent, int add) const {
  Val(Proxy(const_cast<Tup*>(this), false)).prettyPrint(out, indent, add);
}
void Arr::prettyPrint(ostream& out, int indent, int add) const {
  Val(Proxy(const_cast<Arr*>(this), false)).prettyPrint(out, indent, add);
}

}  // namespace OC

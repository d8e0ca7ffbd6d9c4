// inheritance.h - what the domain's last keeper left with the service manager, and whether this one
// goes on with it.
#pragma once

#include "daemon/store/record_store.h"
#include "daemon/store/safekeeping.h"

namespace tarn::daemon {

struct Inheritance {
  Safekeeping safe;      // none: nothing of this node outlives its keeper
  RecordStore store;     // empty when the node is new
  bool goes_on = false;  // with the node that safe.book().facts() names
};

// Requires: the caller has the domain's lock, so that the last keeper is dead. `anew` is the node
// that begins when there is none to go on with: of another version or domain, ended, or not whole.
// busy when a worker of the last keeper does not end: then nothing was decided.
Result<Inheritance, Error> inherit(os::ServiceManager& service, const BookFacts& anew);

}  // namespace tarn::daemon

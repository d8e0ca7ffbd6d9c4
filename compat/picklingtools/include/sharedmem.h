// sharedmem.h - pieces of shared memory by name: the caller's own, for plain bytes.
//
// They are POSIX shared memory objects: visible below /dev/shm, mode 0600, there until SHMUnlink()
// or a restart of the machine. Values do not need them: see shmboot.h. All throw runtime_error,
// with what the system said.
#pragma once

#include "ocport.h"

namespace OC {

// A new piece, cleared, mapped writable; one that has this name is unlinked first. A forced address
// is accepted and ignored: the kernel finds a place.
void* SHMCreate(const char* name, size_t bytes, bool debug = false, void* forced_addr = 0);
// One that exists; `bytes` is its size afterwards.
void* SHMAttach(const char* name, void* forced_addr, size_t& bytes, bool debug = false);
void SHMDetach(void* memory, size_t bytes);
// The name goes; who has it mapped keeps it.
void SHMUnlink(const char* name, bool show_error = true);
// The last byte says that the rest is ready: 1, set last.
void SHMInitialize(void* memory, size_t bytes);
bool SHMInitialized(void* memory, size_t bytes);

}  // namespace OC

// stopped.h - whether a process that is dying will do anything more.
#pragma once

#include <cstdint>

namespace tarn::os {

// Whether no thread of the process will execute an instruction of the program again: each is on its
// way out of the kernel's exit, or gone. True long before a large process has given up its memory.
// False when it cannot be told; never waits. Asynchronous work of the kernel (io_uring, DMA) is not
// covered.
bool has_stopped_running(std::int32_t pid) noexcept;

// Whether no thread of the process, which has begun to end, will come back from the kernel: each is
// on its way out, or is to be killed as soon as whatever it waits for there lets it go. False when
// it cannot be told.
bool has_only_doomed_threads(std::int32_t pid) noexcept;

}  // namespace tarn::os

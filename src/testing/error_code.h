// error_code.h - which tarn::Error a step of a test throws.
#pragma once

#include "tarn/error.h"

namespace tarn::testing {

// Error::none when it throws none.
template <class Step>
Error::Code code_of(Step&& step) {
  try {
    step();
  } catch (const Error& error) {
    return error.code();
  }
  return Error::none;
}

}  // namespace tarn::testing

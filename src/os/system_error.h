// system_error.h - turns errno into the Error a person can act on.
#pragma once

#include <string>

#include "tarn/error.h"

namespace tarn::os {

// Code and cure follow from `number`: EMFILE becomes no_descriptors, ENOMEM no_memory, EACCES
// access_denied; everything else is os.
Error system_error(std::string attempted, std::string object, int number);
// The same for the errno of the call that just failed.
Error system_error(std::string attempted, std::string object);

}  // namespace tarn::os

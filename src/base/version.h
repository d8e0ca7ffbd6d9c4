// version.h - which release this is. CMakeLists.txt says the same.
#pragma once

namespace tarn {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace tarn

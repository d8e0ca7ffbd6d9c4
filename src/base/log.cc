#include "base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace tarn {
namespace {

constexpr std::size_t kRotateBytes = 1 << 20;
constexpr std::size_t kRotatedFiles = 2;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("tarn", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %P %l %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

bool log_to_file(const std::string& path) noexcept {
  try {
    auto sink =
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kRotateBytes, kRotatedFiles);
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e %P %l %v");
    logger().sinks().assign(1, std::move(sink));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void set_log_level(LogLevel least) noexcept { logger().set_level(to_spdlog(least)); }

void set_log_role(std::string_view role) noexcept {
  try {
    logger().set_pattern("%Y-%m-%dT%H:%M:%S.%e %P " + std::string(role) + " %l %v");
  } catch (const std::exception&) {
    return;
  }
}

void log_line(LogLevel level, std::string_view text) noexcept {
  logger().log(to_spdlog(level), text);
}

}  // namespace tarn

#include "tools/failure.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/print/style.h"
#include "tools/print/text.h"

namespace tarn::tools {

Failure::Failure(const Error& error)
    : Failure(exit_code_of(error.code()), std::string(name_of(error.code())), error.attempted(),
              error.object(), error.cure(), error.system_error()) {}

Failure usage_failure(std::string problem, std::string cure) {
  return Failure(ExitCode::usage, "usage", "read the command line", std::move(problem),
                 std::move(cure));
}

namespace {

void report_json(const Failure& failure, std::ostream& err) {
  nlohmann::ordered_json object = {{"code", failure.code},
                                   {"attempted", failure.attempted},
                                   {"object", failure.object},
                                   {"cure", failure.cure},
                                   {"exit_code", static_cast<int>(failure.exit)}};
  if (failure.system_error != 0) {
    object["system_error"] = {{"number", failure.system_error},
                              {"text", std::strerror(failure.system_error)}};
  }
  err << json_text(object) << '\n';
}

}  // namespace

void report(const Failure& failure, bool json, bool color, std::ostream& err) {
  if (json) return report_json(failure, err);
  const Style style(color);
  err << style.paint(Paint::red, "tarn: ") << "cannot " << printable(failure.attempted);
  if (!failure.object.empty()) err << ": " << printable(failure.object);
  err << " (" << failure.code;
  if (failure.system_error != 0) err << ": " << std::strerror(failure.system_error);
  err << ")\n";
  if (!failure.cure.empty()) {
    err << style.paint(Paint::dim, "  cure: ") << printable(failure.cure) << '\n';
  }
}

}  // namespace tarn::tools

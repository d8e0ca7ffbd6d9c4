// cli_value_fixture.h - the command line and files of values.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {

class CliValueTest : public CliTest {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string file(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  std::string content_of(const std::string& name) const {
    std::ifstream stream(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

constexpr const char* kLossless =
    R"({"n":123456789012345678901234567890,"b":{"$bytes":"AP8="},"t":{"$tuple":[1,"two"]},)"
    R"("a":{"$array":"int16","shape":[2,1],"data":"AQACAA=="},"k":{"$table":[[1,{"$float":"nan"}]]}})";

}  // namespace tarn::e2e

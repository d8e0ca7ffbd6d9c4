// status_json.h - what can be seen of a node, as JSON. Part of the interface: fields are added,
// never renamed or removed. They are called as in tarn/inspect.h.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "tarn/inspect.h"
#include "tarn/node.h"

namespace tarn::tools {

nlohmann::ordered_json json_of(const NodeStatus& node);
nlohmann::ordered_json json_of(const PipeStatus& pipe);
nlohmann::ordered_json json_of(const SessionStatus& session);
nlohmann::ordered_json json_of(const Finding& finding);

template <class T>
nlohmann::ordered_json json_of(const std::vector<T>& all) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const T& each : all) array.push_back(json_of(each));
  return array;
}

// "ok", "notice", "warning", "problem".
std::string_view name_of(Severity severity) noexcept;

}  // namespace tarn::tools

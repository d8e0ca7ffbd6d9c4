// access_text.h - rules of access as people write them: "user:bob:read", "group:lab:read-write",
// "world:read:pipe=results-*".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/access_messages.h"

namespace tarn::wire {

// The number of an account or group of that name; none when there is none.
using FindAccount = std::function<std::optional<std::uint32_t>(SubjectKind, const std::string&)>;

struct Subject {
  SubjectKind kind = SubjectKind::world;
  std::uint32_t id = 0;
};

// "user:NAME", "group:NAME", "world", or "NAME" alone for a user; a number may stand for a name.
Result<Subject, Error> parse_subject(std::string_view text, const FindAccount& find);
// "read", "read-write" (also "rw"), "none".
Result<AccessRight, Error> parse_right(std::string_view text);
// SUBJECT:RIGHT or SUBJECT:RIGHT:pipe=NAME.
Result<AccessRule, Error> parse_rule(std::string_view text, const FindAccount& find);
// Rules with ';' between them, as $TARN_ACCESS has them.
Result<std::vector<AccessRule>, Error> parse_rules(std::string_view text, const FindAccount& find);
// A pipe's name, or the beginning of one and '*'; empty for the domain.
FullStatus check_access_object(std::string_view pipe);

std::string_view name_of(AccessRight right) noexcept;

}  // namespace tarn::wire

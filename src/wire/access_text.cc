#include "wire/access_text.h"

#include <algorithm>
#include <charconv>

#include "wire/names.h"

namespace tarn::wire {
namespace {

constexpr const char* kReading = "read a rule of access";
constexpr std::string_view kPipe = "pipe=";

Error refuse(std::string_view text, const std::string& why, std::string cure) {
  std::string shown(text.substr(0, 120));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return Error(Error::invalid_argument, kReading, "'" + shown + "' " + why, std::move(cure));
}

std::optional<std::uint32_t> parse_number(std::string_view text) noexcept {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

}  // namespace

Result<Subject, Error> parse_subject(std::string_view text, const FindAccount& find) {
  if (text == "world") return Subject{SubjectKind::world, 0};
  const bool is_group = text.starts_with("group:");
  const std::string_view name = is_group                    ? text.substr(6)
                                : text.starts_with("user:") ? text.substr(5)
                                                            : text;
  const SubjectKind kind = is_group ? SubjectKind::group : SubjectKind::user;
  if (name.empty()) return refuse(text, "names nobody", "write user:NAME, group:NAME or world");
  const auto number = parse_number(name);
  const auto id = number ? number : find(kind, std::string(name));
  if (!id) {
    return refuse(text, is_group ? "is no group of this machine" : "is no account of this machine",
                  "write user:NAME, group:NAME or world; a number may stand for a name");
  }
  // The kernel's own word for "none", and ours for "everybody".
  if (*id == kEveryUid) return refuse(text, "is no account", "choose another number");
  return Subject{kind, *id};
}

Result<AccessRight, Error> parse_right(std::string_view text) {
  if (text == "read") return AccessRight::read;
  if (text == "read-write" || text == "read_write" || text == "rw") return AccessRight::read_write;
  if (text == "none") return AccessRight::none;
  return refuse(text, "is no right", "write read, read-write or none");
}

FullStatus check_access_object(std::string_view pipe) {
  if (pipe.empty() || pipe == "*") return Done{};
  const bool is_pattern = pipe.back() == '*';
  const std::string_view fixed = is_pattern ? pipe.substr(0, pipe.size() - 1) : pipe;
  if (fixed.find('*') != std::string_view::npos) {
    return refuse(pipe, "has a '*' in its middle", "write a name, or its beginning and one '*'");
  }
  // A name's beginning may end with a space; the name may not.
  return check_pipe_name(is_pattern ? std::string(fixed) + "x" : std::string(fixed));
}

Result<AccessRule, Error> parse_rule(std::string_view text, const FindAccount& find) {
  std::string_view rest = text;
  AccessRule rule{};
  const auto pipe = rest.find(":pipe=");
  if (pipe != std::string_view::npos) {
    const std::string_view name = rest.substr(pipe + 1 + kPipe.size());
    if (name.empty()) return refuse(text, "names no pipe", "write :pipe=NAME, or leave it out");
    if (auto good = check_access_object(name); !good) return std::move(good).error();
    put_text(rule.pipe, name);
    rest = rest.substr(0, pipe);
  }
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) {
    return refuse(text, "has no right", "write it as in group:lab:read-write:pipe=spectra");
  }
  const auto right = parse_right(rest.substr(colon + 1));
  if (!right) return right.error();
  const auto subject = parse_subject(rest.substr(0, colon), find);
  if (!subject) return subject.error();
  rule.subject = subject->kind;
  rule.id = subject->id;
  rule.right = *right;
  return rule;
}

Result<std::vector<AccessRule>, Error> parse_rules(std::string_view text, const FindAccount& find) {
  std::vector<AccessRule> rules;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.empty()) continue;
    const auto rule = parse_rule(one, find);
    if (!rule) return rule.error();
    rules.push_back(*rule);
  }
  return rules;
}

std::string_view name_of(AccessRight right) noexcept {
  switch (right) {
    case AccessRight::none:
      return "none";
    case AccessRight::read:
      return "read";
    case AccessRight::read_write:
      return "read-write";
  }
  return "unknown";
}

}  // namespace tarn::wire

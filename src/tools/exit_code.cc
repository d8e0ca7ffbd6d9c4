#include "tools/exit_code.h"

#include <array>

namespace tarn::tools {
namespace {

constexpr std::array kMeanings = {
    ExitCodeMeaning{ExitCode::ok, "success"},
    ExitCodeMeaning{ExitCode::failure, "another failure"},
    ExitCodeMeaning{ExitCode::usage, "the command line is wrong"},
    ExitCodeMeaning{ExitCode::not_found, "no such pipe, session, client or command"},
    ExitCodeMeaning{ExitCode::timed_out, "--timeout passed"},
    ExitCodeMeaning{ExitCode::closed, "the pipe is closed"},
    ExitCodeMeaning{ExitCode::limit, "a limit was hit: memory, quota, descriptors, table, size"},
    ExitCodeMeaning{ExitCode::denied, "access denied"},
    ExitCodeMeaning{ExitCode::unavailable, "no node runs, it was lost, or has another version"},
    ExitCodeMeaning{ExitCode::findings, "doctor or check found a problem"},
    ExitCodeMeaning{ExitCode::mismatch, "it exists already, or with other options"},
};

}  // namespace

std::span<const ExitCodeMeaning> exit_codes() noexcept { return kMeanings; }

ExitCode exit_code_of(Error::Code code) noexcept {
  switch (code) {
    case Error::none:
      return ExitCode::ok;
    case Error::invalid_argument:
      return ExitCode::usage;
    case Error::not_found:
      return ExitCode::not_found;
    case Error::exists:
    case Error::option_mismatch:
      return ExitCode::mismatch;
    case Error::closed:
      return ExitCode::closed;
    case Error::too_large:
    case Error::domain_full:
    case Error::quota_exceeded:
    case Error::no_memory:
    case Error::no_descriptors:
    case Error::table_full:
      return ExitCode::limit;
    case Error::node_unavailable:
    case Error::node_lost:
    case Error::version_mismatch:
      return ExitCode::unavailable;
    case Error::access_denied:
    case Error::unsafe_directory:
      return ExitCode::denied;
    case Error::forked:
    case Error::busy:
    case Error::peer_died:
    case Error::corrupt:
    case Error::os:
    case Error::wrong_type:
    case Error::out_of_range:
      return ExitCode::failure;
  }
  return ExitCode::failure;  // a code that a newer library knows and this program does not
}

ExitCode exit_code_of(PushStatus status) noexcept {
  switch (status) {
    case PushStatus::ok:
      return ExitCode::ok;
    case PushStatus::full:
    case PushStatus::timed_out:
      return ExitCode::timed_out;
    case PushStatus::closed:
      return ExitCode::closed;
    case PushStatus::too_large:
    case PushStatus::no_memory:
      return ExitCode::limit;
    case PushStatus::node_lost:
      return ExitCode::unavailable;
    case PushStatus::corrupt:
    case PushStatus::forked:
      return ExitCode::failure;
  }
  return ExitCode::failure;
}

ExitCode exit_code_of(PopStatus status) noexcept {
  switch (status) {
    case PopStatus::ok:
      return ExitCode::ok;
    case PopStatus::empty:
    case PopStatus::timed_out:
      return ExitCode::timed_out;
    case PopStatus::closed:
      return ExitCode::closed;
    case PopStatus::no_memory:
      return ExitCode::limit;
    case PopStatus::node_lost:
      return ExitCode::unavailable;
    case PopStatus::corrupt:
    case PopStatus::forked:
      return ExitCode::failure;
  }
  return ExitCode::failure;
}

}  // namespace tarn::tools

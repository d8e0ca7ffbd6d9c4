// error.h - the one exception of tarn's public interface.
//
// Construction and look-up throw Error. Operations on the data path (push, pop) return a status and
// never throw. A timeout is an outcome, not an error.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace tarn {

// What failed, on which object, and what a person can do about it.
class Error : public std::exception {
 public:
  // Grouped by what the caller can do next.
  enum Code : std::uint8_t {
    none = 0,
    // Change the call.
    invalid_argument,  // a name, capacity or size that cannot be
    not_found,         // no such pipe, session or segment
    exists,            // asked to create what is there already
    option_mismatch,   // the pipe exists with other options
    closed,            // the pipe is closed: nothing more goes in
    too_large,         // one message above the limit
    forked,            // this process is a fork()ed child: connect anew
    // Wait, or free something, then try again.
    domain_full,     // the domain's memory limit is reached
    quota_exceeded,  // this session's quota is reached
    no_memory,       // the machine or the cgroup has no memory left
    no_descriptors,  // RLIMIT_NOFILE is reached
    table_full,      // a table of the node (sessions, segments, pipes, rows) is full
    busy,            // somebody else is at it: try again
    // The node went away.
    node_unavailable,  // no node runs, and none was started
    node_lost,         // the node ended, or stopped answering
    peer_died,         // the other side died in the middle; the object is usable again
    // Call a person.
    access_denied,     // another user's node or object
    version_mismatch,  // node and library do not speak the same protocol or layout
    unsafe_directory,  // the run directory belongs to somebody else, or is a link
    corrupt,           // bytes from another process make no sense
    os,                // the system refused; see system_error()
    // Ask a value for something else.
    wrong_type,   // it holds another type than was asked for
    out_of_range  // the number does not fit into what was asked for
  };

  Error(Code code, std::string attempted, std::string object, std::string cure,
        int system_error = 0);

  Code code() const noexcept { return code_; }
  // What was tried: "open the pipe".
  const std::string& attempted() const noexcept { return attempted_; }
  // On what: "pipe 'spectra'".
  const std::string& object() const noexcept { return object_; }
  // What to do: "choose a capacity from 1 to 1048576".
  const std::string& cure() const noexcept { return cure_; }
  // errno of the refused system call, else 0.
  int system_error() const noexcept { return system_error_; }
  // All of it in one sentence.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Code code_;
  int system_error_;
  std::string attempted_;
  std::string object_;
  std::string cure_;
  std::string text_;
};

// The code's stable name, as --json prints it: "option_mismatch".
std::string_view name_of(Error::Code code) noexcept;

}  // namespace tarn

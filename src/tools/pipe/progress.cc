#include "tools/pipe/progress.h"

#include <ostream>

#include "tools/print/format.h"

namespace tarn::tools {

std::string summary_of(TransferCount count, std::chrono::nanoseconds elapsed,
                       const std::string& noun) {
  const auto elapsed_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 1));
  const double seconds = static_cast<double>(elapsed_ns) / 1e9;
  return format_count(count.messages) + ' ' + noun + (count.messages == 1 ? ", " : "s, ") +
         format_size(count.bytes) + " in " + format_duration(elapsed_ns) + " (" +
         format_quantity(static_cast<double>(count.messages) / seconds) + "/s, " +
         format_byte_rate(static_cast<double>(count.bytes) / seconds) + ")";
}

namespace {

constexpr std::chrono::milliseconds kTerminalStep(200);
constexpr std::chrono::milliseconds kLineStep(1000);

}  // namespace

Progress::Progress(ProgressOptions options, std::ostream& err)
    : options_(std::move(options)), err_(err), begin_(Clock::now()), next_(begin_) {
  next_ += options_.terminal ? kTerminalStep : kLineStep;
}

Progress::~Progress() {
  if (options_.live && options_.terminal) err_ << "\r\x1b[K";
  if (options_.live || options_.total) {
    err_ << "tarn: " << options_.verb << ' ' << summary_of(count_, elapsed(), options_.noun)
         << '\n';
  }
  err_.flush();
}

void Progress::add(std::uint64_t size_bytes) {
  ++count_.messages;
  count_.bytes += size_bytes;
  if (options_.live) print_live();
}

void Progress::add_bytes(std::uint64_t size_bytes) {
  count_.bytes += size_bytes;
  if (options_.live) print_live();
}

void Progress::print_live() {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + (options_.terminal ? kTerminalStep : kLineStep);
  if (options_.terminal) err_ << "\r\x1b[K";
  err_ << "tarn: " << options_.verb << ' ' << summary_of(count_, now - begin_, options_.noun);
  if (!options_.terminal) err_ << '\n';
  err_.flush();
}

}  // namespace tarn::tools

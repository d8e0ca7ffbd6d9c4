// `tarn check` as a user has it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shm/pipe/pipe_layout.h"
#include "shm/pipe/slot_word.h"
#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;

class CheckCommandTest : public CliTest {
 protected:
  // Scribbles over a slot of the only pipe, as one of its participants could.
  void scribble(std::uint32_t slot, SlotWord word) {
    const std::string keeper = std::to_string(json_of({"status"})["keeper_pid"].get<int>());
    const std::filesystem::path folder = "/proc/" + keeper + "/fd";
    int found = 0;
    for (const auto& each : std::filesystem::directory_iterator(folder)) {
      std::error_code error;
      const auto target = std::filesystem::read_symlink(each.path(), error).string();
      if (target.find("memfd:tarn-pipe") == std::string::npos) continue;
      const int fd = ::open(each.path().c_str(), O_RDWR | O_CLOEXEC);
      ASSERT_GE(fd, 0);
      const std::uint64_t bits = word.bits();
      const auto at = static_cast<off_t>(layout::kSlotsOffset + slot * sizeof(layout::Slot));
      EXPECT_EQ(::pwrite(fd, &bits, sizeof bits, at), ssize_t{sizeof bits});
      ::close(fd);
      ++found;
    }
    EXPECT_EQ(found, 1);
  }
};

TEST_F(CheckCommandTest, FindsNothingInAHealthyNode) {
  expect_error({"check"}, 8, "node_unavailable");
  output_of({"pipe", "create", "spectra", "--capacity", "8"});
  output_of({"pipe", "push", "spectra"}, "one\ntwo\n");
  EXPECT_THAT(output_of({"check"}), HasSubstr("2 segments, 1 pipe, 8 slots, 0 sessions, 0 holds"));
  EXPECT_THAT(output_of({"check"}), HasSubstr("nothing found."));
  const Json report = json_of({"check"});
  EXPECT_EQ(report["defects"].size(), 0u);
  EXPECT_EQ(report["slots"], 8);
  EXPECT_EQ(output_of({"pipe", "pop", "spectra", "--all"}), "one\ntwo\n")
      << "nothing was disturbed";
}

TEST_F(CheckCommandTest, LooksAtMoreObjectsThanItMayHaveDescriptors) {
  for (int i = 0; i < 40; ++i) output_of({"pipe", "create", "p" + std::to_string(i)});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{32, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const Outcome checked = run({"check"});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("40 pipes"));
}

TEST_F(CheckCommandTest, TellsOfDefectsAndRepairsThem) {
  output_of({"pipe", "create", "spectra", "--capacity", "8"});
  output_of({"pipe", "push", "spectra"}, "one\ntwo\n");
  scribble(5, SlotWord(0, layout::SlotPhase::free, 9));
  const Outcome found = run({"check"});
  EXPECT_EQ(found.exit_code, 9);
  EXPECT_THAT(found.out, HasSubstr("slot_free_but_signed"));
  EXPECT_THAT(found.out, HasSubstr("pipe 'spectra' slot 5"));
  EXPECT_THAT(found.out, HasSubstr("1 defect."));
  const Outcome as_json = run({"check", "--json", "--patience", "10ms"});
  EXPECT_EQ(as_json.exit_code, 9);
  const Json report = Json::parse(as_json.out);
  ASSERT_EQ(report["defects"].size(), 1u);
  for (const char* field : {"kind", "object", "found", "cure", "is_problem"}) {
    EXPECT_TRUE(report["defects"][0].contains(field)) << field;
  }
  const Json repaired = json_of({"check", "--repair"});
  EXPECT_EQ(repaired["defects"][0]["outcome"], "repaired");
  EXPECT_NE(repaired["defects"][0]["verdict"], "");
  EXPECT_THAT(output_of({"check"}), HasSubstr("nothing found."));
  EXPECT_EQ(output_of({"pipe", "pop", "spectra", "--all"}), "one\ntwo\n");
}

}  // namespace
}  // namespace tarn::e2e

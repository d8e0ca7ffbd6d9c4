// check_stress.cc - audits in full flight, while programs and the worker are killed at random: not
// one of them finds anything, for nothing is amiss.
#include <atomic>
#include <thread>

#include "tests/stress/kill_rig.h"

namespace tarn::kill {
namespace {

class CheckStress : public KillRig {
 protected:
  void run_audited(const Plan& plan) {
    auditor_ = std::thread([this] {
      while (!over_) {
        // A repair of what is sound does nothing; if it did, the ledger of messages would tell.
        const CheckReport report = audits_ % 4 == 3 ? repair_node({}) : check_node({});
        ++audits_;
        looks_ += report.looks;
        if (report.is_clean()) continue;
        ++defects_;
        std::fprintf(stderr, "%s", testing::text_of(report).c_str());
      }
    });
    run(plan);
    std::printf("%u audits, %u looks in all\n", audits_, looks_);
    EXPECT_EQ(defects_, 0u);
    EXPECT_GT(audits_, 0u);
  }
  void before_base() override {
    over_ = true;
    auditor_.join();
  }

 private:
  std::thread auditor_;
  std::atomic<bool> over_{false};
  std::uint32_t audits_ = 0;
  std::uint32_t looks_ = 0;
  std::uint32_t defects_ = 0;
};

TEST_F(CheckStress, NothingIsFoundWhileConsumersAcknowledge) {
  const std::uint32_t kills = kills_wished(40);
  run_audited({.delivery = Delivery::at_least_once,
               .staff = {3, 0, 3, 0},
               .kills = {kills, 0, kills, kills / 2}});
}

TEST_F(CheckStress, NothingIsFoundWhileMessagesArePassedOn) {
  const std::uint32_t kills = kills_wished(40);
  run_audited({.capacity = 8, .staff = {2, 2, 2, 0}, .kills = {kills, kills, kills, kills / 2}});
}

}  // namespace
}  // namespace tarn::kill

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, tarn::kill::all_roles()); }

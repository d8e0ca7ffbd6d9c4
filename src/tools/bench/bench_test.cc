#include "tools/bench/bench.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tools/bench/method/machine.h"
#include "tools/bench/patterns/patterns.h"

namespace tarn::bench {
namespace {

TEST(PatternsTest, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Pattern& pattern : patterns()) EXPECT_TRUE(names.insert(pattern.name).second);
}

TEST(PatternsTest, WithoutAChoiceAllAreChosen) {
  for (const Pattern& pattern : patterns()) EXPECT_TRUE(is_chosen(Settings{}, pattern.name));
}

TEST(PatternsTest, WildcardsChoose) {
  Settings settings;
  settings.only = {"one-to-*", "attach"};
  EXPECT_TRUE(is_chosen(settings, "one-to-one-blocking"));
  EXPECT_TRUE(is_chosen(settings, "attach"));
  EXPECT_FALSE(is_chosen(settings, "two-to-two"));
  EXPECT_NO_THROW(require_known(settings));
}

TEST(PatternsTest, AnUnknownNameIsRefused) {
  Settings settings;
  settings.only = {"polling", "nonsense"};
  EXPECT_THROW(require_known(settings), BenchError);
}

TEST(BenchTest, FloorsNeedNoNode) {
  Settings settings;
  settings.quick = true;
  settings.rounds = 1;
  settings.only = {"floors", "memcpy"};
  std::ostringstream out;
  Report report(&out);
  Progress progress(out, false);
  if (usable_cpus().size() < 2) {
    EXPECT_THROW(Stage(settings, report, progress), BenchError) << "one CPU says nothing";
    return;
  }
  Stage stage(settings, report, progress);
  run_chosen(stage);
  EXPECT_NE(out.str().find("floor\tmemcpy\t1048576\t1\twarm\t"), std::string::npos);
  // A busy machine may drop every round, but says so.
  EXPECT_NE(out.str().find("floor\tF1\t64\t1\trounds_dropped\t"), std::string::npos);
}

}  // namespace
}  // namespace tarn::bench

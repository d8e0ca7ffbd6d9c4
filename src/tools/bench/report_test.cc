#include "tools/bench/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace tarn::bench {
namespace {

Line sample() { return {"tarn", "polling", 48, 1, "p50", 61.25, "ns"}; }

TEST(ReportTest, ALineHasSevenFieldsSeparatedByTabs) {
  EXPECT_EQ(header_line(), "system\tpattern\tpayload_bytes\tconsumers\tmetric\tvalue\tunit");
  EXPECT_EQ(format_line(sample()), "tarn\tpolling\t48\t1\tp50\t61.25\tns");
}

TEST(ReportTest, ValuesHaveSixDigitsAndNoExponent) {
  EXPECT_EQ(format_value(0), "0");
  EXPECT_EQ(format_value(17), "17");
  EXPECT_EQ(format_value(15'000'000), "15000000");
  EXPECT_EQ(format_value(1.0 / 3), "0.333333");
  EXPECT_EQ(format_value(1234567.5), "1234568");
  EXPECT_EQ(format_value(0.00001234567), "0.0000123457");
  EXPECT_EQ(format_value(-2.5), "-2.5");
}

TEST(ReportTest, SizesAreGivenInTheLargestWholeUnit) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(48), "48 B");
  EXPECT_EQ(format_size(1536), "1536 B");
  EXPECT_EQ(format_size(64 * 1024), "64 KiB");
  EXPECT_EQ(format_size(std::uint64_t{1} << 30), "1 GiB");
}

TEST(ReportTest, LinesArePrintedAsTheyComeUnderOneHeader) {
  std::ostringstream out;
  Report report(&out);
  report.add(sample());
  report.add(sample());
  EXPECT_EQ(out.str(),
            header_line() + "\n" + format_line(sample()) + "\n" + format_line(sample()) + "\n");
}

TEST(ReportTest, JsonHoldsMachineResultsGoalsAndNotes) {
  Report report(nullptr);
  report.add(sample());
  report.note("1 GiB was left out");
  Machine machine;
  machine.kernel = "Linux 6.1";
  const auto json =
      to_json(report, machine, "0.1.0", {{"polling", "<= 1.25 F1", "1.2", Outcome::met}});
  EXPECT_EQ(json["machine"]["kernel"], "Linux 6.1");
  EXPECT_TRUE(json["machine"]["commit"].is_null());
  EXPECT_EQ(json["version"], "0.1.0");
  EXPECT_EQ(json["results"][0]["metric"], "p50");
  EXPECT_EQ(json["results"][0]["value"], 61.25);
  EXPECT_EQ(json["goals"][0]["outcome"], "met");
  EXPECT_EQ(json["notes"][0], "1 GiB was left out");
}

TEST(ReportTest, TheTableShowsGoalsAndMainFigures) {
  Report report(nullptr);
  report.add(sample());
  report.add({"tarn", "polling", 48, 1, "p99.9", 900, "ns"});
  std::ostringstream out;
  print_table(out, report, Machine{}, {{"polling", "<= 1.25 F1", "", Outcome::not_measured}});
  EXPECT_NE(out.str().find("polling  <= 1.25 F1  -         not measured\n"), std::string::npos)
      << out.str();
  EXPECT_NE(out.str().find("61.25"), std::string::npos);
  EXPECT_EQ(out.str().find("900"), std::string::npos);
}

}  // namespace
}  // namespace tarn::bench

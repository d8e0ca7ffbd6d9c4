// swept_points.h - the names of the crash points at which processes of a sweep ended.
//
// A sweep counts points, and would not notice that one of them is not passed any more. So each says
// by name which it reaches; scripts/check_crash_points.py finds the points that no sweep names.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <set>
#include <string>

namespace tarn::testing {

// While it lives, children of this process, and programs that they start, note where they end. One
// at a time.
class SweptPoints {
 public:
  SweptPoints() : path_("/tmp/tarn-swept-XXXXXX") {
    ::close(::mkstemp(path_.data()));
    ::setenv("TARN_CRASH_LOG", path_.c_str(), 1);
  }
  SweptPoints(const SweptPoints&) = delete;
  SweptPoints& operator=(const SweptPoints&) = delete;
  ~SweptPoints() {
    ::unsetenv("TARN_CRASH_LOG");
    ::unlink(path_.c_str());
  }

  std::set<std::string> names() const {
    std::set<std::string> names;
    std::ifstream file(path_);
    for (std::string name; std::getline(file, name);) names.insert(name);
    return names;
  }
  // Somebody ended at each of these. Where crash points are not compiled in, nobody does.
  void expect_all([[maybe_unused]] std::initializer_list<const char*> points) const {
#ifdef TARN_CRASH_POINTS
    const auto reached = names();
    for (const char* point : points) {
      EXPECT_TRUE(reached.contains(point))
          << "nobody ended at " << point << ", but at " << ::testing::PrintToString(reached);
    }
#endif
  }

 private:
  std::string path_;
};

}  // namespace tarn::testing

// The doctor on nodes that run, were killed, are stopped, or cannot be reached.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "tests/e2e/doctor_fixture.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testing::about;
using testing::mentions;

using DoctorNodeTest = DoctorTest;

// Also true of a process whose parent has not yet looked.
bool has_ended(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return true;
  return text.find(") Z ") != std::string::npos || text.find(") X ") != std::string::npos;
}

void wait_for_end_of(pid_t pid) {
  while (!has_ended(pid)) std::this_thread::sleep_for(1ms);
}

// 0 while the worker is on its way up.
pid_t worker_of(const ConnectOptions& options) {
  try {
    return connect(options).status().worker_pid;
  } catch (const Error&) {
    return 0;
  }
}

TEST_F(DoctorNodeTest, RunningNodeIsWell) {
  const NodeStatus status = start();
  const auto findings = examine_host(options());
  const Finding node = about(findings, "node");
  EXPECT_EQ(node.severity, Severity::ok) << node.found;
  EXPECT_TRUE(mentions(node.found, std::to_string(status.keeper_pid))) << node.found;
  EXPECT_EQ(about(findings, "node's memory").severity, Severity::ok);
  EXPECT_EQ(about(findings, "pid file").severity, Severity::ok);
  EXPECT_EQ(about(findings, "socket").severity, Severity::ok);
  EXPECT_EQ(connect(options()).status().sessions, 0u);
}

TEST_F(DoctorNodeTest, RestartedWorkerIsAWarning) {
  const NodeStatus status = start();
  ASSERT_EQ(::kill(status.worker_pid, SIGKILL), 0);
  wait_for_end_of(status.worker_pid);
  while (worker_of(options()) == 0) std::this_thread::sleep_for(1ms);
  const Finding worker = about(examine_host(options()), "node's worker");
  EXPECT_EQ(worker.severity, Severity::warning);
  EXPECT_TRUE(mentions(worker.found, "1 time")) << worker.found;
}

TEST_F(DoctorNodeTest, StoppedNodeIsAProblem) {
  const NodeStatus status = start();
  stopped_ = status.worker_pid;
  ASSERT_EQ(::kill(status.worker_pid, SIGSTOP), 0);
  EXPECT_EQ(about(examine_host(options()), "node").severity, Severity::problem);
}

TEST_F(DoctorNodeTest, KilledNodeLeavesWarningsThatTheNextOneCures) {
  const NodeStatus status = start();
  ASSERT_EQ(::kill(status.keeper_pid, SIGKILL), 0);
  wait_for_end_of(status.keeper_pid);
  wait_for_end_of(status.worker_pid);
  const auto dead = examine_host(options());
  EXPECT_EQ(about(dead, "pid file").severity, Severity::warning);
  EXPECT_EQ(about(dead, "socket").severity, Severity::warning);
  start();
  const auto alive = examine_host(options());
  EXPECT_EQ(about(alive, "pid file").severity, Severity::ok);
  EXPECT_EQ(about(alive, "socket").severity, Severity::ok);
  EXPECT_EQ(about(alive, "node").severity, Severity::ok);
}

TEST_F(DoctorNodeTest, NodeWhoseSocketWasRemovedIsAProblem) {
  const NodeStatus status = start();
  fs::remove(directory_ / "socket");
  const Finding socket = about(examine_host(options()), "socket");
  EXPECT_EQ(socket.severity, Severity::problem);
  EXPECT_TRUE(mentions(socket.cure, "kill " + std::to_string(status.keeper_pid))) << socket.cure;
  ASSERT_EQ(::kill(status.keeper_pid, SIGTERM), 0);
  wait_for_end_of(status.keeper_pid);
}

}  // namespace
}  // namespace tarn

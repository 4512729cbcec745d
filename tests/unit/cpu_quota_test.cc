// Control groups of both versions, made up in a directory.
#include "runtime/kernel/cpu_quota.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tailback {
namespace {

using std::chrono::microseconds;

class CpuQuotaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char made[] = "/tmp/tailback-quota-XXXXXX";
    ASSERT_NE(mkdtemp(made), nullptr);
    base_ = made;
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((base_ / path).parent_path());
    std::ofstream(base_ / path) << text;
  }
  void membership(const std::string& text) { write("proc/42/cgroup", text); }
  CpuQuota quota() const {
    return CpuQuota(42, {(base_ / "cgroup").string(), (base_ / "proc").string()});
  }

  std::filesystem::path base_;
};

TEST_F(CpuQuotaTest, ProcessGone_Nothing) {
  EXPECT_FALSE(quota().throttled());
}

TEST_F(CpuQuotaTest, NoController_Nothing) {
  membership("0::/app\n");
  write("cgroup/app/cpu.stat", "usage_usec 500\nuser_usec 300\nsystem_usec 200\n");
  EXPECT_FALSE(quota().throttled());
}

TEST_F(CpuQuotaTest, Version2_Microseconds) {
  membership("0::/app\n");
  write("cgroup/app/cpu.stat", "usage_usec 500\nnr_throttled 3\nthrottled_usec 1200\n");
  CpuQuota app = quota();
  EXPECT_EQ(app.throttled(), microseconds(1200));
  write("cgroup/app/cpu.stat", "throttled_usec 1900\n");
  EXPECT_EQ(app.throttled(), microseconds(1900));
}

TEST_F(CpuQuotaTest, Version1_Nanoseconds) {
  membership("7:memory:/m\n4:cpu,cpuacct:/app\n0::/\n");
  write("cgroup/cpu,cpuacct/app/cpu.stat", "nr_periods 9\nthrottled_time 7000\n");
  EXPECT_EQ(quota().throttled(), microseconds(7));
}

TEST_F(CpuQuotaTest, OtherMountName_Found) {
  membership("4:cpuacct,cpu:/app\n");
  write("cgroup/cpu/app/cpu.stat", "throttled_time 7000\n");
  EXPECT_EQ(quota().throttled(), microseconds(7));
}

TEST_F(CpuQuotaTest, ParentGroups_Counted) {
  membership("0::/slice/app/worker\n");
  write("cgroup/slice/cpu.stat", "throttled_usec 100\n");
  write("cgroup/slice/app/cpu.stat", "throttled_usec 20\n");
  write("cgroup/slice/app/worker/cpu.stat", "throttled_usec 3\n");
  EXPECT_EQ(quota().throttled(), microseconds(123));
}

TEST_F(CpuQuotaTest, OwnGroupOnly_Found) {
  membership("0::/docker/0123\n");
  write("cgroup/cpu.stat", "throttled_usec 55\n");
  EXPECT_EQ(quota().throttled(), microseconds(55));
}

TEST_F(CpuQuotaTest, ProcessMoved_NewGroupCounts) {
  membership("0::/app\n");
  write("cgroup/app/cpu.stat", "throttled_usec 1200\n");
  write("cgroup/small/cpu.stat", "throttled_usec 50\n");
  CpuQuota app = quota();
  EXPECT_EQ(app.throttled(), microseconds(1200));
  membership("0::/small\n");
  EXPECT_EQ(app.throttled(), microseconds(1200));
  write("cgroup/small/cpu.stat", "throttled_usec 350\n");
  EXPECT_EQ(app.throttled(), microseconds(1500));
  membership("0::/app\n");
  EXPECT_EQ(app.throttled(), microseconds(1500));
}

TEST_F(CpuQuotaTest, MovedToFirstLimitedGroup_CountsFromZero) {
  membership("0::/free\n");
  write("cgroup/free/cpu.stat", "usage_usec 9\n");
  write("cgroup/small/cpu.stat", "throttled_usec 50\n");
  CpuQuota app = quota();
  EXPECT_FALSE(app.throttled());
  membership("0::/small\n");
  EXPECT_EQ(app.throttled(), microseconds(0));
  write("cgroup/small/cpu.stat", "throttled_usec 350\n");
  EXPECT_EQ(app.throttled(), microseconds(300));
}

TEST_F(CpuQuotaTest, MalformedFiles_Nothing) {
  membership("nonsense\n::\n0::/app/../../../etc\n4:cpuset:/app\n0::/app\n");
  write("cgroup/app/cpu.stat", "throttled_usec many\nthrottled_usec 4\n");
  EXPECT_FALSE(quota().throttled());
  write("cgroup/app/cpu.stat", "throttled_usec -4\n");
  EXPECT_FALSE(quota().throttled());
  write("cgroup/app/cpu.stat", "");
  EXPECT_FALSE(quota().throttled());
}

}  // namespace
}  // namespace tailback

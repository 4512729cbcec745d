// What the recorder does with a segment that another build has made.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "instrument/contract/compatibility.h"

namespace tailback {
namespace {

using contract::SegmentIdentity;

class RefusedSession : public ::testing::Test {
 protected:
  RefusedSession() : fd_(memfd_create("segment", 0)) {
    EXPECT_EQ(ftruncate(fd_, sizeof(contract::Segment)), 0);
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    EXPECT_NE(page, MAP_FAILED);
    identity_ = static_cast<SegmentIdentity*>(page);
    contract::identify(*identity_);
    identity_->magic.store(contract::kMagic);
  }
  ~RefusedSession() override {
    munmap(identity_, 4096);
    close(fd_);
  }

  // Runs a program with the recorder in this session. Returns what it wrote to standard error.
  std::string run() const {
    const std::string session = std::string(contract::kSessionVariable) + "=/proc/" +
                                std::to_string(getpid()) + "/fd/" + std::to_string(fd_);
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      const char* arguments[] = {"true", nullptr};
      const char* environment[] = {"LD_PRELOAD=" TAILBACK_RECORDER, session.c_str(), nullptr};
      execve("/bin/true", const_cast<char**>(arguments), const_cast<char**>(environment));
      _exit(99);
    }
    close(ends[1]);
    std::string text;
    char buffer[256];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(got));
    }
    close(ends[0]);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the program's own";
    return text;
  }
  bool was_joined() const {
    const auto* segment = static_cast<const contract::Segment*>(
        mmap(nullptr, sizeof(contract::Segment), PROT_READ, MAP_SHARED, fd_, 0));
    const bool joined = segment->header.processes_used.load() > 0;
    munmap(const_cast<contract::Segment*>(segment), sizeof(contract::Segment));
    return joined;
  }

  int fd_;
  SegmentIdentity* identity_ = nullptr;
};

TEST_F(RefusedSession, SameBuild_IsJoinedInSilence) {
  EXPECT_EQ(run(), "");
  EXPECT_TRUE(was_joined());
  EXPECT_EQ(identity_->refusals.load(), 0u);
}

TEST_F(RefusedSession, OtherTable_IsRefusedWithOneLineForTheSession) {
  ++identity_->table_hash;
  const std::string text = run();
  EXPECT_NE(text.find("tables of intercepted functions differ"), std::string::npos) << text;
  EXPECT_NE(text.find("Install both from one build\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  EXPECT_EQ(run(), "") << "the session's second process";
  EXPECT_EQ(identity_->refusals.load(), 2u);
  EXPECT_FALSE(was_joined());
}

TEST_F(RefusedSession, OtherVersion_IsRefusedWithOneLineForTheSession) {
  ++identity_->version;
  const std::string text = run();
  EXPECT_NE(text.find("versions of the record contract differ"), std::string::npos) << text;
  EXPECT_EQ(run(), "");
  EXPECT_FALSE(was_joined());
}

TEST_F(RefusedSession, OtherSize_IsRefused) {
  ++identity_->version;
  ASSERT_EQ(ftruncate(fd_, sizeof(contract::Segment) + 4096), 0);
  EXPECT_NE(run(), "");
}

// Version 9 has something else where refusals are counted.
TEST_F(RefusedSession, VersionThatDoesNotCountRefusals_IsLeftAsItIs) {
  identity_->version = 9;
  EXPECT_EQ(run(), "");
  EXPECT_EQ(identity_->refusals.load(), 0u);
  EXPECT_FALSE(was_joined());
}

TEST_F(RefusedSession, AnotherFile_IsLeftAsItIs) {
  identity_->magic.store(0x464c457f);
  EXPECT_EQ(run(), "");
  EXPECT_EQ(identity_->refusals.load(), 0u);
}

}  // namespace
}  // namespace tailback

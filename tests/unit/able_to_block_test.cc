// Which calls --strict reports as able to block: this process plays the target.
#include "runtime/explain/able_to_block.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>

namespace tailback {
namespace {

using intercept::Function;

uint64_t word_of(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}
uint64_t word_of(int number) {
  return static_cast<uint64_t>(number);
}

template <typename... Arguments>
bool able(Function function, Arguments... arguments) {
  CallInProgress call;
  call.function = function;
  size_t i = 0;
  ((call.arguments[i++] = word_of(arguments)), ...);
  return is_able_to_block(getpid(), call);
}

class AbleToBlock : public ::testing::Test {
 protected:
  AbleToBlock() {
    EXPECT_EQ(pipe(ends_), 0);
    reader_ = fdopen(ends_[0], "r");
    writer_ = fdopen(ends_[1], "w");
    file_ = tmpfile();
  }
  ~AbleToBlock() override {
    fclose(reader_);
    fclose(writer_);
    fclose(file_);
  }

  int ends_[2] = {-1, -1};
  FILE* reader_ = nullptr;
  FILE* writer_ = nullptr;
  FILE* file_ = nullptr;
};

TEST_F(AbleToBlock, CharactersOfAPipe_Block) {
  for (const Function function :
       {Function::fgetc, Function::fgetc_unlocked, Function::getc, Function::getc_unlocked,
        Function::_IO_getc, Function::fgetwc, Function::getwc}) {
    EXPECT_TRUE(able(function, reader_)) << intercept::facts_of(function).name;
    EXPECT_FALSE(able(function, file_)) << intercept::facts_of(function).name;
  }
  for (const Function function : {Function::fputc, Function::fputc_unlocked, Function::putc,
                                  Function::putc_unlocked, Function::_IO_putc, Function::fputwc}) {
    EXPECT_TRUE(able(function, 'x', writer_)) << intercept::facts_of(function).name;
    EXPECT_FALSE(able(function, 'x', file_)) << intercept::facts_of(function).name;
  }
}

// In place of a descriptor of this process for as long as it lives.
class Replaced {
 public:
  Replaced(int fd, int by) : fd_(fd), saved_(dup(fd)) { dup2(by, fd); }
  ~Replaced() {
    dup2(saved_, fd_);
    close(saved_);
  }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  int fd_;
  int saved_;
};

TEST_F(AbleToBlock, StandardStreams_AreWhatTheirDescriptorIs) {
  const int file = fileno(file_);
  bool reads_pipe;
  bool reads_file;
  {
    const Replaced in(STDIN_FILENO, ends_[0]);
    reads_pipe = able(Function::getchar) && able(Function::scanf, "%d");
  }
  {
    const Replaced in(STDIN_FILENO, file);
    reads_file = able(Function::getchar) || able(Function::scanf, "%d");
  }
  EXPECT_TRUE(reads_pipe);
  EXPECT_FALSE(reads_file);
  bool writes_pipe;
  bool writes_file;
  fflush(stdout);
  {
    const Replaced out(STDOUT_FILENO, ends_[1]);
    writes_pipe = able(Function::putchar, 'x') && able(Function::printf, "x");
  }
  {
    const Replaced out(STDOUT_FILENO, file);
    writes_file = able(Function::putchar, 'x') || able(Function::printf, "x");
  }
  EXPECT_TRUE(writes_pipe);
  EXPECT_FALSE(writes_file);
}

TEST_F(AbleToBlock, WhatMovesNoData_DoesNotBlock) {
  char buffer[1];
  EXPECT_TRUE(able(Function::read, ends_[0], buffer, 1));
  EXPECT_TRUE(able(Function::tcdrain, ends_[0]));
  for (const Function function :
       {Function::close, Function::fsync, Function::fstat, Function::tcflow, Function::ttyname}) {
    EXPECT_FALSE(able(function, ends_[0], buffer)) << intercept::facts_of(function).name;
  }
  EXPECT_FALSE(able(Function::fseek, reader_, 0, SEEK_SET));
}

TEST_F(AbleToBlock, NonBlockingDescriptor_DoesNotBlock) {
  fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  EXPECT_FALSE(able(Function::read, ends_[0], &ends_, 1));
  EXPECT_FALSE(able(Function::fgetc, reader_));
}

TEST_F(AbleToBlock, FileLock_BlocksByItsCommand) {
  const int file = fileno(file_);
  EXPECT_TRUE(able(Function::flock, file, LOCK_EX));
  EXPECT_FALSE(able(Function::flock, file, LOCK_EX | LOCK_NB));
  EXPECT_TRUE(able(Function::lockf64, file, F_LOCK));
  EXPECT_FALSE(able(Function::lockf, file, F_TLOCK));
  EXPECT_TRUE(able(Function::fcntl64, file, F_SETLKW));
  EXPECT_TRUE(able(Function::__fcntl, file, F_OFD_SETLKW));
  EXPECT_FALSE(able(Function::fcntl, file, F_SETLK));
  EXPECT_FALSE(able(Function::fcntl, ends_[0], F_GETFL)) << "a pipe";
}

TEST(AbleToBlockByName, PathOfAFifo_BlocksWhereItIsOpened) {
  char folder[] = "/tmp/able_to_block.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(able(Function::open, path.c_str(), O_RDONLY));
  EXPECT_TRUE(able(Function::creat, path.c_str(), 0600));
  EXPECT_TRUE(able(Function::fopen, path.c_str(), "r"));
  EXPECT_FALSE(able(Function::open, path.c_str(), O_RDONLY | O_NONBLOCK));
  EXPECT_FALSE(able(Function::stat, path.c_str()));
  EXPECT_FALSE(able(Function::open, "/dev/null", O_RDONLY));
  unlink(path.c_str());
  rmdir(folder);
}

TEST(AbleToBlockByName, OtherFamilies_GoByTheTable) {
  EXPECT_TRUE(able(Function::waitpid, -1, nullptr, 0));
  EXPECT_FALSE(able(Function::waitpid, -1, nullptr, WNOHANG));
  EXPECT_FALSE(able(Function::fork));
  EXPECT_TRUE(able(Function::system, "true"));
  EXPECT_TRUE(able(Function::getaddrinfo, "example.org"));
  EXPECT_FALSE(able(Function::getaddrinfo, "127.0.0.1"));
  EXPECT_FALSE(able(Function::getpwnam, "root"));
  EXPECT_TRUE(able(Function::pthread_cond_wait));
  EXPECT_FALSE(able(Function::pthread_once));
  EXPECT_TRUE(able(Function::poll, nullptr, 0, -1));
  EXPECT_FALSE(able(Function::poll, nullptr, 0, 0));
}

}  // namespace
}  // namespace tailback

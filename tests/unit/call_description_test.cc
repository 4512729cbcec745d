// Calls explained: this process plays the target.
#include "runtime/explain/call_description.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace tailback {
namespace {

namespace fs = std::filesystem;
using intercept::Function;

// A descriptor closed at the end of its life.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  ~Fd() { close(fd_); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

uint64_t word_of(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

CallDescription describe(Function function, std::array<uint64_t, 6> arguments) {
  CallInProgress call;
  call.function = function;
  call.arguments = arguments;
  return describe_call(getpid(), call);
}

// A read of a descriptor: what is it taken for?
void expect_descriptor(int fd, Cause cause, const std::string& object) {
  const CallDescription description = describe(Function::read, {static_cast<uint64_t>(fd), 0, 10});
  EXPECT_EQ(description.call.object, object);
  EXPECT_EQ(word(description.cause), word(cause)) << object;
}

class CallDescriptionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "describe.XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = fs::canonical(pattern);
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ / name; }

  fs::path directory_;
};

TEST_F(CallDescriptionTest, ClosedDescriptor_NoObject) {
  const int fd = dup(0);
  close(fd);
  expect_descriptor(fd, Cause::kFile, "");
  expect_descriptor(-1, Cause::kFile, "");
  EXPECT_EQ(describe(Function::recv, {static_cast<uint64_t>(fd)}).cause, Cause::kSocket);
}

TEST_F(CallDescriptionTest, File_NamesPath) {
  const Fd file(open(path("data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  expect_descriptor(file, Cause::kFile, path("data"));
  const Fd folder(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  expect_descriptor(folder, Cause::kFile, directory_);
  const Fd device(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  expect_descriptor(device, Cause::kFile, "/dev/zero");
}

TEST_F(CallDescriptionTest, Call_NameAndArguments) {
  const Fd file(open(path("data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const CallDescription description =
      describe(Function::pread64, {static_cast<uint64_t>(file), 0x1000, 4096, 1u << 20});
  EXPECT_EQ(description.call.function, "pread64");
  EXPECT_TRUE(description.call.intercepted);
  const std::vector<Argument> expected = {
      {"fd", std::to_string(file), true}, {"count", "4096", true}, {"offset", "1048576", true}};
  EXPECT_EQ(description.call.arguments, expected);
}

TEST_F(CallDescriptionTest, PipesAndFifos_Ipc) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  expect_descriptor(reader, Cause::kIpc, "pipe");
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const Fd fifo(open(path("fifo").c_str(), O_RDWR | O_CLOEXEC));
  expect_descriptor(fifo, Cause::kIpc, path("fifo"));
}

TEST_F(CallDescriptionTest, OpenOfFifo_Ipc) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const std::string fifo = path("fifo");
  CallDescription description = describe(Function::open, {word_of(fifo.c_str()), O_RDONLY});
  EXPECT_EQ(description.cause, Cause::kIpc);
  EXPECT_EQ(description.call.object, fifo);
  const std::string absent = path("absent");
  description = describe(Function::open64, {word_of(absent.c_str()), O_RDONLY});
  EXPECT_EQ(description.cause, Cause::kFile);
  EXPECT_EQ(description.call.object, absent);
}

class TcpPair {
 public:
  TcpPair()
      : listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, generic, sizeof address), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    server_port = port_of(listener);
    address.sin_port = htons(server_port);
    EXPECT_EQ(connect(client, generic, sizeof address), 0);
    client_port = port_of(client);
  }

  static uint16_t port_of(int fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
    return ntohs(address.sin_port);
  }

  Fd listener;
  Fd client;
  uint16_t server_port = 0;
  uint16_t client_port = 0;
};

TEST_F(CallDescriptionTest, TcpSocket_BothAddresses) {
  const TcpPair pair;
  const std::string here = "127.0.0.1:" + std::to_string(pair.client_port);
  const std::string there = "127.0.0.1:" + std::to_string(pair.server_port);
  expect_descriptor(pair.client, Cause::kSocket, "tcp " + here + " → " + there);
  const CallDescription accepting =
      describe(Function::accept4, {static_cast<uint64_t>(pair.listener)});
  EXPECT_EQ(accepting.call.object, "tcp " + there + " (listening)");
  EXPECT_EQ(accepting.cause, Cause::kSocket);
}

TEST_F(CallDescriptionTest, OtherSockets_NamedByKind) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]);
  const Fd other(ends[1]);
  expect_descriptor(one, Cause::kSocket, "unix socket");

  const Fd bound(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path("sock").copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(bind(bound, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  expect_descriptor(bound, Cause::kSocket, "unix " + path("sock"));

  const Fd datagram(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(datagram, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  expect_descriptor(datagram, Cause::kSocket,
                    "udp 127.0.0.1:" + std::to_string(TcpPair::port_of(datagram)));
}

TEST_F(CallDescriptionTest, EventDescriptors_Wait) {
  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  expect_descriptor(epoll, Cause::kWait, "eventpoll");
  const Fd event(eventfd(0, EFD_CLOEXEC));
  expect_descriptor(event, Cause::kWait, "eventfd");
}

TEST_F(CallDescriptionTest, Terminal_NamesDevice) {
  const int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_fd < 0 || grantpt(master_fd) != 0 || unlockpt(master_fd) != 0) {
    GTEST_SKIP() << "no pseudo terminals here";
  }
  const Fd master(master_fd);
  const std::string name = ptsname(master_fd);
  const Fd terminal(open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  expect_descriptor(terminal, Cause::kFile, name);
}

TEST_F(CallDescriptionTest, Connect_NamesPeer) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(6379);
  inet_pton(AF_INET, "10.1.2.3", &address.sin_addr);
  const CallDescription description =
      describe(Function::connect, {4, word_of(&address), sizeof address});
  EXPECT_EQ(description.call.object, "10.1.2.3:6379");
  EXPECT_EQ(description.cause, Cause::kSocket);
}

TEST_F(CallDescriptionTest, Resolver_NamesHost) {
  const char* host = "db.example.org";
  const CallDescription description = describe(Function::getaddrinfo, {word_of(host), 0});
  EXPECT_EQ(description.call.object, "db.example.org");
  EXPECT_EQ(description.cause, Cause::kDns);
}

class Child {
 public:
  Child() {
    char program[] = "/bin/sleep";
    char length[] = "300";
    char* arguments[] = {program, length, nullptr};
    EXPECT_EQ(posix_spawn(&pid_, program, nullptr, nullptr, arguments, environ), 0);
    // The parent goes on a moment before the new program's arguments are in place.
    const std::string command_line = "/proc/" + std::to_string(pid_) + "/cmdline";
    for (int i = 0; i < 5000 && std::ifstream(command_line).peek() == EOF; ++i) usleep(1000);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  pid_t pid() const { return pid_; }
  std::string text() const { return "child " + std::to_string(pid_) + ": /bin/sleep 300"; }

 private:
  pid_t pid_ = 0;
};

TEST_F(CallDescriptionTest, WaitForChild_CommandLine) {
  const Child child;
  const CallDescription description =
      describe(Function::waitpid, {static_cast<uint64_t>(child.pid()), 0, 0});
  EXPECT_EQ(description.call.object, child.text());
  EXPECT_EQ(description.cause, Cause::kProcess);
}

TEST_F(CallDescriptionTest, WaitForAnyChild_OnlyChildNamed) {
  EXPECT_EQ(describe(Function::wait, {0}).call.object, "");
  const Child child;
  EXPECT_EQ(describe(Function::wait, {0}).call.object, child.text());
  EXPECT_EQ(describe(Function::wait4, {UINT64_MAX}).call.object, child.text());
  const Child second;
  EXPECT_EQ(describe(Function::wait, {0}).call.object, "");
}

TEST_F(CallDescriptionTest, Mutex_NamesAddressAndOwner) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  const CallDescription held = describe(Function::pthread_mutex_lock, {word_of(&mutex)});
  pthread_mutex_unlock(&mutex);
  EXPECT_EQ(held.cause, Cause::kLock);
  EXPECT_EQ(held.lock.value, word_of(&mutex));
  EXPECT_EQ(held.owner_tid, gettid());
  EXPECT_EQ(describe(Function::pthread_mutex_lock, {word_of(&mutex)}).owner_tid, 0);
  EXPECT_EQ(describe(Function::pthread_mutex_lock, {8}).owner_tid, 0);
  EXPECT_EQ(describe(Function::sem_wait, {0x7000}).lock.value, 0x7000u);
  EXPECT_EQ(describe(Function::pthread_cond_wait, {0x7100, 0x7200}).lock.value, 0x7100u);
}

TEST_F(CallDescriptionTest, PollOfNothing_Sleep) {
  EXPECT_EQ(describe(Function::poll, {0, 0, 500}).cause, Cause::kSleep);
  EXPECT_EQ(describe(Function::select, {0, 0, 0, 0, 0}).cause, Cause::kSleep);
  fd_set nothing;
  FD_ZERO(&nothing);
  EXPECT_EQ(describe(Function::select, {0, word_of(&nothing), 0, 0}).cause, Cause::kSleep);
}

TEST_F(CallDescriptionTest, UnreadablePoll_NotSleep) {
  EXPECT_EQ(describe(Function::poll, {8, 3, 500}).cause, Cause::kWait);
  EXPECT_EQ(describe(Function::select, {10, 8, 0, 0}).cause, Cause::kWait);
}

TEST_F(CallDescriptionTest, PollOfOne_NamesDescriptor) {
  const TcpPair pair;
  pollfd entry{pair.client, POLLIN, 0};
  const CallDescription description = describe(Function::poll, {word_of(&entry), 1, UINT64_MAX});
  EXPECT_EQ(description.cause, Cause::kSocket);
  EXPECT_NE(description.call.object.find(" → "), std::string::npos);
  ASSERT_EQ(description.call.arguments.size(), 3u);
  EXPECT_EQ(description.call.arguments[0].value, "[" + std::to_string(pair.client) + "]");
  EXPECT_EQ(description.call.arguments[2].value, "-1");
}

TEST_F(CallDescriptionTest, PollOfMany_FirstAndCount) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  pollfd entries[] = {{-1, POLLIN, 0}, {reader, POLLIN, 0}, {writer, POLLOUT, 0}};
  const CallDescription description = describe(Function::poll, {word_of(entries), 3, 100});
  EXPECT_EQ(description.call.object, "pipe and 1 more");
  EXPECT_EQ(description.cause, Cause::kIpc);
}

// How a connect with a time limit waits: for writing only.
TEST_F(CallDescriptionTest, SelectForWriting_NotSleep) {
  const TcpPair pair;
  fd_set writes;
  FD_ZERO(&writes);
  FD_SET(pair.client, &writes);
  const CallDescription description = describe(
      Function::select, {static_cast<uint64_t>(pair.client) + 1, 0, word_of(&writes), 0, 0});
  EXPECT_EQ(description.cause, Cause::kSocket);
  EXPECT_NE(description.call.object.find(" → "), std::string::npos);
  ASSERT_GE(description.call.arguments.size(), 3u);
  EXPECT_EQ(description.call.arguments[1].value, "[]");
  EXPECT_EQ(description.call.arguments[2].value, "[" + std::to_string(pair.client) + "]");
}

TEST_F(CallDescriptionTest, SelectSets_ReadToEnd) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  fd_set reads;
  FD_ZERO(&reads);
  FD_SET(reader, &reads);
  FD_SET(200, &reads);  // beyond nfds: not looked at
  const CallDescription description = describe(
      Function::select, {static_cast<uint64_t>(writer) + 1, word_of(&reads), word_of(&reads)});
  EXPECT_EQ(description.call.object, "pipe");
  EXPECT_EQ(description.call.arguments[1].value, "[" + std::to_string(reader) + "]");
}

TEST_F(CallDescriptionTest, SystemCall_NamedByNumber) {
  const Fd file(open(path("data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const CallDescription through_libc =
      describe(Function::syscall, {SYS_fsync, static_cast<uint64_t>(file)});
  EXPECT_EQ(through_libc.call.function, "fsync");
  EXPECT_EQ(through_libc.call.object, path("data"));
  EXPECT_EQ(through_libc.cause, Cause::kFile);
  EXPECT_TRUE(through_libc.call.intercepted);

  CallInProgress inline_call;
  inline_call.system_call = SYS_fsync;
  inline_call.arguments = {static_cast<uint64_t>(file)};
  const CallDescription unseen = describe_call(getpid(), inline_call);
  EXPECT_EQ(unseen.call.function, "fsync");
  EXPECT_EQ(unseen.call.object, path("data"));
  EXPECT_FALSE(unseen.call.intercepted);

  inline_call.system_call = 99999;
  const CallDescription unknown = describe_call(getpid(), inline_call);
  EXPECT_EQ(unknown.call.function, "system call 99999");
  EXPECT_EQ(unknown.cause, Cause::kUnknown);
}

TEST_F(CallDescriptionTest, ProcessGone_NoObjects) {
  const pid_t gone = fork();
  ASSERT_GE(gone, 0);
  if (gone == 0) _exit(0);
  waitpid(gone, nullptr, 0);
  CallInProgress call;
  call.function = Function::read;
  const CallDescription description = describe_call(gone, call);
  EXPECT_EQ(description.call.function, "read");
  EXPECT_EQ(description.call.object, "");
}

// Whatever a target writes into its record, describing it is harmless.
TEST_F(CallDescriptionTest, RandomArguments_NoCrash) {
  std::mt19937_64 random(7);
  alignas(64) uint64_t garbage[512];
  for (uint64_t& word_in_memory : garbage) word_in_memory = random();
  const auto argument = [&]() -> uint64_t {
    switch (random() % 6) {
      case 0:
        return random();
      case 1:
        return random() % 64;
      case 2:
        return word_of(garbage) + random() % 2048;
      case 3:
        return UINT64_MAX - random() % 16;
      case 4:
        return 0;
      default:
        return uint64_t{1} << (random() % 64);
    }
  };
  for (int round = 0; round < 20; ++round) {
    for (uint32_t function = 0; function < intercept::kFunctionCount + 2; ++function) {
      CallInProgress call;
      call.function = static_cast<Function>(function);
      call.system_call = static_cast<long>(random() % 500) - 10;
      for (uint64_t& value : call.arguments) value = argument();
      const CallDescription description = describe_call(getpid(), call);
      EXPECT_FALSE(description.call.function.empty());
      EXPECT_LE(description.call.arguments.size(), 6u);
    }
  }
}

}  // namespace
}  // namespace tailback

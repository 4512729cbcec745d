// Arguments rendered by their roles: this process plays the target.
#include "runtime/explain/call_arguments.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "instrument/contract/intercepts.h"
#include "instrument/contract/record_contract.h"

namespace tailback {
namespace {

uint64_t word_of(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

constexpr uint64_t kBad = 8;  // never mapped

// The first argument's text.
Argument render(const char* roles, std::vector<uint64_t> arguments) {
  const std::vector<Role> parsed = parse_roles(roles, arguments);
  EXPECT_FALSE(parsed.empty());
  return render_argument(getpid(), parsed.front());
}
// The text of the argument at an index.
std::string text_at(const char* roles, std::vector<uint64_t> arguments, size_t index) {
  const std::vector<Role> parsed = parse_roles(roles, arguments);
  EXPECT_GT(parsed.size(), index);
  return render_argument(getpid(), parsed[index]).value;
}

TEST(ParseRoles, Empty_Nothing) {
  const uint64_t arguments[] = {1, 2};
  EXPECT_TRUE(parse_roles("", arguments).empty());
  EXPECT_TRUE(parse_roles("fd:fd", {}).empty());
  EXPECT_TRUE(parse_roles("nonsense   words", arguments).empty());
}

TEST(ParseRoles, EachRole_Argument) {
  const uint64_t arguments[] = {11, 22, 33};
  const std::vector<Role> roles = parse_roles("fd:fd address:*sockaddr length:-", arguments);
  ASSERT_EQ(roles.size(), 3u);
  EXPECT_EQ(roles[0].name, "fd");
  EXPECT_EQ(roles[0].kind, "fd");
  EXPECT_FALSE(roles[0].is_object);
  EXPECT_EQ(roles[0].value(), 11u);
  EXPECT_EQ(roles[0].neighbour(-1), 0u);
  EXPECT_EQ(roles[1].kind, "sockaddr");
  EXPECT_TRUE(roles[1].is_object);
  EXPECT_EQ(roles[1].value(), 22u);
  EXPECT_EQ(roles[1].neighbour(-1), 11u);
  EXPECT_EQ(roles[1].neighbour(1), 33u);
  EXPECT_EQ(roles[2].neighbour(1), 0u);
}

TEST(ParseRoles, ArgumentsNotRecorded_LeftOut) {
  const uint64_t arguments[] = {1, 2};
  EXPECT_EQ(parse_roles("a:int b:int c:int", arguments).size(), 2u);
}

TEST(ParseRoles, EveryTableLine_Parsed) {
  const uint64_t arguments[contract::kArguments] = {};
  for (const intercept::FunctionFacts& facts : intercept::kFunctions) {
    const std::string_view text = facts.roles;
    const auto words = static_cast<size_t>(std::count(text.begin(), text.end(), ':'));
    EXPECT_EQ(parse_roles(text, arguments).size(), words) << facts.name;
  }
}

TEST(RenderArgument, Number_Decimal) {
  EXPECT_EQ(render("n:int", {UINT64_MAX}), (Argument{"n", "-1", true}));
  EXPECT_EQ(render("n:fd", {0xffffffff00000005}), (Argument{"n", "5", true}));
  EXPECT_EQ(render("n:ms", {static_cast<uint64_t>(-1)}).value, "-1");
  EXPECT_EQ(render("n:size", {uint64_t{1} << 40}).value, "1099511627776");
  EXPECT_EQ(render("n:s", {3}).value, "3");
  EXPECT_EQ(render("n:flags", {0x80000}), (Argument{"n", "0x80000", false}));
}

TEST(RenderArgument, Text_Quoted) {
  EXPECT_EQ(render("p:path", {word_of("/etc/hosts")}).value, "/etc/hosts");
  EXPECT_EQ(render("p:text", {word_of("")}).value, "");
  EXPECT_EQ(render("p:path", {0}).value, "(null)");
  EXPECT_EQ(render("p:path", {kBad}).value, "0x8");
  EXPECT_EQ(render("p:path", {UINT64_MAX}).value, "0xffffffffffffffff");
}

TEST(RenderArgument, UnterminatedText_Bounded) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* mapped =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  char* memory = static_cast<char*>(mapped);
  ASSERT_EQ(munmap(memory + page, page), 0);
  std::memset(memory, 'x', page);
  EXPECT_EQ(render("p:path", {word_of(memory + page - 3)}).value, "xxx");
  munmap(memory, page);

  const std::string endless(1 << 20, 'y');
  EXPECT_LT(render("p:path", {word_of(endless.c_str())}).value.size(), size_t{1} << 16);
}

TEST(RenderArgument, Length_Unit) {
  const timespec time{2, 250000000};
  EXPECT_EQ(render("t:time", {word_of(&time)}).value, "2.25 s");
  EXPECT_EQ(render("t:time", {0}).value, "none");
  EXPECT_EQ(render("t:time", {kBad}).value, "0x8");
  const timespec absurd{std::numeric_limits<time_t>::min(), std::numeric_limits<long>::max()};
  EXPECT_FALSE(render("t:time", {word_of(&absurd)}).value.empty());
}

TEST(RenderArgument, Deadline_Relative) {
  timespec end{};
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 1000;
  const std::string future = render("t:deadline", {word_of(&end)}).value;
  EXPECT_TRUE(future.starts_with("in 99") || future == "in 1000.000 s") << future;
  end.tv_sec -= 2000;
  const std::string past = render("t:deadline", {word_of(&end)}).value;
  EXPECT_TRUE(past.starts_with("100") && past.ends_with(" s ago")) << past;
  EXPECT_EQ(render("t:deadline", {0}).value, "none");

  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += 1000;
  const std::string by_clock = text_at("clock:int t:clockend", {CLOCK_MONOTONIC, word_of(&end)}, 1);
  EXPECT_TRUE(by_clock.starts_with("in 99") || by_clock == "in 1000.000 s") << by_clock;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_t monotonic;
  pthread_cond_init(&monotonic, &attributes);
  const auto at_condition = [&](const pthread_cond_t& condition) {
    return text_at("c:*cond m:mutex t:condend", {word_of(&condition), 0, word_of(&end)}, 2);
  };
  EXPECT_TRUE(at_condition(monotonic).starts_with("in ")) << at_condition(monotonic);
  const pthread_cond_t realtime = PTHREAD_COND_INITIALIZER;
  EXPECT_TRUE(at_condition(realtime).ends_with(" s ago")) << at_condition(realtime);

  const std::string no_clock = text_at("clock:int t:clockend", {12345, word_of(&end)}, 1);
  EXPECT_FALSE(no_clock.starts_with("in ")) << no_clock;
}

TEST(RenderArgument, ClockNanosleepFlags_LengthOrTime) {
  const char* roles = "clock:int flags:flags time:sleep";
  timespec time{3, 500000000};
  EXPECT_EQ(text_at(roles, {CLOCK_MONOTONIC, 0, word_of(&time)}, 2), "3.5 s");
  clock_gettime(CLOCK_MONOTONIC, &time);
  time.tv_sec += 1000;
  const std::string point = text_at(roles, {CLOCK_MONOTONIC, TIMER_ABSTIME, word_of(&time)}, 2);
  EXPECT_TRUE(point.starts_with("in 99") || point == "in 1000.000 s") << point;
}

TEST(RenderArgument, AbsurdTime_Harmless) {
  for (const time_t when :
       {std::numeric_limits<time_t>::min(), std::numeric_limits<time_t>::max()}) {
    const timespec time{when, std::numeric_limits<long>::min()};
    EXPECT_FALSE(render("t:deadline", {word_of(&time)}).value.empty());
  }
}

TEST(RenderArgument, InternetAddress_HostAndPort) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(443);
  inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
  EXPECT_EQ(render("a:sockaddr l:-", {word_of(&v4), sizeof v4}).value, "192.0.2.7:443");
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(53);
  inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
  EXPECT_EQ(render("a:sockaddr l:-", {word_of(&v6), sizeof v6}).value, "[2001:db8::1]:53");
}

TEST(RenderArgument, UnixAddress_Path) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  std::strcpy(un.sun_path, "/run/app.sock");
  EXPECT_EQ(render("a:sockaddr l:-", {word_of(&un), sizeof un}).value, "unix /run/app.sock");
  std::memcpy(un.sun_path, "\0secret", 7);
  const size_t length = offsetof(sockaddr_un, sun_path) + 7;
  EXPECT_EQ(render("a:sockaddr l:-", {word_of(&un), length}).value, "unix @secret");
  std::memset(un.sun_path, 'z', sizeof un.sun_path);  // no zero byte at its end
  EXPECT_EQ(render("a:sockaddr l:-", {word_of(&un), sizeof un}).value,
            "unix " + std::string(sizeof un.sun_path, 'z'));
}

TEST(RenderArgument, AbsurdAddress_Pointer) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  const std::string pointer = text_at("a:address", {word_of(&v4)}, 0);
  for (const uint64_t length : {0u, 1u, 2u, 8u}) {
    EXPECT_EQ(render("a:sockaddr l:-", {word_of(&v4), length}).value, pointer) << length;
  }
  v4.sin_family = 0x7777;
  EXPECT_EQ(render("a:sockaddr l:-", {word_of(&v4), sizeof v4}).value, pointer);
  EXPECT_EQ(render("a:sockaddr l:-", {kBad, sizeof v4}).value, "0x8");
  EXPECT_EQ(render("a:sockaddr l:-", {0, UINT64_MAX}).value, "0x0");
}

TEST(RenderArgument, PollDescriptors_Listed) {
  const pollfd entries[] = {{5, POLLIN, 0}, {-1, POLLIN, 0}, {9, POLLOUT, 0}};
  EXPECT_EQ(render("p:pollfds n:size", {word_of(entries), 3}).value, "[5, 9]");
  EXPECT_EQ(render("p:pollfds n:size", {word_of(entries), 1}).value, "[5]");
  EXPECT_EQ(render("p:pollfds n:size", {0, 0}).value, "[]");
  EXPECT_EQ(render("p:pollfds n:size", {kBad, 2}).value, "[]");
  const std::vector<pollfd> many(100, pollfd{3, POLLIN, 0});
  const std::vector<uint64_t> arguments = {word_of(many.data()), UINT64_MAX};
  EXPECT_EQ(polled_descriptors(getpid(), parse_roles("p:pollfds n:size", arguments)[0]).size(),
            16u);
}

TEST(RenderArgument, SelectSets_Listed) {
  const char* roles = "nfds:int readfds:*fds writefds:fds exceptfds:fds";
  fd_set reads;
  fd_set writes;
  FD_ZERO(&reads);
  FD_ZERO(&writes);
  FD_SET(0, &reads);
  FD_SET(63, &reads);
  FD_SET(64, &writes);
  FD_SET(300, &writes);
  const std::vector<uint64_t> arguments = {65, word_of(&reads), word_of(&writes), 0};
  EXPECT_EQ(text_at(roles, arguments, 1), "[0, 63]");
  EXPECT_EQ(text_at(roles, arguments, 2), "[64]");
  EXPECT_EQ(text_at(roles, arguments, 3), "[]");
  EXPECT_EQ(text_at(roles, {301, 0, word_of(&writes), 0}, 2), "[64, 300]");
  EXPECT_EQ(text_at(roles, {65, kBad, 0, 0}, 1), "[]");
  std::memset(&reads, 0xff, sizeof reads);
  EXPECT_EQ(text_at(roles, {UINT64_MAX, word_of(&reads), 0, 0}, 1),
            "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]");
}

}  // namespace
}  // namespace tailback

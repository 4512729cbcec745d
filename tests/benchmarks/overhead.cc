// What the recorder costs its target: the same work plain and under `tailback run`, in turn, in one
// run. Prints a table; asserts nothing.
//
//   overhead [--smoke]    --smoke: only to see that it runs
#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/benchmarks/paired_runs.h"
#include "tests/integration/harness/process.h"
#include "tests/integration/harness/programs.h"
#include "tests/integration/harness/test_directory.h"

namespace tailback::benchmarks {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::steady_clock;
using test::find_program;
using test::Process;
using test::ProcessOptions;

std::vector<std::string> under_tailback(const std::vector<std::string>& command,
                                        const std::vector<std::string>& options = {}) {
  std::vector<std::string> whole = {test::tailback_binary(), "run", "--quiet"};
  whole.insert(whole.end(), options.begin(), options.end());
  whole.emplace_back("--");
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

void run_to_end(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::filesystem::remove(output);
  ProcessOptions options;
  options.command = command;
  options.output = output;
  Process process(options);
  const auto ending = process.wait(minutes(5));
  if (!ending || ending->status != 0) throw std::runtime_error("failed: " + command.front());
}

Figures run_hot_path(const std::vector<std::string>& command, const std::filesystem::path& output) {
  run_to_end(command, output);
  const auto report = nlohmann::json::parse(std::ifstream(output));
  Figures figures;
  for (const auto& entry : report.at("benchmarks")) {
    // What other programs take of the CPU is left out.
    figures[entry.at("name").get<std::string>() + ", ns"] = entry.at("cpu_time").get<double>();
  }
  return figures;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

bool accepts(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

// Requests per second of redis GET. Redis runs plain or watched; the client is always plain.
Figures run_redis(bool watched, int requests, const std::filesystem::path& output) {
  const std::string port = std::to_string(free_port());
  std::vector<std::string> server = {
      "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"};
  ProcessOptions options;
  options.command = watched ? under_tailback(server) : server;
  Process redis(options);
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (!accepts(std::stoi(port))) {
    if (steady_clock::now() > deadline) throw std::runtime_error("redis-server does not listen");
    usleep(20000);
  }
  run_to_end({"redis-benchmark", "-p", port, "-t", "get", "-n", std::to_string(requests), "--csv"},
             output);
  redis.signal(SIGTERM);
  redis.wait(std::chrono::seconds(10));
  std::ifstream file(output);
  std::string line;
  while (std::getline(file, line)) {
    double rate = 0;
    if (std::sscanf(line.c_str(), "\"GET\",\"%lf\"", &rate) == 1) {
      return {{"redis GET, requests/s", rate}};
    }
  }
  throw std::runtime_error("redis-benchmark printed no rate");
}

// Milliseconds to start and end a process that does nothing, within one session.
Figures run_starts(bool watched, int count, const std::filesystem::path& output) {
  const std::vector<std::string> timed = {
      "bash", "-c",
      fmt::format("begin=$(date +%s%N); for i in $(seq {}); do /bin/true; done; "
                  "echo $(($(date +%s%N) - begin))",
                  count)};
  run_to_end(watched ? under_tailback(timed) : timed, output);
  double nanoseconds = 0;
  std::ifstream(output) >> nanoseconds;
  return {{"start and end of /bin/true, ms", nanoseconds / 1e6 / count}};
}

void print(const std::vector<Comparison>& comparisons, int pairs) {
  for (const Comparison& row : comparisons) {
    fmt::print("{:<32} {:>10.2f} {:>10.2f} {:>7.3f}  {:.3f} to {:.3f}, {} pairs\n", row.name,
               row.plain, row.tailback, row.ratio, row.least_ratio, row.greatest_ratio, pairs);
  }
  std::fflush(stdout);
}

// What others take that find deadlocks and orders of locks: in place of Tailback's figures theirs.
void print_other_tools(const std::vector<std::string>& locks, const std::filesystem::path& output,
                       bool smoke) {
  const int pairs = smoke ? 1 : 3;
  fmt::print("beside it, compiled for ThreadSanitizer\n");
  std::vector<std::string> sanitized = locks;
  sanitized.front() = test::built_program("hot_path_sanitized");
  sanitized.insert(sanitized.begin(), {"setarch", "-R"});
  print(compare([&] { return run_hot_path(locks, output); },
                [&] { return run_hot_path(sanitized, output); }, pairs),
        pairs);
  if (!find_program("valgrind")) {
    fmt::print("Helgrind is left out: valgrind is absent\n");
    return;
  }
  fmt::print("beside it, under Helgrind\n");
  std::vector<std::string> one_lock = locks;
  one_lock.back() = "--benchmark_filter=^LockPair$";
  std::vector<std::string> helgrind = one_lock;
  helgrind.insert(helgrind.begin(), {"valgrind", "--tool=helgrind", "-q"});
  print(compare([&] { return run_hot_path(one_lock, output); },
                [&] { return run_hot_path(helgrind, output); }, pairs),
        pairs);
}

void run_all(bool smoke) {
  const test::TestDirectory directory;
  const std::filesystem::path output = directory.path() / "output";
  const int pairs = smoke ? 1 : 9;
  fmt::print("{:<32} {:>10} {:>10} {:>7}\n", "median of", "plain", "tailback", "ratio");

  const std::vector<std::string> hot_path = {
      test::built_program("hot_path"), "--benchmark_format=json",
      fmt::format("--benchmark_min_time={}", smoke ? 0.001 : 0.1)};
  print(compare([&] { return run_hot_path(hot_path, output); },
                [&] { return run_hot_path(under_tailback(hot_path), output); }, pairs),
        pairs);
  std::vector<std::string> locks = hot_path;
  locks.emplace_back("--benchmark_filter=Lock");
  fmt::print("with --lock-order\n");
  print(
      compare([&] { return run_hot_path(locks, output); },
              [&] { return run_hot_path(under_tailback(locks, {"--lock-order"}), output); }, pairs),
      pairs);
  fmt::print("with --locks\n");
  print(compare([&] { return run_hot_path(locks, output); },
                [&] { return run_hot_path(under_tailback(locks, {"--locks"}), output); }, pairs),
        pairs);
  print_other_tools(locks, output, smoke);
  fmt::print("as ever\n");
  const int starts = smoke ? 5 : 200;
  print(compare([&] { return run_starts(false, starts, output); },
                [&] { return run_starts(true, starts, output); }, pairs),
        pairs);
  if (!find_program("redis-server") || !find_program("redis-benchmark")) {
    fmt::print("redis GET is left out: redis-server or redis-benchmark is absent\n");
    return;
  }
  const int requests = smoke ? 1000 : 100000;
  print(compare([&] { return run_redis(false, requests, output); },
                [&] { return run_redis(true, requests, output); }, pairs),
        pairs);
}

}  // namespace
}  // namespace tailback::benchmarks

int main(int argc, char** argv) {
  try {
    tailback::benchmarks::run_all(argc > 1 && std::strcmp(argv[1], "--smoke") == 0);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "overhead: {}\n", error.what());
    return 1;
  }
}

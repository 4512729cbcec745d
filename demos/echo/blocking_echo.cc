// DEMO blocking_echo: an epoll server with a callback that blocks for every family of calls
//
// An echo server whose callbacks block: "sleep nanosleep 300" holds its loop up for 300 ms in
// nanosleep. What must be reported of each stands beside it, in the *_callbacks.cc files.

#include <charconv>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "demos/echo/callbacks.h"
#include "demos/echo/echo_server.h"

namespace tailback::demo {
namespace {

constexpr std::span<const Callback> (*kFamilies[])() = {
    sleep_callbacks,  file_callbacks,    pipe_callbacks,    socket_callbacks,      lock_callbacks,
    thread_callbacks, process_callbacks, name_callbacks,    nested_wait_callbacks, cpu_callbacks,
    stuck_callbacks,  stream_callbacks,  message_callbacks, signal_callbacks,
};

struct Request {
  std::string_view family;
  std::string_view call;
  Milliseconds length;
};

std::optional<Request> parse(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return std::nullopt;
  }
  int length = 0;
  const std::string_view digits = line.substr(last + 1);
  if (std::from_chars(digits.begin(), digits.end(), length).ptr != digits.end()) {
    return std::nullopt;
  }
  return Request{line.substr(0, first), line.substr(first + 1, last - first - 1),
                 Milliseconds(length)};
}

const Callback* find(const Request& request) {
  for (const auto family : kFamilies) {
    for (const Callback& callback : family()) {
      if (callback.family == request.family && callback.call == request.call) {
        return &callback;
      }
    }
  }
  return nullptr;
}

std::string answer(std::string_view line) {
  const std::optional<Request> request = parse(line);
  const Callback* callback = request ? find(*request) : nullptr;
  if (callback == nullptr) {
    return std::string(line);
  }
  callback->block(request->length);
  return "done";
}

}  // namespace
}  // namespace tailback::demo

int main() try {
  tailback::demo::EchoServer server(tailback::demo::answer);
  std::printf("port %d\n", server.port());
  std::fflush(stdout);
  server.run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "blocking_echo: %s\n", error.what());
  return 1;
}

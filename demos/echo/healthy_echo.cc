// DEMO healthy_echo: the same server without them
//
// The healthy twin of blocking_echo: the same server, which only echoes.
//
// EXPECT nothing

#include <cstdio>
#include <exception>
#include <string>

#include "demos/echo/echo_server.h"

int main() try {
  tailback::demo::EchoServer server([](std::string_view line) { return std::string(line); });
  std::printf("port %d\n", server.port());
  std::fflush(stdout);
  server.run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "healthy_echo: %s\n", error.what());
  return 1;
}

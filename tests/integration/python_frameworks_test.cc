// Servers of Python's frameworks, of Debian's packages: what holds up a handler is found, and
// nothing else.

#include <signal.h>
#include <unistd.h>

#include <sstream>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

constexpr char kPython[] = "/usr/bin/python3";
constexpr char kTargets[] = "tests/integration/targets/python/frameworks/";

struct Framework {
  std::string name;
  std::vector<std::string> packages;  // modules that it needs
  // A script of the targets with its arguments after the port; or gunicorn, with its worker's.
  std::vector<std::string> command;
  Ending ending;  // by SIGTERM
  std::string wait = "epoll_wait";
  bool has_tasks = false;       // of asyncio
  bool replaces_calls = false;  // many of the standard library: they do not block
  bool has_threads = false;     // serves each request on one, where who blocks holds nobody up
};

std::ostream& operator<<(std::ostream& stream, const Framework& framework) {
  return stream << framework.name;
}

struct Call {
  std::string name;
  std::string cause;
  std::string function;  // of libc; empty: none
  bool is_replaced = false;
};

const std::vector<Call>& calls() {
  static const std::vector<Call> kCalls = {
      {"sleeps", "sleep", "clock_nanosleep"},
      {"asks_by_urllib", "socket", "recv", true},
      {"asks_by_requests", "socket", "recv", true},
      {"receives", "socket", "recv", true},
      {"opens_fifo", "ipc", "open64"},
      {"runs_program", "process", "waitpid", true},
      {"finds_database_busy", "many", "usleep"},
      {"finds_lock_taken", "lock", "sem_wait", true},
      {"computes", "cpu", ""},
  };
  return kCalls;
}

// The body that the server answers with; empty if it closes without one. Throws std::system_error.
std::string get(uint16_t port, const std::string& path) {
  LineClient client(port);
  client.send("GET /" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r");
  std::string line;
  while (!(line = client.receive()).empty() && line != "\r") {
  }
  return client.receive();
}

class PythonFrameworkTest : public IntegrationTest, public testing::WithParamInterface<Framework> {
 protected:
  void SetUp() override {
    if (access(kPython, X_OK) != 0) GTEST_SKIP() << kPython << " is absent";
    for (const std::string& package : GetParam().packages) {
      Process check = run_helper("check", {kPython, "-c", "import " + package});
      if (check.wait(std::chrono::seconds(60)) != exited(0)) {
        GTEST_SKIP() << "Python's " << package << " is absent";
      }
    }
  }

  WatchedProgram& start(uint16_t port) {
    const Framework& framework = GetParam();
    const std::string folder = source_file(kTargets);
    WatchOptions options;
    options.environment = {{"PYTHONDONTWRITEBYTECODE", "1"}};
    if (framework.command[0] == "gunicorn") {
      options.command = {kPython,
                         "-m",
                         "gunicorn",
                         "--pythonpath",
                         folder,
                         "--bind",
                         "127.0.0.1:" + std::to_string(port)};
    } else {
      options.command = {kPython, folder + framework.command[0], std::to_string(port)};
    }
    options.command.insert(options.command.end(), framework.command.begin() + 1,
                           framework.command.end());
    return watch(options);
  }

  static void check(const Call& call, const Json& said, const Json& stall) {
    SCOPED_TRACE(call.name);
    EXPECT_EQ(stall["cause"], call.cause) << summary(stall);
    EXPECT_EQ(stall["loop"]["wait"], GetParam().wait);
    if (call.function.empty()) {
      EXPECT_TRUE(stall["call"].is_null()) << summary(stall);
    } else {
      EXPECT_EQ(stall["call"]["function"], call.function) << summary(stall);
    }
    ASSERT_FALSE(stall["culprit"].is_null()) << summary(stall);
    const Json& culprit = stall["stack"][stall["culprit"].get<size_t>()];
    EXPECT_EQ(said["case"], call.name);
    EXPECT_EQ(culprit["function"], call.name) << summary(stall);
    EXPECT_EQ(culprit["file"], said["frames"][0][1]);
    EXPECT_EQ(culprit["line"], said["frames"][0][2]);
    EXPECT_EQ(culprit["language"], "python");
    EXPECT_EQ(stall["task"].is_string(), GetParam().has_tasks) << stall["task"];
    // A lock that others release as well as those who took it may have changed hands.
    const bool has_unknown_owner = call.cause == "lock";
    EXPECT_EQ(stall["limits"].size(), has_unknown_owner ? 1u : 0u) << stall["limits"];
  }
};

std::vector<Json> said(const WatchedProgram& program) {
  std::vector<Json> cases;
  std::istringstream lines(program.output());
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kMark = "expected ";
    if (line.starts_with(kMark)) cases.push_back(Json::parse(line.substr(kMark.size())));
  }
  return cases;
}

TEST_P(PythonFrameworkTest, BlockedHandler_Reported) {
  const Framework& framework = GetParam();
  const uint16_t port = free_port();
  WatchedProgram& server = start(port);
  ASSERT_TRUE(eventually(std::chrono::seconds(60), [&] { return port_answers(port); }));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(get(port, ""), "done");
  EXPECT_TRUE(has_stalls(server.recording(), 0)) << "nothing held it up yet";

  std::vector<Call> made;
  for (const Call& call : calls()) {
    if (framework.replaces_calls && call.is_replaced) continue;
    made.push_back(call);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(get(port, ""), "done");
    ASSERT_EQ(get(port, call.name), "done");
  }
  ASSERT_EQ(get(port, ""), "done");
  server.process().signal(SIGTERM);
  const Recording recording = finished(server, framework.ending);

  const std::vector<Json> cases = said(server);
  ASSERT_EQ(cases.size(), made.size());
  if (framework.has_threads) made.clear();
  ASSERT_TRUE(has_stalls(recording, made.size()));
  for (size_t i = 0; i < made.size(); ++i) check(made[i], cases[i], recording.final_stalls()[i]);
}

std::vector<Framework> frameworks() {
  const Ending ended = exited(0);
  const Ending terminated = killed(SIGTERM);
  return {
      {"asyncio", {}, {"asyncio_server.py"}, terminated, "epoll_wait", true},
      {"uvloop", {"uvloop"}, {"asyncio_server.py", "uvloop"}, terminated, "epoll_wait", true},
      {"aiohttp", {"aiohttp"}, {"aiohttp_server.py"}, ended, "epoll_wait", true},
      {"tornado", {"tornado"}, {"tornado_server.py"}, terminated, "epoll_wait", true},
      {"twisted_epoll", {"twisted"}, {"twisted_server.py", "epoll"}, ended},
      {"twisted_poll", {"twisted"}, {"twisted_server.py", "poll"}, ended, "poll"},
      {"gevent", {"gevent"}, {"gevent_server.py"}, terminated},
      {"trio", {"trio"}, {"trio_server.py"}, terminated},
      {"uvicorn_asyncio", {"uvicorn"}, {"uvicorn_server.py", "asyncio"}, ended, "epoll_wait", true},
      {"uvicorn_uvloop",
       {"uvicorn", "uvloop"},
       {"uvicorn_server.py", "uvloop"},
       ended,
       "epoll_wait",
       true},
      {"gunicorn_gevent",
       {"gunicorn", "gevent"},
       {"gunicorn", "-k", "gevent", "applications:wsgi"},
       ended,
       "epoll_wait",
       false,
       true},
      {"gunicorn_tornado",
       {"gunicorn", "tornado"},
       {"gunicorn", "-k", "tornado", "applications:wsgi"},
       ended,
       "epoll_wait",
       true},
      {"gunicorn_uvicorn",
       {"gunicorn", "uvicorn"},
       {"gunicorn", "-k", "uvicorn.workers.UvicornWorker", "applications:asgi"},
       ended,
       "epoll_wait",
       true},
      {"gunicorn_threads",
       {"gunicorn"},
       {"gunicorn", "-k", "gthread", "applications:wsgi"},
       ended,
       "",
       false,
       false,
       true},
  };
}

INSTANTIATE_TEST_SUITE_P(Of, PythonFrameworkTest, testing::ValuesIn(frameworks()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tailback::test

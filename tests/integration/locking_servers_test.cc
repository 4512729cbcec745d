// Servers whose threads share locks, as Debian ships them, under load: their order of locks is
// right, and watching it takes nothing from what they answer.
#include <signal.h>

#include "tests/integration/harness/integration_test.h"
#include "tests/integration/harness/line_client.h"

namespace tailback::test {
namespace {

using std::chrono::seconds;

class LockingServersTest : public IntegrationTest {
 protected:
  WatchedProgram& start(std::vector<std::string> command) {
    WatchOptions options;
    options.command = std::move(command);
    options.environment = {{"TAILBACK_LOCKS", "1"}, {"TAILBACK_LOCK_ORDER", "1"}};
    WatchedProgram& server = watch(options);
    EXPECT_TRUE(eventually(seconds(20), [&] { return port_answers(port_); }));
    return server;
  }

  std::string load(std::vector<std::string> command) {
    Process client = run_helper("load", std::move(command));
    EXPECT_EQ(client.wait(seconds(90)), exited(0)) << file_text(directory().path() / "load.err");
    return file_text(directory().path() / "load.out");
  }

  // The threads of some spin, and hold their loop up where there are few CPUs: how long is no
  // matter here.
  void expect_right_order(WatchedProgram& server, int least_threads) {
    server.process().signal(SIGTERM);
    EXPECT_EQ(server.process().wait(seconds(30)), exited(0));
    const Recording recording = server.recording();
    ASSERT_TRUE(recording.complete());
    EXPECT_GE(recording.end()["threads"].get<int>(), least_threads);
    EXPECT_TRUE(recording.deadlocks().empty()) << recording.deadlocks()[0];
    EXPECT_TRUE(recording.of_type("lock-order").empty()) << recording.of_type("lock-order")[0];
    EXPECT_EQ(recording.end()["counts"]["lock_order"]["reported"], 0);
    EXPECT_EQ(recording.end()["losses"]["corrupt"], 0);
  }

  const uint16_t port_ = free_port();
  const std::string port_text_ = std::to_string(port_);
};

TEST_F(LockingServersTest, RedisIoThreads_Silent) {
  TAILBACK_NEEDS("redis-server");
  TAILBACK_NEEDS("redis-benchmark");
  WatchedProgram& server =
      start({*find_program("redis-server"), "--port", port_text_, "--bind", "127.0.0.1", "--save",
             "", "--io-threads", "4", "--io-threads-do-reads", "yes"});
  load({*find_program("redis-benchmark"), "-p", port_text_, "-t", "set,get", "-n", "20000", "-c",
        "40", "-P", "8", "-q"});
  expect_right_order(server, 5);
}

TEST_F(LockingServersTest, MemcachedFourThreads_Silent) {
  TAILBACK_NEEDS("memcached");
  TAILBACK_NEEDS("python3");
  // As root it wants to be told whom to become.
  WatchedProgram& server = start({*find_program("memcached"), "-l", "127.0.0.1", "-p", port_text_,
                                  "-t", "4", "-u", "root", "-m", "8"});
  // More than it may keep, so that it evicts, too.
  const auto clients = directory().write("clients.py", R"(import socket, sys, threading
def client(number):
    with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as connection:
        lines = connection.makefile('rb')
        for i in range(600):
            key, value = f'k{number}-{i}', 'v' * (1 + i * 37 % 40000)
            connection.sendall(f'set {key} 0 0 {len(value)}\r\n{value}\r\n'.encode())
            assert lines.readline() == b'STORED\r\n'
            connection.sendall(f'get {key}\r\n'.encode())
            if lines.readline() != b'END\r\n':
                assert lines.read(len(value) + 2) == (value + '\r\n').encode()
                assert lines.readline() == b'END\r\n'
threads = [threading.Thread(target=client, args=[n]) for n in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print('done')
)");
  EXPECT_EQ(load({"python3", clients.string(), port_text_}), "done\n");
  expect_right_order(server, 5);
}

// Files are read by the threads of a pool.
TEST_F(LockingServersTest, NginxThreadPool_Silent) {
  TAILBACK_NEEDS("nginx");
  TAILBACK_NEEDS("wrk");
  std::filesystem::create_directory(directory().path() / "www");
  directory().write("www/index.html", std::string(200000, 'x'));
  const std::string user = geteuid() == 0 ? "user root;\n" : "";
  const auto config = directory().write(
      "nginx.conf", user +
                        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log error.log;\n"
                        "thread_pool default threads=4;\nevents { worker_connections 256; }\n"
                        "http {\n  access_log off;\n  aio threads; sendfile off;\n"
                        "  client_body_temp_path body; proxy_temp_path proxy;\n"
                        "  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;\n"
                        "  scgi_temp_path scgi;\n  server { listen 127.0.0.1:" +
                        port_text_ + "; root www; }\n}\n");
  WatchedProgram& server = start({*find_program("nginx"), "-p", directory().path().string() + "/",
                                  "-c", config.string(), "-e", "error.log"});
  const std::string result =
      load({*find_program("wrk"), "-t1", "-c20", "-d2s", "http://127.0.0.1:" + port_text_ + "/"});
  EXPECT_NE(result.find("requests in"), std::string::npos) << result;
  EXPECT_EQ(result.find("Non-2xx"), std::string::npos) << result;
  expect_right_order(server, 5);
}

}  // namespace
}  // namespace tailback::test

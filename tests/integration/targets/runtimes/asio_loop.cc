// Boost.Asio: one thread in io_context::run(); with `pool` four, of which one at a time waits for
// events and the others are parked, and a boost::asio::thread_pool that works.

#include <utility>  // which Boost 1.74 forgets

#include <boost/asio.hpp>
#include <functional>
#include <thread>
#include <vector>

#include "tests/integration/targets/runtimes/scenario.h"

namespace {

namespace asio = boost::asio;

[[gnu::noinline]] void block_in_handler() {
  const Blocked blocked;
  // EXPECT stall on="stalls" cause=sleep call=clock_nanosleep|nanosleep function=block_in_handler
  std::this_thread::sleep_for(Scenario::kStall);
}

class Program {
 public:
  Program(int argc, char** argv) : scenario_(argc, argv) {
    tick();
    serve(server_, [this] { echo_.on_server_readable(); });
    serve(client_, [this] { echo_.on_client_readable(); });
  }

  void run() {
    std::vector<std::thread> threads;
    asio::thread_pool pool(2);
    if (scenario_.has_pool()) {
      for (int i = 0; i < 3; ++i) threads.emplace_back([this] { context_.run(); });
      for (int i = 0; i < 16; ++i) asio::post(pool, work);
    }
    context_.run();
    for (std::thread& thread : threads) thread.join();
    pool.join();
    echo_.say();
  }

 private:
  void tick() {
    timer_.expires_after(scenario_.next_tick());
    timer_.async_wait(asio::bind_executor(strand_, [this](const boost::system::error_code&) {
      if (scenario_.is_over()) {
        context_.stop();
        return;
      }
      echo_.ask();
      if (scenario_.stalls_now()) block_in_handler();
      tick();
    }));
  }

  void serve(asio::posix::stream_descriptor& end, std::function<void()> on_readable) {
    end.async_wait(asio::posix::stream_descriptor::wait_read,
                   asio::bind_executor(
                       strand_, [this, &end, on_readable](const boost::system::error_code& error) {
                         if (error) return;
                         on_readable();
                         serve(end, on_readable);
                       }));
  }

  Scenario scenario_;
  Echo echo_;
  asio::io_context context_;
  asio::strand<asio::io_context::executor_type> strand_{context_.get_executor()};
  asio::steady_timer timer_{context_};
  asio::posix::stream_descriptor server_{context_, echo_.server()};
  asio::posix::stream_descriptor client_{context_, echo_.client()};
};

}  // namespace

int main(int argc, char** argv) {
  Program(argc, argv).run();
  return 0;
}

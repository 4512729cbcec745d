// A loop whose one long iteration waits for a future's value, which another thread is about to
// give.
#include <unistd.h>

#include <future>
#include <string>

#include "tests/integration/targets/locks/named_thread.h"
#include "tests/integration/targets/one_long_iteration.h"

namespace {

int load() {
  usleep(300'000);
  return 1;
}

__attribute__((noinline)) int wait_for_task(std::future<int>& task) {
  return task.get();  // async
}

__attribute__((noinline)) void wait_for_promise(const std::future<int>& promised) {
  promised.wait();  // promise
}

void async() {
  std::future<int> task;
  run_loop([&] { task = std::async(std::launch::async, load); }, [&] { wait_for_task(task); });
}

void promise() {
  std::promise<int> promise;
  std::future<int> promised = promise.get_future();
  std::thread keeper;
  run_loop([&] { keeper = named_thread("keeper", [&] { promise.set_value(load()); }); },
           [&] { wait_for_promise(promised); });
  keeper.join();
}

// Tasks are looked at without waiting for them; one is waited for that takes a moment.
void healthy() {
  std::future<int> task = std::async(std::launch::async, load);
  int sum = 0;
  run_short_iterations(300, [&] {
    if (task.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      sum += task.get();
      task = std::async(std::launch::async, load);
    }
    std::future<int> moment = std::async(std::launch::async, [] { return usleep(300); });
    sum += wait_for_task(moment);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "healthy") healthy();
  if (what == "async") async();
  if (what == "promise") promise();
  return 0;
}

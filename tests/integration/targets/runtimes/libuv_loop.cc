// libuv: uv_timer and uv_poll, and its thread pool.

#include <time.h>
#include <uv.h>

#include "tests/integration/targets/runtimes/scenario.h"

namespace {

Scenario* scenario;
Echo* echo;
uv_poll_t server;
uv_poll_t client;
uv_timer_t timer;
uv_work_t jobs[4];
int jobs_in_progress = 0;

[[gnu::noinline]] void block_in_callback() {
  const Blocked blocked;
  timespec length{};
  length.tv_nsec = std::chrono::nanoseconds(Scenario::kStall).count();
  // EXPECT stall on="stalls" cause=sleep call=nanosleep function=block_in_callback
  nanosleep(&length, nullptr);
}

void on_job(uv_work_t*) {
  work();
}

void on_job_done(uv_work_t* job, int) {
  --jobs_in_progress;
  if (scenario->is_over()) return;
  ++jobs_in_progress;
  uv_queue_work(uv_default_loop(), job, on_job, on_job_done);
}

void on_tick(uv_timer_t*) {
  if (scenario->is_over()) {
    uv_stop(uv_default_loop());
    return;
  }
  echo->ask();
  if (scenario->stalls_now()) block_in_callback();
}

}  // namespace

int main(int argc, char** argv) {
  Scenario this_scenario(argc, argv);
  Echo this_echo;
  scenario = &this_scenario;
  echo = &this_echo;
  uv_loop_t* loop = uv_default_loop();
  uv_poll_init(loop, &server, echo->server());
  uv_poll_init(loop, &client, echo->client());
  uv_poll_start(&server, UV_READABLE, [](uv_poll_t*, int, int) { echo->on_server_readable(); });
  uv_poll_start(&client, UV_READABLE, [](uv_poll_t*, int, int) { echo->on_client_readable(); });
  uv_timer_init(loop, &timer);
  uv_timer_start(&timer, on_tick, Scenario::kTick.count(), Scenario::kTick.count());
  if (scenario->has_pool()) {
    for (uv_work_t& job : jobs) {
      ++jobs_in_progress;
      uv_queue_work(loop, &job, on_job, on_job_done);
    }
  }
  uv_run(loop, UV_RUN_DEFAULT);
  while (jobs_in_progress > 0) uv_run(loop, UV_RUN_ONCE);
  echo->say();
  return 0;
}

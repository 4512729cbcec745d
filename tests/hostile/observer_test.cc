// The observer killed or stopped at any moment: the program goes on as if it had never been there.
#include <signal.h>

#include <random>
#include <thread>

#include "tests/hostile/three_ways.h"
#include "tests/integration/harness/eventually.h"

namespace tailback::test {
namespace {

class LostObserver : public ThreeWays {
 protected:
  // The observer of a run, from the first line of its recording.
  pid_t observer_of(Way way) {
    pid_t observer = 0;
    EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] {
      const Recording recording = Recording::read(file(way, "jsonl"));
      if (!recording.lines().empty()) observer = recording.session().value("observer_pid", 0);
      return observer > 0;
    }));
    return observer;
  }
  bool begun(Way way) {
    return eventually(std::chrono::seconds(20), [&] {
      return file_text(file(way, "out")).find("begun\n") != std::string::npos;
    });
  }
};

Subject ticking(const std::string& turns, const std::string& microseconds) {
  Subject subject;
  subject.program = "ticking_loop";
  subject.arguments = {turns, microseconds};
  subject.ending = exited(20);
  subject.threshold = "1ms";
  return subject;
}

// A recording that was cut off: no end is asked of it, but it must be readable.
void expect_readable(const std::filesystem::path& path) {
  const Recording recording = Recording::read(path);
  for (const std::string& fault : recording.faults()) ADD_FAILURE() << path << ": " << fault;
}

TEST_F(LostObserver, KilledAtAnyMoment) {
  std::mt19937 random(20240229);
  for (int round = 0; round < 8; ++round) {
    const Way way = round % 2 ? Way::kPreloaded : Way::kLaunched;
    const auto delay = std::chrono::milliseconds(random() % 250);
    SCOPED_TRACE("killed " + std::to_string(delay.count()) + " ms after the start");
    const Subject subject = ticking("120", "3000");
    Process process = start(subject, way);
    const pid_t observer = observer_of(way);
    ASSERT_GT(observer, 1);
    std::this_thread::sleep_for(delay);
    EXPECT_EQ(kill(observer, SIGKILL), 0);
    EXPECT_EQ(process.wait(subject.patience), subject.ending) << way;
    EXPECT_EQ(file_text(file(way, "out")), "begun\nall in order: yes\ndone\n") << way;
    expect_readable(file(way, "jsonl"));
  }
}

TEST_F(LostObserver, StoppedThenContinued) {
  for (const Way way : {Way::kLaunched, Way::kPreloaded}) {
    SCOPED_TRACE(way == Way::kLaunched ? "launched" : "preloaded");
    // More long turns than the ring has places for.
    Subject subject = ticking("1500", "1500");
    subject.keeps_losses = true;
    Process process = start(subject, way);
    const pid_t observer = observer_of(way);
    ASSERT_GT(observer, 1);
    ASSERT_TRUE(begun(way));
    ASSERT_EQ(kill(observer, SIGSTOP), 0);
    // The launcher waits for its observer, so the program's own end is what is waited for.
    EXPECT_TRUE(eventually(subject.patience, [&] {
      return file_text(file(way, "out")) == "begun\nall in order: yes\ndone\n";
    }));
    ASSERT_EQ(kill(observer, SIGCONT), 0);
    const Seen run = seen(subject, way, process);
    ASSERT_TRUE(run.recording.complete());
    EXPECT_GT(run.recording.end()["losses"].value("events", 0), 100) << run.recording.end();
  }
}

}  // namespace
}  // namespace tailback::test

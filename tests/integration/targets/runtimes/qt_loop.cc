// Qt: a QCoreApplication with a timer and two socket notifiers, and the global QThreadPool.
// Debian's Qt runs on GLib's loop; with QT_NO_GLIB=1 on its own.

#include <QCoreApplication>
#include <QSocketNotifier>
#include <QThread>
#include <QThreadPool>
#include <QTimer>

#include "tests/integration/targets/runtimes/scenario.h"

namespace {

[[gnu::noinline]] void block_in_slot() {
  const Blocked blocked;
  timespec length{};
  length.tv_nsec = std::chrono::nanoseconds(Scenario::kStall).count();
  // EXPECT stall on="stalls" cause=sleep call=nanosleep function=block_in_slot
  nanosleep(&length, nullptr);
}

class Work : public QRunnable {
  void run() override { work(); }
};

}  // namespace

int main(int argc, char** argv) {
  Scenario scenario(argc, argv);
  Echo echo;
  QCoreApplication application(argc, argv);
  QTimer timer;
  QObject::connect(&timer, &QTimer::timeout, [&] {
    if (scenario.is_over()) {
      QCoreApplication::quit();
      return;
    }
    echo.ask();
    if (scenario.stalls_now()) block_in_slot();
  });
  timer.setTimerType(Qt::PreciseTimer);
  timer.start(Scenario::kTick);
  QSocketNotifier server(echo.server(), QSocketNotifier::Read);
  QObject::connect(&server, &QSocketNotifier::activated, [&] { echo.on_server_readable(); });
  QSocketNotifier client(echo.client(), QSocketNotifier::Read);
  QObject::connect(&client, &QSocketNotifier::activated, [&] { echo.on_client_readable(); });
  if (scenario.has_pool()) {
    for (int i = 0; i < 16; ++i) QThreadPool::globalInstance()->start(new Work);
  }
  QCoreApplication::exec();
  QThreadPool::globalInstance()->waitForDone();
  echo.say();
  return 0;
}

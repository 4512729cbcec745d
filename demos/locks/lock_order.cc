// DEMO lock_order: two locks are taken in opposite orders, one thread after the other: it went well
// OPTIONS --lock-order
//
// The threads never run at once here, so nothing hangs; on another day they do. --lock-order tells
// of the two orders that could deadlock, with both places.

#include <mutex>
#include <thread>

namespace {

std::mutex accounts;
std::mutex journal;

void pay() {
  const std::lock_guard first(accounts);
  // EXPECT lock-order function=pay
  const std::lock_guard second(journal);
}

void audit() {
  const std::lock_guard first(journal);
  // EXPECT lock-order function=audit
  const std::lock_guard second(accounts);
}

}  // namespace

int main() {
  std::jthread(pay).join();
  std::jthread(audit).join();
}

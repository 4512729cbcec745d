// DEMO deadlock: two threads take two locks in opposite orders, and wait for each other for good
// OPTIONS --on-deadlock=abort
//
// Each has one lock and wants the other's. The report comes within a second, with both stacks;
// Tailback then aborts the program, which would hang for good. Without Tailback an alarm ends it.
// The cure: one order for all, or std::scoped_lock(accounts, journal).

#include <unistd.h>

#include <latch>
#include <mutex>
#include <thread>

namespace {

std::mutex accounts;
std::mutex journal;
std::latch both_have_one(2);

void pay() {
  const std::lock_guard first(accounts);
  both_have_one.arrive_and_wait();
  // EXPECT deadlock call=pthread_mutex_lock function=pay
  const std::lock_guard second(journal);
}

void audit() {
  const std::lock_guard first(journal);
  both_have_one.arrive_and_wait();
  // EXPECT deadlock call=pthread_mutex_lock function=audit
  const std::lock_guard second(accounts);
}

}  // namespace

int main() {
  alarm(60);
  const std::jthread payer(pay);
  const std::jthread auditor(audit);
}

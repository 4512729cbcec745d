"""Two threads take two locks in opposite orders, and wait for each other for good.

Each has one lock and wants the other's, and the main thread waits for both. Python's locks are
semaphores, which know no owner: the report comes when every thread that could give one back waits
itself. Python's own handler of Ctrl-C could give one back, too: as long as it is there, nothing is
proven, and nothing reported. Tailback aborts the program; without Tailback an alarm ends it.
"""

# DEMO python/deadlock: two threads take two locks in opposite orders, and wait for each other
# OPTIONS --on-deadlock=abort

import signal
import threading

accounts = threading.Lock()
journal = threading.Lock()
both_have_one = threading.Barrier(2)


def pay():
    with accounts:
        both_have_one.wait()
        # EXPECT deadlock function=pay
        with journal:
            pass


def audit():
    with journal:
        both_have_one.wait()
        # EXPECT deadlock function=audit
        with accounts:
            pass


signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.alarm(60)
threads = [threading.Thread(target=work) for work in (pay, audit)]
for thread in threads:
    thread.start()
for thread in threads:
    # EXPECT deadlock function=<module>
    thread.join()

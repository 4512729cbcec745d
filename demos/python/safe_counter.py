"""Four threads count under a lock: unsafe_counter.py, put right."""

# DEMO python/safe_counter: the same under a threading.Lock
# EXPECT nothing

import sys
import threading

THREADS = 4
STEPS = 20_000
counter = 0
counter_lock = threading.Lock()


def add(number):
    return number + 1


def count():
    global counter
    for _ in range(STEPS):
        with counter_lock:
            counter = add(counter)


sys.setswitchinterval(1e-4)
threads = [threading.Thread(target=count) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"counted {counter} of {THREADS * STEPS}")

"""Four threads append to one list without a lock, and none of it is lost.

list.append() is one step for the interpreter, whose lock is held for all of it. In C++ push_back() is
none (unsafe_shared_list).
"""

# DEMO python/shared_list: four threads append to one list, which is safe in Python
# EXPECT nothing

import sys
import threading

THREADS = 4
ITEMS = 50_000
shared_list = []


def fill():
    for item in range(ITEMS):
        shared_list.append(item)


sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=fill) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{len(shared_list)} of {THREADS * ITEMS} items")

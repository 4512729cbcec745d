"""Ten tasks of 1 s of blocking I/O on ten threads: about 1 s, not 10.

A thread that waits gives the GIL up, so the waits overlap. time.sleep() stands for the I/O: a slow
disk, a slow peer.
"""

# DEMO python/thread_pool: ten blocking waits of 1 s on ten threads take about 1 s
# EXPECT nothing

import time
from concurrent.futures import ThreadPoolExecutor

TASKS = 10


def memory(name):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))


def fetch(_):
    time.sleep(1)


before = memory("VmSize")
begin = time.monotonic()
with ThreadPoolExecutor(TASKS) as pool:
    results = pool.map(fetch, range(TASKS))
    time.sleep(0.5)
    reserved = memory("VmSize") - before
    list(results)
print(f"threads: {TASKS} tasks in {time.monotonic() - begin:.2f} s, "
      f"{reserved / TASKS:.0f} KiB of addresses each")

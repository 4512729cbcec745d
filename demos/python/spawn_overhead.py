"""What it costs to start an interpreter for a task of 10 ms, against a thread pool."""

# DEMO python/spawn_overhead: a process for each task of 10 ms, against a thread pool
# EXPECT nothing

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TASKS = 10
WORK = "import time\nend = time.thread_time() + 0.01\nwhile time.thread_time() < end: pass"


def run_in_process():
    subprocess.run([sys.executable, "-c", WORK], check=True)


def work():
    end = time.thread_time() + 0.01
    while time.thread_time() < end:
        pass


def measure(way, run):
    begin = time.monotonic()
    for _ in range(TASKS):
        run()
    each = (time.monotonic() - begin) * 1000 / TASKS
    print(f"{way:12} {each:7.2f} ms a task, {each - 10:7.3f} ms more than its work")


measure("processes", run_in_process)
with ThreadPoolExecutor(1) as pool:
    measure("thread pool", lambda: pool.submit(work).result())

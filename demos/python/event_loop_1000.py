"""A thousand waits of 1 s on one thread: about 1 s.

A task of asyncio is an object of some kilobytes; a thread has a stack of megabytes.
"""

# DEMO python/event_loop_1000: a thousand tasks of asyncio that wait for 1 s take about 1 s
# EXPECT nothing

import asyncio
import time
import tracemalloc

TASKS = 1000


async def fetch():
    await asyncio.sleep(1)


async def main():
    tracemalloc.start()
    tasks = [asyncio.create_task(fetch()) for _ in range(TASKS)]
    await asyncio.sleep(0.5)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await asyncio.gather(*tasks)
    return used / TASKS


begin = time.monotonic()
each = asyncio.run(main())
print(f"event loop: {TASKS} tasks in {time.monotonic() - begin:.2f} s, {each / 1024:.1f} KiB each")

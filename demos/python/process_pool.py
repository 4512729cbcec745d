"""Eight tasks of computing: in the loop, on threads, in processes.

In the loop they hold it up. Threads share the GIL: they take as long as one after another, and the
loop goes on as often as it gets the GIL (which may be a stall, too). Only processes use all cores.
"""

# DEMO python/process_pool: eight CPU-heavy tasks in the loop, on threads and in processes

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

TASKS = 8


# EXPECT stall cause=cpu function=compute lines=+1..+5
def compute(value):
    for _ in range(800_000):
        value = (value * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return value


def in_the_loop():
    for task in range(TASKS):
        compute(task)


async def in_pool(pool):
    loop = asyncio.get_running_loop()
    with pool:
        await asyncio.gather(*(loop.run_in_executor(pool, compute, task) for task in range(TASKS)))


async def measure(way, run):
    for _ in range(5):
        await asyncio.sleep(0.05)
    begin = time.monotonic()
    await run()
    print(f"{way:12} {(time.monotonic() - begin) * 1000:6.0f} ms", flush=True)


async def main():
    async def block():
        in_the_loop()
        await asyncio.sleep(0)

    await measure("in the loop", block)
    await measure("threads", lambda: in_pool(ThreadPoolExecutor()))
    await measure("processes", lambda: in_pool(ProcessPoolExecutor()))


if __name__ == "__main__":
    asyncio.run(main())

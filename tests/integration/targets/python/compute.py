"""A loop that computes for 400 ms of CPU time instead of serving: "blocked MILLISECONDS"."""

import asyncio
import time


def compute(seconds):
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        for i in range(10000):
            total += i * i
    return total


async def main():
    for _ in range(5):
        await asyncio.sleep(0.02)
    begin = time.monotonic()
    compute(0.4)
    print("blocked", (time.monotonic() - begin) * 1000, flush=True)
    await asyncio.sleep(0.02)


asyncio.run(main())

"""A loop that computes for a while instead of serving."""

import asyncio
import time


def compute(seconds):
    end = time.monotonic() + seconds
    total = 0
    while time.monotonic() < end:
        for i in range(10000):
            total += i * i
    return total


async def main():
    for _ in range(5):
        await asyncio.sleep(0.02)
    compute(0.4)
    await asyncio.sleep(0.02)


asyncio.run(main())

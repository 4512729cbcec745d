"""time.sleep() in a coroutine: while D sleeps for 2 s, A, B and C stand still."""

# DEMO python/sleep_in_coroutine: a coroutine calls time.sleep(2) in the loop

import asyncio
import time


async def bad():
    await asyncio.sleep(0.25)
    # EXPECT stall cause=sleep call=clock_nanosleep|select function=bad length_ms=2000
    time.sleep(2)


async def tick(name):
    last = time.monotonic()
    for _ in range(10):
        await asyncio.sleep(0.1)
        now = time.monotonic()
        print(f"{name} after {(now - last) * 1000:4.0f} ms")
        last = now


async def main():
    await asyncio.gather(tick("A"), tick("B"), tick("C"), bad())


asyncio.run(main())

"""asyncio.sleep() in place of time.sleep(): sleep_in_coroutine.py, put right."""

# DEMO python/await_sleep: the same with await asyncio.sleep(2)
# EXPECT nothing

import asyncio
import time


async def good():
    await asyncio.sleep(0.25)
    await asyncio.sleep(2)


async def tick(name):
    last = time.monotonic()
    for _ in range(10):
        await asyncio.sleep(0.1)
        now = time.monotonic()
        print(f"{name} after {(now - last) * 1000:4.0f} ms")
        last = now


async def main():
    await asyncio.gather(tick("A"), tick("B"), tick("C"), good())


asyncio.run(main())

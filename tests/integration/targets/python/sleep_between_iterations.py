"""Tasks that tick, while one of them sleeps in the loop: SECONDS TIMES on the command line.

Prints "blocked PID MILLISECONDS" for each time.
"""

import asyncio
import os
import sys
import time

seconds, times = float(sys.argv[1]), int(sys.argv[2])


async def tick():
    for _ in range(10):
        await asyncio.sleep(0.02)


async def bad():
    for _ in range(times):
        await asyncio.sleep(0.05)
        begin = time.monotonic()
        time.sleep(seconds)
        print("blocked", os.getpid(), (time.monotonic() - begin) * 1000, flush=True)


async def main():
    await asyncio.gather(tick(), bad(), tick())


asyncio.run(main())

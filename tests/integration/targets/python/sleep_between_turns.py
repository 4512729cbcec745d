"""Tasks that tick, while one of them sleeps in the loop: SECONDS TIMES on the command line."""

import asyncio
import os
import sys
import time

seconds, times = float(sys.argv[1]), int(sys.argv[2])
print("pid", os.getpid(), flush=True)


async def tick():
    for _ in range(10):
        await asyncio.sleep(0.02)


async def bad():
    for _ in range(times):
        await asyncio.sleep(0.05)
        time.sleep(seconds)


async def main():
    await asyncio.gather(tick(), bad(), tick())


asyncio.run(main())

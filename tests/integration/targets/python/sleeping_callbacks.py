"""Callbacks that are only time.sleep: up to 3.10 that is select(), nearer to the stack's base than the
loop's own wait. Many short ones, then "blocked PID MILLISECONDS" for each of ten long ones.
"""

import asyncio
import os
import time


async def main():
    loop = asyncio.get_running_loop()
    for i in range(60):
        loop.call_soon(time.sleep, 0.001)
        await asyncio.sleep(0.002)
    for i in range(10):
        begin = time.monotonic()
        loop.call_soon(time.sleep, 0.2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        print("blocked", os.getpid(), (time.monotonic() - begin) * 1000, flush=True)
        await asyncio.sleep(0.01)


asyncio.run(main())

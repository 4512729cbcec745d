"""Workers made by fork, each with a loop that is held up once: "blocked PID MILLISECONDS"."""

import asyncio
import os
import time


async def serve(seconds):
    for _ in range(5):
        await asyncio.sleep(0.02)
    begin = time.monotonic()
    time.sleep(seconds)
    print("blocked", os.getpid(), (time.monotonic() - begin) * 1000, flush=True)
    for _ in range(5):
        await asyncio.sleep(0.02)


workers = []
for seconds in (0.2, 0.3, 0.4):
    pid = os.fork()
    if pid == 0:
        asyncio.run(serve(seconds))
        os._exit(0)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)

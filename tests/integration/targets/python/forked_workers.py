"""Workers made by fork, each with a loop that is held up once: "worker PID" for each."""

import asyncio
import os
import time


async def serve(seconds):
    for _ in range(5):
        await asyncio.sleep(0.02)
    time.sleep(seconds)
    for _ in range(5):
        await asyncio.sleep(0.02)


workers = []
for seconds in (0.2, 0.3, 0.4):
    pid = os.fork()
    if pid == 0:
        asyncio.run(serve(seconds))
        os._exit(0)
    workers.append(pid)
    print("worker", pid, flush=True)
for pid in workers:
    os.waitpid(pid, 0)

"""A loop that waits for a threading.RLock that a thread has, which has taken it twice."""

import asyncio
import threading
import time

lock = threading.RLock()
taken = threading.Event()


def keep():
    with lock, lock:
        taken.set()
        time.sleep(0.4)


async def main():
    for _ in range(3):
        await asyncio.sleep(0.02)
    threading.Thread(target=keep).start()
    while not taken.is_set():
        await asyncio.sleep(0.02)
    with lock:
        pass
    await asyncio.sleep(0.02)


asyncio.run(main())

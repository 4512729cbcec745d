"""A thread waits for a slow device under a lock that the loop needs, too.

The loop wants the lock for an instant, and waits for all of the owner's I/O. The cure: do the I/O
first, and lock for the result only.
"""

# DEMO python/lock_held_over_io: a thread sleeps under a lock that the loop needs

import asyncio
import threading
import time

cache_lock = threading.Lock()


def refresh_cache():
    with cache_lock:
        time.sleep(0.6)


def look_up():
    # EXPECT stall cause=lock|wait function=look_up
    with cache_lock:
        return None


async def main():
    for _ in range(4):
        await asyncio.sleep(0.05)
    refresher = threading.Thread(target=refresh_cache)
    refresher.start()
    await asyncio.sleep(0.1)
    look_up()
    await asyncio.sleep(0.2)
    refresher.join()


asyncio.run(main())

"""A loop beside a thread that keeps the interpreter's lock: "hogged MILLISECONDS LINE"."""

import asyncio
import sys
import threading
import time

hogged = []


def hog(numbers):
    begin = time.monotonic()
    hogged.append(sys._getframe().f_lineno + 1)
    sum(range(numbers))  # within one call the lock is not given away
    hogged.append((time.monotonic() - begin) * 1000)


async def main(numbers):
    for _ in range(5):
        await asyncio.sleep(0.02)
    thread = threading.Thread(target=hog, args=(numbers,))
    thread.start()
    for _ in range(5):
        await asyncio.sleep(0.02)
    thread.join()
    print("hogged", hogged[1], hogged[0], flush=True)
    for _ in range(5):
        await asyncio.sleep(0.02)


begin = time.monotonic()
sum(range(10_000_000))
asyncio.run(main(int(10_000_000 * 0.6 / (time.monotonic() - begin))))

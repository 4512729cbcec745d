"""A healthy loop, and then a thread that the interpreter waits for when it ends: for this many seconds."""
import asyncio
import os
import sys
import threading


def copy(seconds):
    reading, writing = os.pipe()
    timer = threading.Timer(seconds, os.write, (writing, b"x"))
    timer.daemon = True
    timer.start()
    os.read(reading, 1)


async def main():
    threading.Thread(target=copy, args=(float(sys.argv[1]),), name="copier").start()
    for _ in range(10):
        await asyncio.sleep(0.02)


asyncio.run(main())

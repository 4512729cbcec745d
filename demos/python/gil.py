"""A thread computes in C without giving the interpreter's lock up: the loop can't run.

sum() over a range is one bytecode, however long it takes, and the interpreter turns to other threads
only between bytecodes. Even start(), which waits for the new thread's first words, does not come back
until then. Regular expressions, sorting and big numbers do the same. The cure: a process,
or smaller pieces.
"""

# DEMO gil: a thread computes in one long bytecode, and asyncio's loop waits for the GIL

import asyncio
import threading


def compute():
    return sum(range(40_000_000))


async def tick():
    for _ in range(20):
        await asyncio.sleep(0.02)


async def main():
    await tick()
    worker = threading.Thread(target=compute)
    # EXPECT stall cause=gil function=main
    worker.start()
    await tick()
    worker.join()


asyncio.run(main())

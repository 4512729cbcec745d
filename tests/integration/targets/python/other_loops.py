"""Loops that wait in another way than epoll, or on another thread: "blocked PID MILLISECONDS".

The command line says which: poll, select, or threads (three of them, each with its own loop).
"""

import asyncio
import os
import selectors
import sys
import threading
import time


async def serve(seconds):
    for _ in range(5):
        await asyncio.sleep(0.02)
    begin = time.monotonic()
    time.sleep(seconds)
    print("blocked", os.getpid(), (time.monotonic() - begin) * 1000, flush=True)
    for _ in range(5):
        await asyncio.sleep(0.02)


def run(selector, seconds):
    loop = asyncio.SelectorEventLoop(selector)
    loop.run_until_complete(serve(seconds))
    loop.close()


way = sys.argv[1]
if way == "poll":
    run(selectors.PollSelector(), 0.3)
elif way == "select":
    run(selectors.SelectSelector(), 0.3)
else:
    threads = [
        threading.Thread(target=run, args=(selectors.EpollSelector(), seconds))
        for seconds in (0.2, 0.3, 0.4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

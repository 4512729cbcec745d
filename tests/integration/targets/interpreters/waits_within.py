"""LOOP WAIT: a loop made of poll or select whose callback waits by the same function of Python.

LOOP: poll or select (asyncio's), twisted. WAIT: none; select; run (a child process, whose output and
errors are read). Says "blocked PID MILLISECONDS".
"""

import os
import select
import subprocess
import sys
import time

TICKS, BLOCKED_TICK, TICK_S = 100, 60, 0.02


def slow_lookup(wait):
    begin = time.monotonic()
    if wait == "select":
        answer, _ = os.pipe()
        select.select([answer], [], [], 0.4)
    elif wait == "run":
        subprocess.run(["sh", "-c", "sleep 0.4; echo x; echo y >&2"], capture_output=True)
    print("blocked", os.getpid(), (time.monotonic() - begin) * 1000, flush=True)


def run_asyncio(selector, wait):
    import asyncio

    async def serve():
        for tick in range(TICKS):
            await asyncio.sleep(TICK_S)
            if tick == BLOCKED_TICK and wait != "none":
                slow_lookup(wait)

    loop = asyncio.SelectorEventLoop(selector)
    loop.run_until_complete(serve())
    loop.close()


def run_twisted(wait):
    from twisted.internet import pollreactor

    pollreactor.install()
    from twisted.internet import reactor, task

    ticks = iter(range(TICKS))

    def tick():
        number = next(ticks, None)
        if number is None:
            reactor.stop()
        elif number == BLOCKED_TICK and wait != "none":
            slow_lookup(wait)

    task.LoopingCall(tick).start(TICK_S)
    reactor.run()


loop_kind, wait_kind = sys.argv[1:]
if loop_kind == "twisted":
    run_twisted(wait_kind)
else:
    import selectors

    run_asyncio(
        selectors.PollSelector() if loop_kind == "poll" else selectors.SelectSelector(), wait_kind
    )

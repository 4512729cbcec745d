"""Each call that can hold an asyncio loop up, made to really wait within a coroutine.

blocking_calls.py FOLDER SLOW BACKING [CALL…]: in the slow file system the next operation that the
file BACKING/.slow names takes its time (slow_files.cc); its path is longer than BACKING's by 210
characters at least. Prints "expected {JSON}" for each call: the call, what it waits for, and the
frame that is to blame, [function, file, line].
"""

import asyncio
import json
import sys

import file_calls  # noqa: F401
import other_calls  # noqa: F401
import socket_calls  # noqa: F401
from waiting import CASES, blamed


async def main(names):
    for call, waits_for, function in CASES:
        if names and call not in names:
            continue
        for _ in range(3):
            await asyncio.sleep(0.01)
        await function()
        said = {"case": call, "waits_for": waits_for, "frames": [blamed]}
        print("expected", json.dumps(said), flush=True)
    await asyncio.sleep(0.01)


asyncio.run(main(sys.argv[4:]))

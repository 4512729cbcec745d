"""30 tasks that compute 12 ms each: in one iteration ("together"), or one after another ("apart")."""
import asyncio
import sys
import time


def decode():
    end = time.perf_counter() + 0.012
    while time.perf_counter() < end:
        pass


async def consumer(i, wake):
    await wake.wait()
    if sys.argv[1] == "apart":
        await asyncio.sleep(0.02 * i)
    decode()


async def main():
    wake = asyncio.Event()
    tasks = [asyncio.create_task(consumer(i, wake)) for i in range(30)]
    await asyncio.sleep(0.3)
    wake.set()
    await asyncio.gather(*tasks)
    await asyncio.sleep(0.2)


asyncio.run(main())

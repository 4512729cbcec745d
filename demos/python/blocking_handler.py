"""An asyncio program with a mistake that is easily made: a handler calls something that blocks.

Ten clients are to be greeted every 50 ms. The third request looks up a price with a library that
knows nothing of asyncio; here, time.sleep() stands for it. While it sleeps, nobody is greeted.
"""

# DEMO python/blocking_handler: an asyncio program whose third request sleeps in the loop

import asyncio
import time


def look_up_price(item):
    # EXPECT stall cause=sleep call=clock_nanosleep|select function=look_up_price length_ms=400
    time.sleep(0.4)
    return len(item) * 100


async def handle(request):
    if request == 3:
        return look_up_price("a barrel of herring")
    await asyncio.sleep(0.02)
    return None


async def greet(name):
    for _ in range(20):
        await asyncio.sleep(0.05)
    return name


async def main():
    clients = [asyncio.create_task(greet(f"client {number}")) for number in range(10)]
    for request in range(1, 6):
        await handle(request)
    await asyncio.gather(*clients)


asyncio.run(main())

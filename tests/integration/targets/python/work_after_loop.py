"""A loop that is stopped and not closed, and then work for 400 ms."""
import asyncio
import time

loop = asyncio.new_event_loop()


def tick(left):
    if left:
        loop.call_later(0.02, tick, left - 1)
    else:
        loop.stop()


tick(20)
loop.run_forever()
time.sleep(0.4)

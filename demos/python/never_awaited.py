"""A coroutine is called and never awaited: its body does not run, and nobody is told an error.

The interpreter warns of it, in a line on standard error that is easily missed. `await save(2)` is the
same, put right.
"""

# DEMO python/never_awaited: a coroutine that is called and not awaited does nothing

import asyncio


async def save(order):
    print(f"order {order} is saved")


async def main():
    await asyncio.sleep(0.05)
    # EXPECT never-awaited function=save
    save(1)
    await save(2)


asyncio.run(main())

"""A loop that waits the right way."""

import asyncio


async def good():
    await asyncio.sleep(2)


asyncio.run(good())

"""The shortest program that holds its loop up."""

import asyncio
import time


async def bad():
    time.sleep(2)


asyncio.run(bad())

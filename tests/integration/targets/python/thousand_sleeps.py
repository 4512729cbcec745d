"""A thousand tasks that wait at once on one loop."""

import asyncio


async def main():
    await asyncio.gather(*(asyncio.sleep(1) for _ in range(1000)))


asyncio.run(main())

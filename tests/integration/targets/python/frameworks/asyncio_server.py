"""asyncio_server.py PORT [uvloop]"""

import asyncio
import sys

from held_up import answer


async def serve(reader, writer):
    writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if sys.argv[2:] == ["uvloop"]:
    import uvloop

    uvloop.install()
asyncio.run(main())

"""asyncio_server.py PORT WHAT LOOP: an asyncio server of what is in a dictionary.

WHAT is echo (lines) or http; LOOP is epoll, poll, select or uvloop."""

import asyncio
import selectors
import sys

SELECTORS = {"epoll": selectors.EpollSelector, "poll": selectors.PollSelector,
             "select": selectors.SelectSelector}
PAGE = b"x" * 1000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)


async def serve_lines(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def serve_http(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def tick():
    while True:
        await asyncio.sleep(0.05)


async def serve(port, what):
    server = await asyncio.start_server(serve_lines if what == "echo" else serve_http,
                                        "127.0.0.1", port)
    async with server:
        await asyncio.gather(server.serve_forever(), tick())


def main():
    port, what, kind = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    if kind == "uvloop":
        import uvloop
        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.SelectorEventLoop(SELECTORS[kind]())
    asyncio.set_event_loop(loop)
    loop.run_until_complete(serve(port, what))


main()

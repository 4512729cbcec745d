"""trio_server.py PORT"""

import functools
import sys

import trio
from held_up import answer


async def serve(stream):
    request = b""
    while b"\r\n\r\n" not in request:
        request += await stream.receive_some()
    await stream.send_all(answer(request))


trio.run(functools.partial(trio.serve_tcp, serve, int(sys.argv[1]), host="127.0.0.1"))

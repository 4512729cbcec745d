"""aiohttp_server.py PORT"""

import sys

from aiohttp import web
from held_up import handle


async def page(request):
    return web.Response(body=handle(request.path))


app = web.Application()
app.router.add_get("/{name:.*}", page)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)

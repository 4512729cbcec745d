"""tornado_server.py PORT"""

import sys

import tornado.ioloop
import tornado.web
from held_up import handle


class Page(tornado.web.RequestHandler):
    async def get(self, path):
        self.write(handle(path))


app = tornado.web.Application([("/(.*)", Page)], log_function=lambda _: None)
app.listen(int(sys.argv[1]), "127.0.0.1")
tornado.ioloop.IOLoop.current().start()

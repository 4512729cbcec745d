"""framework_server.py PORT NAME: a page of a thousand bytes, by aiohttp, tornado, twisted or gevent."""

import sys

PAGE = b"x" * 1000


def serve_aiohttp(port):
    from aiohttp import web

    async def page(_):
        return web.Response(body=PAGE)

    app = web.Application()
    app.router.add_get("/", page)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def serve_tornado(port):
    import tornado.ioloop
    import tornado.web

    class Page(tornado.web.RequestHandler):
        def get(self):
            self.write(PAGE)

        def log_exception(self, *_):
            pass

    tornado.web.Application([("/", Page)], log_function=lambda _: None).listen(port, "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()


def serve_twisted(port):
    from twisted.internet import reactor
    from twisted.web import resource, server

    class Page(resource.Resource):
        isLeaf = True

        def render_GET(self, _):
            return PAGE

    reactor.listenTCP(port, server.Site(Page()), interface="127.0.0.1")
    reactor.run()


def serve_gevent(port):
    from gevent.pywsgi import WSGIServer

    def page(_, start_response):
        start_response("200 OK", [("Content-Length", str(len(PAGE)))])
        return [PAGE]

    WSGIServer(("127.0.0.1", port), page, log=None).serve_forever()


{"aiohttp": serve_aiohttp, "tornado": serve_tornado, "twisted": serve_twisted,
 "gevent": serve_gevent}[sys.argv[2]](int(sys.argv[1]))

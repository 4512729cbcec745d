"""twisted_server.py PORT epoll|poll"""

import sys

if sys.argv[2] == "epoll":
    from twisted.internet import epollreactor as chosen
else:
    from twisted.internet import pollreactor as chosen
chosen.install()

from held_up import handle  # noqa: E402
from twisted.internet import reactor  # noqa: E402
from twisted.web import resource, server  # noqa: E402


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        return handle(request.path.decode())


reactor.listenTCP(int(sys.argv[1]), server.Site(Page()), interface="127.0.0.1")
reactor.run()

"""gevent_server.py PORT"""

import sys

from gevent.pywsgi import WSGIServer
from held_up import handle


def page(environ, start_response):
    body = handle(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


WSGIServer(("127.0.0.1", int(sys.argv[1])), page, log=None).serve_forever()

"""uvicorn_server.py PORT asyncio|uvloop"""

import sys

import uvicorn
from applications import asgi

uvicorn.run(asgi, port=int(sys.argv[1]), loop=sys.argv[2], lifespan="off", log_level="warning")

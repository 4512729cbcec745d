"""Synchronous calls of a server in the same process, and work between them: no loop anywhere."""

import concurrent.futures
import time

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=2))
server.add_generic_rpc_handlers((Echo(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    call = channel.unary_unary("/echo/Echo")
    for i in range(60):
        assert call(b"x") == b"x"
        time.sleep(0.3 if i % 20 == 19 else 0.01)
server.stop(None).wait()

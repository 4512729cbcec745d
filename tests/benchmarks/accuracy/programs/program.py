"""One healthy program and the load that it is put under."""

import os
import socket
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"
PAGE = "x" * 1000


def server_file(name):
    return os.path.join(HERE, "servers", name)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass
class Room:
    """Where one program runs: a directory and ports of its own."""

    directory: str
    seconds: float
    build: str
    port: int = field(default_factory=free_port)
    backend: int = field(default_factory=free_port)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def make(self, name):
        os.makedirs(self.path(name), exist_ok=True)
        return self.path(name)


@dataclass
class Program:
    name: str
    needs: list       # programs that must be there, or "module:NAME" of Debian's Python
    version: list     # the command that tells it
    command: object   # Room → command
    loads: object     # Room → commands that end by themselves after the room's seconds
    load: str         # the same in words
    helpers: object = lambda room: []  # Room → commands that run beside it, unwatched
    is_client: bool = False  # it is itself what makes the load: it ends by itself
    is_udp: bool = False


def wrk(room, *options, connections=20, scheme="http"):
    return ["wrk", "-t1", f"-c{connections}", f"-d{max(int(room.seconds), 1)}s", *options,
            f"{scheme}://127.0.0.1:{room.port}/"]


def talk(room, request, *options):
    data = request if isinstance(request, bytes) else request.encode()
    return [PYTHON, server_file("talk.py"), str(room.port), str(room.seconds), "--request",
            data.hex(), *options]


def for_a_while(room, *command):
    """A command that has no end, for the room's seconds."""
    return ["timeout", "--preserve-status", "-s", "INT", str(room.seconds), *command]


def backend_nginx(room):
    """A plain nginx on the second port, for proxies."""
    config = nginx_config(room, room.backend, "backend", "return 200 " + PAGE + ";")
    return ["nginx", "-c", config]


def nginx_config(room, port, name, location, more=""):
    where = room.make(name)
    return room.write(name + ".conf", f"""
daemon off; pid {where}/pid; error_log {where}/error.log; worker_processes 1; {more}
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {where}; proxy_temp_path {where}/proxy;
  fastcgi_temp_path {where}/f; uwsgi_temp_path {where}/u; scgi_temp_path {where}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }}
}}
""")

"""Servers of pages, and proxies before them."""

from programs.program import (PAGE, PYTHON, Program, backend_nginx, nginx_config, server_file, talk,
                              wrk)

WRK = "wrk, 20 connections"


def nginx_static(room):
    root = room.make("root")
    room.write("root/index.html", PAGE)
    return ["nginx", "-c", nginx_config(room, room.port, "nginx", f"root {root};")]


def nginx_proxy(room):
    to = f"proxy_pass http://127.0.0.1:{room.backend};"
    return ["nginx", "-c", nginx_config(room, room.port, "nginx", to)]


def lighttpd(room):
    root = room.make("root")
    room.write("root/index.html", PAGE)
    config = room.write("lighttpd.conf", f"""
server.bind = "127.0.0.1"
server.port = {room.port}
server.document-root = "{root}"
index-file.names = ( "index.html" )
""")
    return ["lighttpd", "-D", "-f", config]


def apache(room):
    root = room.make("root")
    room.write("root/index.html", PAGE)
    modules = "/usr/lib/apache2/modules"
    config = room.write("apache.conf", f"""
ServerName localhost
ServerRoot {room.directory}
PidFile {room.directory}/pid
DefaultRuntimeDir {room.directory}
ErrorLog {room.directory}/error.log
Listen 127.0.0.1:{room.port}
User nobody
Group nogroup
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
DocumentRoot {root}
DirectoryIndex index.html
""")
    return ["apache2", "-DFOREGROUND", "-f", config]


def h2o(room):
    root = room.make("root")
    room.write("root/index.html", PAGE)
    config = room.write("h2o.conf", f"""
listen: {{ host: 127.0.0.1, port: {room.port} }}
user: nobody
num-threads: 2
error-log: {room.path('h2o.log')}
hosts:
  default:
    paths:
      /:
        file.dir: {root}
""")
    return ["h2o", "-c", config]


def haproxy(room):
    config = room.write("haproxy.cfg", f"""
global
  maxconn 200
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen all
  bind 127.0.0.1:{room.port}
  server one 127.0.0.1:{room.backend}
""")
    return ["haproxy", "-db", "-f", config]


def varnish(room):
    return ["varnishd", "-F", "-a", f"127.0.0.1:{room.port}", "-b", f"127.0.0.1:{room.backend}",
            "-n", room.make("varnish"), "-s", "malloc,16m"]


def tinyproxy(room):
    config = room.write("tinyproxy.conf", f"""
Port {room.port}
Listen 127.0.0.1
Timeout 60
MaxClients 100
ReversePath "/" "http://127.0.0.1:{room.backend}/"
ReverseOnly Yes
""")
    return ["tinyproxy", "-d", "-c", config]


def proxy(name, command, version, connections=20):
    return Program(f"{name} (proxy)", [name, "nginx", "wrk"], version, command,
                   lambda room: [wrk(room, connections=connections)],
                   f"wrk, {connections} connections", lambda room: [backend_nginx(room)])


def framework(name):
    return Program(f"python3 {name}", [PYTHON, f"module:{name}", "wrk"],
                   [PYTHON, "-c", f"import importlib.metadata as m; print(m.version('{name}'))"],
                   lambda room: [PYTHON, server_file("framework_server.py"), str(room.port), name],
                   lambda room: [wrk(room)], WRK)


def asyncio(what, loop):
    needs = [PYTHON, "wrk"] + (["module:uvloop"] if loop == "uvloop" else [])
    return Program(f"python3 asyncio ({what}, {loop})", needs, [PYTHON, "--version"],
                   lambda room: [PYTHON, server_file("asyncio_server.py"), str(room.port), what,
                                 loop],
                   lambda room: [wrk(room) if what == "http" else
                                 talk(room, "hello\n", "--line")],
                   WRK if what == "http" else "8 connections that send lines")


PROGRAMS = [
    Program("nginx", ["nginx", "wrk"], ["nginx", "-v"], nginx_static, lambda room: [wrk(room)],
            WRK),
    Program("nginx (no keep-alive)", ["nginx", "wrk"], ["nginx", "-v"], nginx_static,
            lambda room: [wrk(room, "-H", "Connection: close")], WRK + ", each for one page"),
    proxy("nginx", nginx_proxy, ["nginx", "-v"]),
    proxy("haproxy", haproxy, ["haproxy", "-v"]),
    proxy("varnishd", varnish, ["varnishd", "-V"]),
    proxy("tinyproxy", tinyproxy, ["tinyproxy", "-v"], 8),
    Program("lighttpd", ["lighttpd", "wrk"], ["lighttpd", "-v"], lighttpd, lambda room: [wrk(room)],
            WRK),
    Program("apache2 (event)", ["apache2", "wrk"], ["apache2", "-v"], apache,
            lambda room: [wrk(room)], WRK),
    Program("h2o", ["h2o", "wrk"], ["h2o", "--version"], h2o, lambda room: [wrk(room)], WRK),
    Program("node (http)", ["node", "wrk"], ["node", "--version"],
            lambda room: ["node", server_file("node_server.js"), str(room.port), "http"],
            lambda room: [wrk(room)], WRK),
    Program("node (net)", ["node"], ["node", "--version"],
            lambda room: ["node", server_file("node_server.js"), str(room.port), "echo"],
            lambda room: [talk(room, "hello\n", "--line")], "8 connections that send lines"),
    asyncio("echo", "epoll"), asyncio("http", "epoll"), asyncio("http", "poll"),
    asyncio("http", "select"), asyncio("http", "uvloop"),
    framework("aiohttp"), framework("tornado"), framework("twisted"), framework("gevent"),
]

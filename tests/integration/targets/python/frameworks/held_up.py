"""Calls that hold an event loop up, for the handlers of servers of all frameworks.

handle() answers a request. One whose path names a call makes it, and prints "expected {JSON}": the
call, and the frame that is to blame, [function, file, line].
"""

import importlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HELD = 0.3


def original(module, name):
    """What gevent puts its own in the place of, as it does below gunicorn."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey:
        return monkey.get_original(module, name)
    return getattr(importlib.import_module(module), name)


sleep = original("time", "sleep")
start_thread = original("_thread", "start_new_thread")
folder = tempfile.mkdtemp(prefix="held-up-", dir=".")
blamed = []


def here():
    frame = sys._getframe(1)
    blamed[:] = [frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno]


def later(action, *arguments):
    start_thread(lambda: (sleep(HELD), action(*arguments)), ())


def slow_page():
    """The address of a page that takes its time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        peer = listener.accept()[0]
        peer.recv(4096)
        sleep(HELD)
        peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        peer.close()
        listener.close()

    start_thread(answer, ())
    return "http://127.0.0.1:%d/" % listener.getsockname()[1]


def sleeps():
    here(); sleep(HELD)


def asks_by_urllib():
    address = slow_page()
    here(); urllib.request.urlopen(address).read()


def asks_by_requests():
    import requests

    address = slow_page()
    here(); requests.get(address)


def receives():
    near, far = socket.socketpair()
    later(far.send, b"x")
    here(); near.recv(1)


def opens_fifo():
    path = folder + "/fifo"
    os.mkfifo(path)
    later(lambda: os.close(os.open(path, os.O_WRONLY)))
    here(); os.close(os.open(path, os.O_RDONLY))


def runs_program():
    here(); subprocess.run(["sleep", str(HELD)])


def finds_database_busy():
    path = folder + "/data"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("create table t (x)")
    other.execute("begin exclusive")
    own = sqlite3.connect(path)
    later(other.execute, "commit")
    here(); own.execute("select * from t")


def finds_lock_taken():
    lock = threading.Lock()
    lock.acquire()
    later(lock.release)
    here(); lock.acquire()


def computes():
    end = time.thread_time() + HELD
    here()
    while time.thread_time() < end: blamed[2] = sys._getframe().f_lineno


CALLS = {
    call.__name__: call
    for call in (
        sleeps,
        asks_by_urllib,
        asks_by_requests,
        receives,
        opens_fifo,
        runs_program,
        finds_database_busy,
        finds_lock_taken,
        computes,
    )
}


def handle(path):
    name = path.strip("/")
    if name in CALLS:
        CALLS[name]()
        print("expected", json.dumps({"case": name, "frames": [blamed]}), flush=True)
    return b"done\n"


def answer(request):
    """The same for servers that know no HTTP: from the bytes of a request to those of its answer."""
    body = handle(request.split()[1].decode())
    return b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

"""Programs of every kind of concurrency in Python, right and wrong: models.py MODE."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


def compute(seconds):
    """Takes this long on a CPU, whatever else the machine does."""
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        for i in range(10000):
            total += i
    return total


def wait_for_io(seconds):
    time.sleep(seconds)


def pool():
    with ThreadPoolExecutor(10) as executor:
        list(executor.map(wait_for_io, [1] * 10))


def sequence():
    for _ in range(12):
        wait_for_io(0.1)


def client():
    """Asks a server, in a process of its own, one question after the other."""
    program = (
        "import socket, time\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "c, _ = s.accept()\n"
        "while c.recv(1): time.sleep(0.1); c.sendall(b'x')\n"
    )
    # Without the recorder: another program's server is not to be judged with it.
    server = subprocess.Popen(
        [sys.executable, "-S", "-c", program], stdout=subprocess.PIPE, env={}
    )
    port = int(server.stdout.readline())
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(15):
            connection.sendall(b"?")
            connection.recv(1)
    server.wait()


def gil():
    threads = [threading.Thread(target=compute, args=(0.4,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def single():
    compute(1.2)


def process_pool():
    with ProcessPoolExecutor(2) as executor:
        list(executor.map(compute, [1.0, 1.0]))


def spawning():
    for _ in range(100):
        subprocess.run(["/bin/sleep", "0.01"], check=True)


async def wait_on_socket():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.call_later(2, theirs.send, b"x")
    await loop.sock_recv(ours, 1)
    ours.close()
    theirs.close()


async def gather(one, count):
    await asyncio.gather(*(one() for _ in range(count)))


def event_loop():
    asyncio.run(gather(wait_on_socket, 1000))


def event_loop_timers():
    asyncio.run(gather(lambda: asyncio.sleep(2.2), 1000))


async def fetch_badly():
    await asyncio.sleep(0.05)
    time.sleep(0.3)


async def tick():
    for _ in range(100):
        await asyncio.sleep(0.02)


async def freeze():
    await asyncio.gather(tick(), fetch_badly(), fetch_badly(), fetch_badly())


def blocked_loop():
    asyncio.run(freeze())


LOCK = threading.Lock()


def write_under_lock():
    for _ in range(15):
        with LOCK:
            time.sleep(0.02)


def contended():
    threads = [threading.Thread(target=write_under_lock) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    globals()[sys.argv[1]]()

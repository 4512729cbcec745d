"""An asyncio program that blocks its own loop once: blocked_loop.py CAUSE

Each function makes one mistake. docs/reading-a-report.md shows what Tailback reports of it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time


def take_a_nap():
    time.sleep(0.3)


def ask_a_slow_server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer_late():
            connection, _ = server.accept()
            time.sleep(0.3)
            connection.sendall(b"late\n")
            connection.close()

        threading.Thread(target=answer_late, name="slow server").start()
        with socket.create_connection(server.getsockname()) as connection:
            return connection.recv(100)


def run_a_command():
    return subprocess.run(["sleep", "0.3"], check=True)


def read_a_pipe():
    reading, writing = os.pipe()

    def write_late():
        time.sleep(0.3)
        os.write(writing, b"late\n")

    threading.Thread(target=write_late, name="writer").start()
    return os.read(reading, 100)


def wait_for_a_thread():
    worker = threading.Thread(target=time.sleep, args=(0.3,), name="worker")
    worker.start()
    worker.join()


def compute():
    total = 0
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        total += 1
    return total


def ask_many_times():
    here, there = socket.socketpair()

    def answer():
        while question := there.recv(100):
            time.sleep(0.004)
            there.sendall(question)

    threading.Thread(target=answer, name="database").start()
    for _ in range(60):
        here.sendall(b"select")
        here.recv(100)
    here.close()


def keep_the_only_cpu_busy():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for _ in range(3):
        subprocess.Popen(["timeout", "2", "sh", "-c", "while :; do :; done"])
    os.nice(10)


def compute_a_little():
    total = 0
    for number in range(500_000):
        total += number
    return total


def be_stopped():
    subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -CONT {os.getpid()}"])
    os.kill(os.getpid(), signal.SIGSTOP)


async def handle_message():
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        pass


def wake_many_tasks():
    for _ in range(30):
        asyncio.create_task(handle_message())


CAUSES = {
    "sleep": take_a_nap,
    "socket": ask_a_slow_server,
    "process": run_a_command,
    "ipc": read_a_pipe,
    "wait": wait_for_a_thread,
    "cpu": compute,
    "many": ask_many_times,
    "run-queue-wait": compute_a_little,
    "stopped": be_stopped,
    "callbacks": wake_many_tasks,
}


async def main(make_a_mistake):
    for _ in range(5):
        await asyncio.sleep(0.01)
    make_a_mistake()
    for _ in range(5):
        await asyncio.sleep(0.01)


if len(sys.argv) != 2 or sys.argv[1] not in CAUSES:
    sys.exit(f"usage: {sys.argv[0]} {'|'.join(CAUSES)}")
if sys.argv[1] == "run-queue-wait":
    keep_the_only_cpu_busy()
asyncio.run(main(CAUSES[sys.argv[1]]))

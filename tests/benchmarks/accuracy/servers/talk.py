"""talk.py PORT SECONDS [--udp] [--hello HEX --hello-reply N] --request HEX (--reply N | --line): asks
again and again on eight connections. Ends with 1 if nothing was ever answered."""

import argparse
import socket
import threading
import time

CONNECTIONS = 8


def connect(arguments):
    kind = socket.SOCK_DGRAM if arguments.udp else socket.SOCK_STREAM
    connection = socket.socket(socket.AF_INET, kind)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", arguments.port))
    return connection


def receive(connection, count, line):
    data = b""
    while (not data.endswith(b"\n")) if line else len(data) < count:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed")
        data += part


def talk(arguments, answers):
    end = time.monotonic() + arguments.seconds
    request = bytes.fromhex(arguments.request)
    try:
        with connect(arguments) as connection:
            if arguments.hello:
                connection.sendall(bytes.fromhex(arguments.hello))
                receive(connection, arguments.hello_reply, False)
            while time.monotonic() < end:
                connection.sendall(request)
                receive(connection, arguments.reply, arguments.line)
                answers.append(1)
                time.sleep(0.0005)
    except OSError as error:
        print(f"talk.py: {error}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--hello")
    parser.add_argument("--hello-reply", type=int, default=0)
    parser.add_argument("--request", required=True)
    parser.add_argument("--reply", type=int, default=1)
    parser.add_argument("--line", action="store_true")
    arguments = parser.parse_args()
    answers = []
    threads = [threading.Thread(target=talk, args=(arguments, answers))
               for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    raise SystemExit(0 if answers else 1)


main()

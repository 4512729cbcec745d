"""Calls that wait for a peer."""

import asyncio
import contextlib
import ctypes
import os
import socket
import ssl
import threading
import time

from waiting import case, here, later


def full_stream():
    """A connection whose buffers hold nothing more, and that is read later."""
    near, far = socket.socketpair()
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(b"x" * 65536)
    near.setblocking(True)
    later(far.recv, 1 << 20)
    return near, far


def full_datagrams():
    name = f"\0tailback-{os.getpid()}-{time.monotonic_ns()}"
    far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    far.bind(name)
    near = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.sendto(b"x", name)
    near.setblocking(True)
    later(far.recv, 1)
    return near, far, name


@case("socket.connect", "a listener that is slow to accept")
async def socket_connect():
    name = f"\0tailback-{os.getpid()}-connect"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen(0)
    waiting = []
    with contextlib.suppress(BlockingIOError):
        while True:
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            waiting[-1].connect(name)
    own = socket.socket(socket.AF_UNIX)
    later(listener.accept)
    here(); own.connect(name)


@case("socket.accept", "a client that is slow to connect")
async def socket_accept():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.socket()
    later(client.connect, listener.getsockname())
    here(); listener.accept()


@case("socket.send", "a peer that is slow to read")
async def socket_send():
    near, far = full_stream()
    here(); near.send(b"x")


@case("socket.sendall", "a peer that is slow to read")
async def socket_sendall():
    near, far = full_stream()
    here(); near.sendall(b"x")


@case("socket.sendto", "a peer that is slow to read")
async def socket_sendto():
    near, far, name = full_datagrams()
    here(); near.sendto(b"x", name)


def slow_sender():
    near, far = socket.socketpair()
    later(far.send, b"x")
    return near, far


@case("socket.recv", "a peer that is slow to write")
async def socket_recv():
    near, far = slow_sender()
    here(); near.recv(1)


@case("socket.recv_into", "a peer that is slow to write")
async def socket_recv_into():
    near, far = slow_sender()
    here(); near.recv_into(bytearray(1))


@case("socket.recvfrom", "a peer that is slow to write")
async def socket_recvfrom():
    near, far = slow_sender()
    here(); near.recvfrom(1)


@case("socket.recvfrom_into", "a peer that is slow to write")
async def socket_recvfrom_into():
    near, far = slow_sender()
    here(); near.recvfrom_into(bytearray(1))


@case("socket.recvmsg", "a peer that is slow to write")
async def socket_recvmsg():
    near, far = slow_sender()
    here(); near.recvmsg(1)


@case("socket.getaddrinfo", "a name server that does not answer")
async def socket_getaddrinfo():
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    libc = ctypes.CDLL(None)
    libc.__res_init()
    libc.__res_state.restype = ctypes.POINTER(ctypes.c_ubyte)
    state = ctypes.cast(libc.__res_state(), ctypes.c_void_p).value
    ctypes.c_int.from_address(state).value = 1  # a second's patience
    ctypes.c_int.from_address(state + 4).value = 1  # once
    ctypes.c_int.from_address(state + 16).value = 1  # this server alone
    server = socket.AF_INET.to_bytes(2, "little") + silent.getsockname()[1].to_bytes(2, "big")
    ctypes.memmove(state + 20, server + bytes([127, 0, 0, 1]), 8)
    with contextlib.suppress(OSError):
        here(); socket.getaddrinfo("tailback.example", 80)


def secure_pair():
    """Both ends of a TLS connection; anonymous, as no one else is there."""
    ends = socket.socketpair()

    def wrap(end, purpose, is_server):
        context = ssl.SSLContext(purpose)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
        return context.wrap_socket(end, server_side=is_server)

    far = []
    server = threading.Thread(
        target=lambda: far.append(wrap(ends[1], ssl.PROTOCOL_TLS_SERVER, True))
    )
    server.start()
    near = wrap(ends[0], ssl.PROTOCOL_TLS_CLIENT, False)
    server.join()
    return near, far[0]


async def slow_secure_sender():
    near, far = secure_pair()
    await asyncio.sleep(0)
    later(far.send, b"x")
    return near, far


async def full_secure_stream():
    near, far = secure_pair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    await asyncio.sleep(0)

    def drain():
        with contextlib.suppress(OSError):
            while far.recv(65536):
                pass

    later(drain)
    return near, far


@case("ssl.SSLSocket.read", "a peer that is slow to write")
async def ssl_read():
    near, far = await slow_secure_sender()
    here(); near.read(1)


@case("ssl.SSLSocket.recv", "a peer that is slow to write")
async def ssl_recv():
    near, far = await slow_secure_sender()
    here(); near.recv(1)


@case("ssl.SSLSocket.write", "a peer that is slow to read")
async def ssl_write():
    near, far = await full_secure_stream()
    here(); near.write(b"x" * 1000000)
    near.close()


@case("ssl.SSLSocket.send", "a peer that is slow to read")
async def ssl_send():
    near, far = await full_secure_stream()
    here(); near.send(b"x" * 1000000)
    near.close()

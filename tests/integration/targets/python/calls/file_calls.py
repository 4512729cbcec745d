"""Calls that wait for a file system."""

import io
import os
import socket

from waiting import BACKING, SLOW, file_case, here, path, slow


@file_case("os.access", "check access")
async def os_access():
    name = path()
    with slow("access"):
        here(); os.access(name, os.R_OK)


@file_case("os.getcwd", "open a folder (the path is longer than the kernel tells)")
async def os_getcwd():
    start = os.open(".", os.O_RDONLY)
    part = "d" * 200
    depth = (4096 - len(SLOW)) // (len(part) + 1) + 1
    os.chdir(SLOW)
    for _ in range(depth):
        os.mkdir(part)
        os.chdir(part)
    # Python asks again and again, with more room; what is slow is the last step of the last time.
    with slow("opendir", 2, "/" + part):
        here(); os.getcwd()
    for _ in range(depth):
        os.chdir("..")
        os.rmdir(part)
    os.chdir(start)
    os.close(start)


@file_case("os.link", "link")
async def os_link():
    name = path()
    with slow("link"):
        here(); os.link(name, name + "-linked")
    os.unlink(name + "-linked")


@file_case("os.listdir", "read a folder")
async def os_listdir():
    with slow("readdir"):
        here(); os.listdir(SLOW)


@file_case("os.mkdir", "make a folder")
async def os_mkdir():
    with slow("mkdir"):
        here(); os.mkdir(SLOW + "/made")
    os.rmdir(SLOW + "/made")


@file_case("os.open", "open")
async def os_open():
    name = path()
    with slow("open"):
        here(); fd = os.open(name, os.O_RDONLY)
    os.close(fd)


@file_case("os.fsync", "write back")
async def os_fsync():
    fd = os.open(path(), os.O_WRONLY)
    with slow("fsync"):
        here(); os.fsync(fd)
    os.close(fd)


@file_case("os.read", "read")
async def os_read():
    fd = os.open(path(), os.O_RDONLY)
    with slow("read"):
        here(); os.read(fd, 10)
    os.close(fd)


@file_case("os.readlink", "read a link")
async def os_readlink():
    os.symlink("there", BACKING + "/link")
    with slow("readlink"):
        here(); os.readlink(SLOW + "/link")
    os.unlink(BACKING + "/link")


@file_case("os.remove", "remove")
async def os_remove():
    name = path()
    with slow("unlink"):
        here(); os.remove(name)


@file_case("os.rename", "rename")
async def os_rename():
    name = path()
    with slow("rename"):
        here(); os.rename(name, name + "-renamed")


@file_case("os.replace", "rename")
async def os_replace():
    name = path()
    with slow("rename"):
        here(); os.replace(name, name + "-replaced")


@file_case("os.rmdir", "remove a folder")
async def os_rmdir():
    os.mkdir(BACKING + "/made")
    with slow("rmdir"):
        here(); os.rmdir(SLOW + "/made")


@file_case("os.scandir", "open a folder")
async def os_scandir():
    with slow("opendir"):
        here(); entries = os.scandir(SLOW)
    entries.close()


@file_case("os.sendfile", "read")
async def os_sendfile():
    near, far = socket.socketpair()
    fd = os.open(path(), os.O_RDONLY)
    with slow("read"):
        here(); os.sendfile(near.fileno(), fd, 0, 100)
    os.close(fd)


@file_case("os.stat", "tell a file's properties")
async def os_stat():
    name = path()
    with slow("getattr"):
        here(); os.stat(name)


@file_case("os.statvfs", "tell its own properties")
async def os_statvfs():
    with slow("statfs"):
        here(); os.statvfs(SLOW)


@file_case("os.symlink", "make a link")
async def os_symlink():
    with slow("symlink"):
        here(); os.symlink("there", SLOW + "/link")
    os.unlink(SLOW + "/link")


@file_case("os.unlink", "remove")
async def os_unlink():
    name = path()
    with slow("unlink"):
        here(); os.unlink(name)


@file_case("os.write", "write")
async def os_write():
    fd = os.open(path(), os.O_WRONLY)
    with slow("write"):
        here(); os.write(fd, b"text")
    os.close(fd)


@file_case("open", "open")
async def io_open():
    name = path()
    with slow("open"):
        here(); file = open(name)
    file.close()


@file_case("io.BufferedReader.read", "read")
async def buffered_reader_read():
    with open(path(), "rb") as file:
        assert isinstance(file, io.BufferedReader)
        with slow("read"):
            here(); file.read(10)


@file_case("io.BufferedWriter.write", "write")
async def buffered_writer_write():
    with open(path(), "wb") as file:
        assert isinstance(file, io.BufferedWriter)
        with slow("write"):
            here(); file.write(b"x" * 20000)


@file_case("io.BufferedRandom.read", "read")
async def buffered_random_read():
    with open(path(), "r+b") as file:
        assert isinstance(file, io.BufferedRandom)
        with slow("read"):
            here(); file.read(10)


@file_case("io.BufferedRandom.write", "write")
async def buffered_random_write():
    with open(path(), "r+b") as file:
        with slow("write"):
            here(); file.write(b"x" * 20000)


@file_case("io.TextIOWrapper.read", "read")
async def text_read():
    with open(path()) as file:
        with slow("read"):
            here(); file.read(10)


@file_case("io.TextIOWrapper.write", "write")
async def text_write():
    with open(path(), "w") as file:
        with slow("write"):
            here(); file.write("x" * 20000)

"""A loop whose handlers block it, one after the other, each within other Python.

The arguments name the cases. For each it prints "expected {JSON}": the case, and the frames that
Python itself saw when the loop was blocked, innermost first, each [function, file, line].
"""

import asyncio
import ctypes
import functools
import json
import re
import sys
import tempfile
import threading
import time
import zipfile

seen = []


def note(frame):
    seen.clear()
    while frame is not None:
        code = frame.f_code
        seen.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
        frame = frame.f_back


def block():
    note(sys._getframe()); time.sleep(0.25)


def plain():
    block()


def by_sorted():
    sorted([2, 1], key=lambda value: (block() or 0) if value == 2 else value)


def by_json():
    json.loads('{"a": {}}', object_hook=lambda value: value or block())


def by_re():
    re.sub("a", lambda match: block() or "", "a")


def by_partial():
    functools.partial(functools.partial(block))()


def by_ctypes():
    libc = ctypes.CDLL(None)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    libc.qsort((ctypes.c_int * 2)(2, 1), 2, 4, kind(lambda a, b: block() or 0))


def by_generator():
    def numbers():
        yield 1
        yield block()

    list(numbers())


async def by_await(depth=5):
    if depth == 0:
        block()
    else:
        await by_await(depth - 1)


async def by_async_generator():
    async def numbers():
        yield 1
        block()
        yield 2

    async for _ in numbers():
        pass


def by_exec():
    exec("def made():\n\n    block()\n\nmade()", {"block": block})


def größe_überprüfen():
    class Größe:
        def 測る(self):
            block()

    Größe().測る()


def by_zipimport():
    with tempfile.TemporaryDirectory() as folder:
        archive = folder + "/archive.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("zipped.py", "\ndef call(function):\n    function()\n")
        sys.path.insert(0, archive)
        import zipped

        zipped.call(block)
        sys.path.remove(archive)


def by_long_function():
    lines = ["def long(x):"] + ["    x = x + 1"] * 3000 + ["    block()"]
    names = {"block": block}
    exec(compile("\n".join(lines), "long.py", "exec"), names)
    names["long"](0)


def by_recursion(depth=900):
    if depth == 0:
        block()
    else:
        by_recursion(depth - 1)


CASES = {
    function.__name__: function
    for function in (
        plain,
        by_sorted,
        by_json,
        by_re,
        by_partial,
        by_ctypes,
        by_generator,
        by_await,
        by_async_generator,
        by_exec,
        größe_überprüfen,
        by_zipimport,
        by_long_function,
        by_recursion,
    )
}


async def main(names):
    for name in names:
        for _ in range(3):
            await asyncio.sleep(0.02)
        blocked = CASES[name]()
        if asyncio.iscoroutine(blocked):
            await blocked
        print("expected", json.dumps({"case": name, "frames": seen}), flush=True)
    for _ in range(3):
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    if sys.argv[1:2] == ["in_thread"]:
        thread = threading.Thread(target=lambda: asyncio.run(main(sys.argv[2:])))
        thread.start()
        thread.join()
    else:
        asyncio.run(main(sys.argv[1:] or CASES))

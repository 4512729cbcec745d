"""Threads that stand still in stacks of all kinds, and what Python itself says of them.

Prints one line of JSON: for each thread its id and frames, innermost first, each [name, file, line].
Ends when its standard input does.
"""

import functools
import json
import sys
import threading
import time

gate = threading.Lock()
gate.acquire()
standing = threading.Semaphore(0)


def stand():
    standing.release()
    gate.acquire()


def through_sorted():
    return sorted([2, 1], key=lambda value: stand() if value == 2 else value)


class Handler:
    def on_event(self, after):
        return functools.partial(self.really, after)()

    def really(self, after):
        return [after() for _ in range(1)]


def numbers(after):
    yield after()


async def leaf(after):
    after()


async def awaits(depth, after):
    if depth == 0:
        await leaf(after)
    else:
        await awaits(depth - 1, after)


def coroutine():
    try:
        awaits(5, through_sorted).send(None)
    except StopIteration:
        pass


def größe_überprüfen():
    def 名前(after):
        next(numbers(after))

    名前(stand)


def from_string():
    code = "\n\ndef made(after):\n    # a line\n    after()\n\nmade(stand)\n"
    exec(compile(code, "<string>", "exec"), {"stand": stand})


def from_odd_files():
    exec(compile("stand()", "/tmp/\udc80\u0416\U0001f600.py", "exec"), {"stand": stand})


def recursive(depth):
    if depth == 0:
        stand()
    else:
        recursive(depth - 1)


def very_long():
    lines = ["def very_long(x):"] + ["    x = (x +\n      1)"] * 1500 + ["    stand()"]
    names = {"stand": stand}
    exec(compile("\n".join(lines), "very_long.py", "exec"), names)
    names["very_long"](0)


def several_lines():
    stand(
        *[
            value
            for value in ()
        ]
    )


def in_class_body():
    class Body:
        Handler().on_event(stand)


def seventeen_frames():
    # Each of a function of its own; three more are of the thread.
    names = {"stand": stand}
    for i in range(12):
        called = f"function_{i - 1}()" if i else "stand()"
        exec(compile(f"def function_{i}():\n    {called}", f"module_{i}.py", "exec"), names)
    names["function_11"]()


def main():
    # A thread's name, and where it ends up.
    bodies = [
        through_sorted,
        coroutine,
        größe_überprüfen,
        from_string,
        from_odd_files,
        functools.partial(recursive, 900),
        very_long,
        several_lines,
        in_class_body,
        seventeen_frames,
    ]
    threads = [threading.Thread(target=body, daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for _ in threads:
        standing.acquire()

    def say():
        standing.acquire()
        time.sleep(0.2)  # until the main thread stands in its read
        stacks = []
        for thread in threads + [threading.main_thread()]:
            frame = sys._current_frames()[thread.ident]
            frames = []
            while frame is not None:
                code = frame.f_code
                name = getattr(code, "co_qualname", code.co_name)
                file = code.co_filename.encode("utf-8", "surrogateescape").hex()
                frames.append([name, file, frame.f_lineno])
                frame = frame.f_back
            stacks.append({"tid": thread.native_id, "frames": frames})
        print(json.dumps(stacks), flush=True)

    threading.Thread(target=say, daemon=True).start()
    standing.release()
    sys.stdin.buffer.raw.read(1)


if __name__ == "__main__":
    main()

"""What the calls need that are made to wait; the command line is that of blocking_calls.py."""

import contextlib
import os
import sys
import threading
import time

HELD = 0.25
FOLDER, SLOW, BACKING = sys.argv[1:4]
CASES = []
blamed = []


def here():
    frame = sys._getframe(1)
    blamed[:] = [frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno]


def case(call, waits_for):
    def add(function):
        CASES.append((call, waits_for, function))
        return function

    return add


def file_case(call, operation):
    return case(call, f"a file system that is slow to {operation}")


@contextlib.contextmanager
def slow(operation, seconds=HELD, path=""):
    with open(BACKING + "/.slow", "w") as file:
        file.write(f"{operation} {int(seconds * 1000)} {path}")
    yield
    assert not os.path.exists(BACKING + "/.slow"), f"there was no {operation}"


def later(action, *arguments):
    threading.Thread(target=lambda: (time.sleep(HELD), action(*arguments))).start()


def path(name="file", content=b"x" * 100):
    """A new file in the slow file system."""
    with open(BACKING + "/" + name, "wb") as file:
        file.write(content)
    return SLOW + "/" + name

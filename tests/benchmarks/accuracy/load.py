"""Load on the machine: processes that compute, and one that writes to the disk."""

import os
import signal
import subprocess

_WRITE = "while :; do dd if=/dev/zero of=\"$1\" bs=1M count=64 conv=fsync 2>/dev/null; done"


class Overload:
    """Twice as many busy processes as there are CPUs, and a disk writer, within `with`."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = []

    def __enter__(self):
        for _ in range(2 * os.cpu_count()):
            self._start(["/bin/sh", "-c", "while :; do :; done"])
        self._start(["/bin/sh", "-c", _WRITE, "sh", os.path.join(self.directory, "written")])
        return self

    def _start(self, command):
        self.processes.append(subprocess.Popen(command, start_new_session=True))

    def __exit__(self, *_):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def words():
    return f"{2 * os.cpu_count()} busy processes of the same priority and a disk writer"

"""Runs one command to its end, with everything that it starts, and says how it ended.

A program of its own, so that each run has a reaper to itself: what the command leaves behind
becomes this process's child and is found here, whatever session or process group it moved to.

    supervise.py REQUEST.json    (written by supervised_run; the answer goes to standard output)
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36
LEFTOVERS_GRACE_S = 2.0
OBSERVER_GRACE_S = 30.0


@dataclass
class Run:
    status: int  # exit status, or minus the signal's number
    timed_out: bool
    seconds: float
    leftovers: list  # command lines of processes that the command left behind and that were ended
    observer_stuck: bool  # an observer outlived everything it could observe


def supervised_run(command, directory, environment, limit_s, output, observer, user=None):
    """Runs `command`. `observer` is the path of Tailback's binary, whose processes may outlive the
    command; `user` a user id to run as, or None for our own."""
    request = os.path.join(os.path.dirname(output), os.path.basename(output) + ".request")
    with open(request, "w", encoding="utf-8") as file:
        json.dump({"command": command, "directory": directory, "environment": environment,
                   "limit_s": limit_s, "output": output, "observer": os.path.realpath(observer),
                   "user": user}, file)
    answer = subprocess.run([sys.executable, __file__, request], stdout=subprocess.PIPE, check=True)
    return Run(**json.loads(answer.stdout))


def parents():
    """Process id → parent's id, of every process."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            found[int(name)] = int(fields[1])
    return found


def descendants():
    parent_of = parents()
    found = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in parent_of.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found - {os.getpid()}


def is_observer(pid, observer):
    try:
        return os.readlink(f"/proc/{pid}/exe") == observer
    except OSError:
        return False


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()[:120]
    except OSError:
        return "?"


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Supervisor:
    def __init__(self, request):
        self.observer = request["observer"]
        self.status = None
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        identity = {}
        if request["user"] is not None:
            identity = {"user": request["user"], "group": request["user"], "extra_groups": []}
        with open(request["output"], "wb") as output:
            self.process = subprocess.Popen(
                request["command"], cwd=request["directory"], env=request["environment"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, **identity)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.process.pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.process.returncode = self.status

    def wait(self, done, limit_s):
        deadline = time.monotonic() + limit_s
        while True:
            self.reap()
            if done():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)

    def targets(self):
        return {pid for pid in descendants() if not is_observer(pid, self.observer)}

    def observers(self):
        return {pid for pid in descendants() if is_observer(pid, self.observer)}

    def run(self, limit_s):
        begun = time.monotonic()
        ended = self.wait(lambda: self.status is not None, limit_s)
        seconds = time.monotonic() - begun
        if not ended:
            # The launcher is an observer and ends as its command does.
            self.wait(lambda: kill(self.targets()) or self.status is not None, OBSERVER_GRACE_S)
        self.wait(lambda: not self.targets(), LEFTOVERS_GRACE_S)
        left = self.targets()
        leftovers = [command_line(pid) for pid in left]
        self.wait(lambda: kill(self.targets()) or not self.targets(), LEFTOVERS_GRACE_S)
        stuck = not self.wait(lambda: not self.observers(), OBSERVER_GRACE_S)
        kill(descendants())
        self.wait(lambda: self.status is not None, OBSERVER_GRACE_S)
        return Run(self.status, not ended, seconds, leftovers, stuck)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    os.unlink(sys.argv[1])
    json.dump(Supervisor(request).run(request["limit_s"]).__dict__, sys.stdout)


if __name__ == "__main__":
    main()

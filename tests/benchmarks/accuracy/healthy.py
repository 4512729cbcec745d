"""Runs healthy programs under load, watched: of none of them may anything be reported."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

import watched
from programs import other, web
from programs.program import PYTHON, Room

PROGRAMS = web.PROGRAMS + other.PROGRAMS
START_S = 20
END_S = 20
# Where Debian keeps servers.
PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


@dataclass
class Result:
    name: str
    version: str
    load: str
    seconds: float
    iterations: int = 0
    reports: int = 0
    starved: int = 0  # of an iteration that had no CPU: the machine's doing, and no part of `reports`
    told: list = field(default_factory=list)


def lacking(program):
    """What it needs and is not there, or None."""
    for need in program.needs:
        if need.startswith("module:"):
            code = f"import importlib.util as u; raise SystemExit(u.find_spec({need[7:]!r}) is None)"
            if subprocess.run([PYTHON, "-c", code], check=False, stderr=subprocess.DEVNULL).returncode:
                return "python3-" + need[7:]
        elif not shutil.which(need, path=PATH):
            return need
    return None


def version_of(program):
    run = subprocess.run(program.version, capture_output=True, text=True, check=False,
                         env=environment())
    return version_in(run.stdout + run.stderr)


def version_in(text):
    found = re.search(r"\d+(\.\d+)+[a-z]?\d*", text)
    return found.group(0) if found else "?"


def environment():
    return os.environ | {"PATH": PATH}


class Running:
    """Processes in a directory, each the leader of a session of its own; ended with `with`."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = []

    def __enter__(self):
        return self

    def start(self, command, name):
        with open(os.path.join(self.directory, name + ".out"), "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, cwd=self.directory, env=environment(),
                                       start_new_session=True)
        self.processes.append(process)
        return process

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)


def end(process):
    """Asks it to end, as a terminal or an init would; then makes it."""
    for signal_number, patience in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
        if process.poll() is None:
            process.send_signal(signal_number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_for_port(port, process):
    """Whether something listens there before the process ends or time is up."""
    limit = time.monotonic() + START_S
    while time.monotonic() < limit and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def run_one(tailback, directory, program, seconds):
    # Short: sockets are made in it, whose paths are limited to 108 bytes.
    os.makedirs(directory)
    os.chmod(directory, 0o755)
    room = Room(directory, seconds, tailback.build)
    recording = room.path("recording.jsonl")
    with Running(directory) as running:
        for at, command in enumerate(program.helpers(room)):
            helper = running.start(command, f"helper-{at}")
            if not wait_for_port(room.backend, helper):
                raise watched.WatchError(f"{program.name}: {command[0]} did not start: "
                                         f"{output_of(directory, f'helper-{at}')}")
        target = running.start(tailback.command(recording, program.command(room)), "target")
        begin = time.monotonic()
        if program.is_client:
            target.wait(seconds + START_S + END_S)
        else:
            if program.is_udp:
                time.sleep(1)
            elif not wait_for_port(room.port, target):
                raise watched.WatchError(f"{program.name} did not start: "
                                         f"{output_of(directory, 'target')}")
            begin = time.monotonic()
            loads = [running.start(command, f"load-{at}")
                     for at, command in enumerate(program.loads(room))]
            for at, load in enumerate(loads):
                if load.wait(seconds + START_S) not in (0, 128 + signal.SIGINT, -signal.SIGINT):
                    raise watched.WatchError(f"{program.name}: its load failed: "
                                             f"{output_of(directory, f'load-{at}')}")
            if target.poll() is not None:
                raise watched.WatchError(f"{program.name} ended under its load: "
                                         f"{output_of(directory, 'target')}")
        spent = time.monotonic() - begin
        end(target)
    return judge(program, spent, watched.read_recording(recording))


def output_of(directory, name):
    try:
        with open(os.path.join(directory, name + ".out"), encoding="utf-8",
                  errors="replace") as file:
            return " / ".join(file.read().split("\n")[-4:]).strip(" /") or "it said nothing"
    except OSError:
        return "it said nothing"


def judge(program, seconds, lines):
    result = Result(program.name, version_of(program), program.load, seconds)
    for line in lines:
        if line["type"] == "stall" and line["state"] != "ongoing":
            if line["cause"] in ("run-queue-wait", "throttled"):
                result.starved += 1
                continue
            result.reports += 1
            result.told.append(f"{line['cause']} {line['duration_ms']} ms "
                               f"in {line['call']['function'] if line['call'] else 'no call'}")
        elif line["type"] == "end":
            result.iterations = sum(loop["iterations"] for loop in line["loops"])
    return result


def run_all(tailback, directory, seconds, only=None):
    """Results of those that are installed, and a line for each that is not."""
    results, skipped = [], []
    for at, program in enumerate(PROGRAMS):
        if only and program.name not in only:
            continue
        need = lacking(program)
        if need:
            skipped.append(f"{program.name} ({need} is not installed)")
            continue
        try:
            result = run_one(tailback, os.path.join(directory, f"h{at}"), program, seconds)
        except (watched.WatchError, subprocess.TimeoutExpired) as error:
            skipped.append(str(error))
            print(f"healthy: {error}", flush=True)
            continue
        results.append(result)
        print(f"healthy: {result.name} {result.version}: {result.iterations:,} iterations, {result.reports} "
              f"reports{''.join('; ' + told for told in result.told)}"
              f"{f', {result.starved} without a CPU' if result.starved else ''}", flush=True)
    return results, skipped

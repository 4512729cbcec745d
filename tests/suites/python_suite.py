"""CPython's own tests, as Debian ships them: one unit per test module."""

import os
import shutil
import subprocess

import debian
import outcomes
from unit import Unit, read_text

PACKAGE = "libpython3.11-testsuite"
PYTHON = "/usr/bin/python3.11"
DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "regrtest_with_events.py")

MODULES = (
    "test_select", "test_selectors", "test_poll", "test_epoll", "test_fork1", "test_wait3",
    "test_wait4", "test_thread", "test_threadsignals", "test_time", "test_signal",
    "test_posix", "test_os", "test_pty", "test_fcntl", "test_queue", "test_threading",
    "test_subprocess", "test_socket", "test_socketserver", "test_faulthandler", "test_asyncio",
    "test_concurrent_futures", "test_multiprocessing_fork", "test_multiprocessing_spawn",
    "test_multiprocessing_forkserver",
)

# What regrtest has to be told that is there: here, loopback is all that "network" needs.
RESOURCES = {"test_socketserver": "network"}

# These talk to the host of the virtual machine, and wait for ever for one that does not answer.
IGNORED = {"test_socket": ("*VSOCK*",)}

# The quick part: what starts, forks, signals and waits, without the cases that take seconds.
QUICK = {
    "test_select": None,
    "test_selectors": ("*.EpollSelectorTestCase.*",),
    "test_fork1": ("*import_lock*",),
    "test_time": ("*.TimeTestCase.*",),
    "test_signal": ("*.PosixTests.*", "*.WakeupSignalTests.*",
                    "*.PendingSignalsTests.test_pthread*", "*.PendingSignalsTests.test_sigpending*",
                    "*.StressTest.test_stress_delivery_simultaneous"),
    "test_threading": ("*.ThreadJoinOnShutdown.*", "*.SubinterpThreadingTests.*"),
    "test_subprocess": ("*.POSIXProcessTestCase.test_call*", "*.POSIXProcessTestCase.test_close*",
                        "*.POSIXProcessTestCase.test_preexec*", "*.ProcessTestCase.test_wait*",
                        "*.ProcessTestCase.test_communicate_std*", "*.ProcessTestCase.test_poll*",
                        "*.RunFuncTestCase.test_run*"),
    "test_asyncio": ("*.UnixEventLoopTests.*", "*.SubprocessFastWatcherTests.*",
                     "*.EPollEventLoopTests.test_run*", "*.EPollEventLoopTests.test_call*"),
}


class PythonModule(Unit):
    # Above regrtest's own limit per module, which prints every thread's stack.
    limit_s = 660.0
    regrtest_limit_s = 600

    def __init__(self, module, patterns=None):
        self.suite = module
        self.name = module
        self.patterns = patterns

    def version(self, work):
        return f"CPython {debian.version(PACKAGE)} (Debian's {PACKAGE})"

    def environment(self, directory):
        return {"PYTHONDONTWRITEBYTECODE": "1"}

    def events(self, directory):
        return os.path.join(os.path.dirname(directory), "events")

    def command(self, directory, cases):
        command = [PYTHON, DRIVER, self.events(directory), f"--timeout={self.regrtest_limit_s}"]
        if self.name in RESOURCES:
            command.append(f"--use={RESOURCES[self.name]}")
        for pattern in IGNORED.get(self.name, ()):
            command += ["--ignore", pattern]
        for pattern in cases or self.patterns or ():
            command += ["--match", pattern]
        return [*command, self.name]

    def outcomes(self, run, directory, output):
        return outcomes.from_events(read_text(self.events(directory)).splitlines(), run)


def units(quick):
    if quick:
        return [PythonModule(module, patterns) for module, patterns in QUICK.items()]
    return [PythonModule(module) for module in MODULES]


def missing():
    """One line that says what the suite lacks here, or None."""
    if not os.path.exists(PYTHON) or shutil.which("dpkg-query") is None:
        return f"CPython's suite needs Debian's {PYTHON}"
    present = subprocess.run([PYTHON, "-c", "import test.test_select"], stderr=subprocess.DEVNULL,
                             check=False)
    return None if present.returncode == 0 else f"CPython's suite needs the package {PACKAGE}"


"""CPython's own regrtest, which also appends to a file what becomes of each test case, as it
happens: a run that crashes or hangs still tells how far it came.

    regrtest_with_events.py EVENTS_FILE [regrtest's arguments…]

Each event opens and closes the file, for some tests close every descriptor they find.
"""

import os
import sys


def install(events_file):
    from test.support import testresult

    first_process = os.getpid()

    class EventResult(testresult.RegressionTestResult):
        def event(self, word, test):
            if os.getpid() != first_process:  # a child that a test forked and that ran on
                return
            case = test.id() if hasattr(test, "id") else str(test)
            line = f"{word} {case}\n".encode("utf-8", "backslashreplace").replace(b"\r", b"?")
            fd = os.open(events_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(fd, line)
            finally:
                os.close(fd)

        def startTest(self, test):
            self.event("start", test)
            super().startTest(test)

        def stopTest(self, test):
            super().stopTest(test)
            self.event("stop", test)

        def addSuccess(self, test):
            self.event("passed", test)
            super().addSuccess(test)

        def addExpectedFailure(self, test, error):
            self.event("passed", test)
            super().addExpectedFailure(test, error)

        def addSkip(self, test, reason):
            self.event("skipped", test)
            super().addSkip(test, reason)

        def addError(self, test, error):
            self.event("failed", test)
            super().addError(test, error)

        def addFailure(self, test, error):
            self.event("failed", test)
            super().addFailure(test, error)

        def addUnexpectedSuccess(self, test):
            self.event("failed", test)
            super().addUnexpectedSuccess(test)

        def addSubTest(self, test, subtest, error):
            if error is not None:
                self.event("failed", test)
            super().addSubTest(test, subtest, error)

    testresult.RegressionTestResult = EventResult


if __name__ == "__main__":
    del sys.path[0]  # this folder: its names are none of the tests' business
    install(os.path.abspath(sys.argv[1]))
    del sys.argv[1]
    from test.libregrtest import main

    main()

"""libuv's own tests, built from Debian's source package in a private directory. One unit: libuv's
runner starts a process for every test, and the tests use fixed ports, so they run one by one.
"""

import glob
import os
import shutil
import subprocess

import outcomes
from unit import Unit, read_text

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = "".join(
    f"deb-src [signed-by={KEYRING}] http://deb.debian.org/{archive} main\n"
    for archive in ("debian bookworm", "debian-security bookworm-security"))
NOBODY = 65534  # the suite refuses to run as root


class LibuvSuite(Unit):
    suite = "libuv"
    name = "libuv"
    limit_s = 600.0

    def __init__(self, work):
        self.work = os.path.join(work, "libuv")
        self.user = NOBODY if os.geteuid() == 0 else None

    def source(self):
        found = sorted(glob.glob(os.path.join(self.work, "libuv1-*/")))
        return found[-1] if found else None

    def runner(self):
        return os.path.join(self.work, "build", "uv_run_tests")

    def fetch_and_build(self):
        """Takes the source through apt without touching the machine's apt configuration."""
        os.makedirs(os.path.join(self.work, "lists", "partial"), exist_ok=True)
        if not os.path.exists(self.runner()):
            source_list = os.path.join(self.work, "deb-src.list")
            with open(source_list, "w", encoding="utf-8") as file:
                file.write(SOURCES)
            apt = ["apt-get", "--quiet=2", "-o", f"Dir::Etc::SourceList={source_list}",
                   "-o", "Dir::Etc::SourceParts=-", "-o", f"Dir::State::Lists={self.work}/lists",
                   "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
                   "-o", "APT::Sandbox::User="]
            self.step([*apt, "update"])
            self.step([*apt, "source", "libuv1"])
            self.step(["cmake", "-S", self.source(), "-B", "build", "-G", "Ninja",
                       "-DCMAKE_BUILD_TYPE=RelWithDebInfo"])
            self.step(["cmake", "--build", "build", "-j2", "--target", "uv_run_tests"])

    def step(self, command):
        done = subprocess.run(command, cwd=self.work, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if done.returncode != 0:
            last = done.stdout.strip().splitlines()[-1:] or ["no output"]
            raise RuntimeError(f"libuv's suite can't be built: {' '.join(command[:2])}…: {last[0]}")

    def version(self, work):
        described = glob.glob(os.path.join(self.work, "libuv1_*.dsc"))
        version = os.path.basename(described[0]).removeprefix("libuv1_").removesuffix(".dsc")
        return f"libuv {version} (Debian's source package)"

    def prepare(self, directory):
        os.makedirs(os.path.join(directory, "test"))
        shutil.copytree(os.path.join(self.source(), "test", "fixtures"),
                        os.path.join(directory, "test", "fixtures"))

    def environment(self, directory):
        # As in Debian's own build of the package.
        return {"RES_OPTIONS": "attempts:0", "UV_TEST_TIMEOUT_MULTIPLIER": "2"}

    def command(self, directory, cases):
        if cases is None:
            return [self.runner()]
        one_by_one = 'for test in "$@"; do "$0" "$test"; done'
        return ["/bin/sh", "-c", one_by_one, self.runner(), *cases]

    def outcomes(self, run, directory, output):
        return outcomes.from_tap(read_text(output), run)


def missing(work):
    """One line that says what the suite lacks here, or None."""
    needed = [tool for tool, program in (("cmake", "cmake"), ("ninja-build", "ninja"),
                                         ("gcc", "cc"), ("dpkg-dev", "dpkg-source"))
              if shutil.which(program) is None]
    if needed:
        return f"libuv's suite needs the packages {' '.join(needed)}"
    if os.geteuid() == 0 and not reachable_by_all(work):
        return f"libuv's suite does not run as root, and other users can't reach {work}"
    return None


def reachable_by_all(path):
    path = os.path.realpath(path)
    while path != "/":
        if os.path.exists(path) and not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


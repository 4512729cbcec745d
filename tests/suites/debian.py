"""What dpkg knows of the packages that bring the suites."""

import subprocess


def version(package):
    """The installed version, or None."""
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", package],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    status, _, installed = answer.stdout.partition(" ")
    return installed if status == "installed" else None

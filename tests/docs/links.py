"""Links, paths, options and variables that the documents name: whether they are there.

  links.py [--tailback PROGRAM]    exit status 1 if one is not"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import changelog

TOP = Path(__file__).resolve().parents[2]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:instrument|runtime|tests|demos|docs)/[\w./-]+)`")
OPTION = re.compile(r"`(--[a-z][a-z-]*)(?=[ =`])")
VARIABLE = re.compile(r"\bTAILBACK_[A-Z_]+\b")

# Options of other programs, and variables that no option stands for.
OTHER_OPTIONS = {"--build", "--record-observations", "--help-markdown", "--json", "--cap-add", "--security-opt", "--pid", "--prefix", "--release",
                 "--target", "--perf-basic-prof", "--user", "--privileged"}
OTHER_VARIABLES = {"TAILBACK_SESSION", "TAILBACK_WRITE", "TAILBACK_BUILD_TESTS",
                   "TAILBACK_BUILD_DEMOS", "TAILBACK_SANITIZE", "TAILBACK_COVERAGE",
                   "TAILBACK_WARNINGS_AS_ERRORS", "TAILBACK_BUILD_ANALYZED"}

README_LINES = 130


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors_of(text):
    """As GitHub makes them from headings."""
    anchors = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchors.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return anchors


def broken_links(page, text, top=TOP):
    for match in LINK.finditer(without_code(text)):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists():
            yield f"{page.relative_to(top)}: {target}: there is no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors_of(file.read_text()):
            yield f"{page.relative_to(top)}: {target}: there is no such heading"


def broken_paths(page, text, top=TOP):
    for path in PATH.findall(without_code(text)):
        if not (top / path).exists():
            yield f"{page.relative_to(top)}: `{path}`: there is no such file"


def unknown_names(page, text, options, variables, top=TOP):
    for option in OPTION.findall(without_code(text)):
        if option not in options | OTHER_OPTIONS:
            yield f"{page.relative_to(top)}: `{option}`: there is no such option"
    for variable in set(VARIABLE.findall(text)):
        if variable not in variables | OTHER_VARIABLES:
            yield f"{page.relative_to(top)}: {variable}: there is no such variable"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--tailback")
    given = arguments.parse_args()

    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=TOP,
                            stdout=subprocess.PIPE, text=True)
    pages = sorted(TOP / name for name in listed.stdout.split()) if listed.returncode == 0 else []
    pages = [page for page in pages if page.exists()] or [
        *TOP.glob("*.md"), *(TOP / "docs").glob("*.md"), *(TOP / "demos").glob("*.md")]
    names = changelog.present_names(given.tailback) if given.tailback else None
    faults = []
    for page in pages:
        text = page.read_text()
        faults += broken_links(page, text)
        if page.name == "CHANGELOG.md" or page.is_relative_to(TOP / "tests"):
            continue  # one names what is gone, the others are results
        faults += broken_paths(page, text)
        if names:
            options = {name for name in names if name.startswith("--")} | {"--version"}
            variables = {name for name in names if name.startswith("TAILBACK_")}
            faults += unknown_names(page, text, options, variables)
    lines = len((TOP / "README.md").read_text().splitlines())
    if lines > README_LINES:
        faults.append(f"README.md: {lines} lines, of {README_LINES} at most; docs/ has room")
    print("\n".join(faults))
    print(f"{len(pages)} pages, {len(faults)} faults")
    return 1 if faults or not pages else 0


if __name__ == "__main__":
    sys.exit(main())

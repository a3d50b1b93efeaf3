# SPDX-License-Identifier: GPL-2.0
"""What the checks of our source share: which files are ours, and how C is taken apart."""

import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", re.S)


def ours(*suffixes):
    """The files of the checkout with one of the @suffixes, relative to it."""
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "-co", "--exclude-standard"],
                         check=True, stdout=subprocess.PIPE).stdout
    paths = [os.fsdecode(p) for p in out.split(b"\0") if p]
    return sorted(p for p in paths if p.endswith(suffixes) and os.path.isfile(f"{TOP}/{p}"))


def text(path):
    """The text of a file of ours."""
    with open(f"{TOP}/{path}", encoding="utf-8", errors="replace") as f:
        return f.read()


def blank(match):
    """White space that keeps the lines."""
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(source):
    """C without its comments; lines and strings stay."""
    return COMMENT.sub(lambda m: m.group() if m.group()[0] == '"' else blank(m), source)


def comments(source):
    """(line, text) of each comment in C."""
    for m in COMMENT.finditer(source):
        if m.group()[0] != '"':
            yield source.count("\n", 0, m.start()) + 1, m.group()


def report(findings):
    """Prints the findings; the exit status says whether there were any."""
    print("\n".join(findings))
    sys.exit(1 if findings else 0)

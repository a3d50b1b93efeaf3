#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""budgets.py: checks the sizes of our files, and of the functions in our C."""

import re

from source import ours, report, text

FILE_LINES = 800
# A page has all that its reader needs, and a program includes one header.
PAGE_LINES = 1400
FUNCTION_LINES = 60
SUFFIXES = (".c", ".h", ".py", ".sh", ".rst", ".md", ".config")
# A function's body is what a brace in the first column opens, in kernel style.
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][^\n;{}=]*\([^;{}]*\)[^\n;{}=]*)\n\{\n(?P<body>.*?)^\}",
                      re.M | re.S)
NAME = re.compile(r"(\w+)\s*\(")


def functions(source):
    """(line, name, lines) of each function in C, its head counted."""
    for m in FUNCTION.finditer(source):
        name = NAME.search(m["head"])
        yield (source.count("\n", 0, m.start()) + 1, name[1] if name else "?",
               m.group().count("\n") + 1)


def main():
    """Checks all of it."""
    findings = []
    for path in ours(*SUFFIXES):
        source = text(path)
        lines = source.count("\n")
        page = path.endswith(".rst") or path.startswith("include/uapi/")
        most = PAGE_LINES if page else FILE_LINES
        if lines > most:
            findings.append(f"{path}:1: {lines} lines; {most} at most")
        if not path.endswith((".c", ".h")):
            continue
        for line, name, length in functions(source):
            if length > FUNCTION_LINES:
                findings.append(f"{path}:{line}: {name}() has {length} lines; "
                                f"{FUNCTION_LINES} at most")
    report(findings)


if __name__ == "__main__":
    main()

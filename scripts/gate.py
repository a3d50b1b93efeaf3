#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""gate.py: rules of our kernel C that no compiler knows.

A function undoes its steps by scope (guard, CLASS, __free) or by goto, never by both. What depends
on the configuration is in headers and makefiles. A function that ends in _locked asserts its lock.
Nobody floods the log: what the core says to people is rate-limited or said once.
"""

import re

from budgets import functions
from source import ours, report, text, without_comments

SCOPED = re.compile(r"\b(guard|scoped_guard|scoped_cond_guard|CLASS|__free)\s*\(")
GOTO = re.compile(r"\bgoto\s+\w+")
CHATTY = re.compile(r"\b(?:pr|dev)_(?:emerg|alert|crit|err|warn|notice|info)\s*\(|\bprintk\s*\(")
QUIET = "drivers/iommu/iommufd/"
CONFIG = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b(CONFIG_\w+)", re.M)


def bodies(source):
    """(line, name, text) of each function."""
    lines = source.split("\n")
    for line, name, length in functions(source):
        yield line, name, "\n".join(lines[line - 1:line - 1 + length])


def places(path, source, pattern, what):
    """A finding for each match of a pattern, by what is said of it."""
    return [f"{path}:{source.count(chr(10), 0, m.end()) + 1}: {what(m)}"
            for m in pattern.finditer(source)]


def main():
    """Checks what of ours is compiled into the kernel."""
    findings = []
    for path in ours(".c", ".h"):
        if not path.startswith("drivers/"):
            continue
        source = without_comments(text(path))
        for line, name, body in bodies(source):
            if SCOPED.search(body) and GOTO.search(body):
                findings.append(f"{path}:{line}: {name}() mixes scoped undoing with goto")
            if name.endswith("_locked") and "lockdep_assert" not in body:
                findings.append(f"{path}:{line}: {name}() asserts no lock")
        if path.endswith(".c"):
            findings += places(path, source, CONFIG, lambda m: f"{m[2]} in a .c file")
        if path.startswith(QUIET) and not path.startswith(QUIET + "mock/"):
            findings += places(path, source, CHATTY, lambda m: f"{m[0]} is not rate-limited")
    report(findings)


if __name__ == "__main__":
    main()

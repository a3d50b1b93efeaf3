#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ktap.py LOG: counts the results in a KTAP log, and prints those that failed or were skipped.

Ends with `N passed, N failed[, N skipped]`; the status is 1 when something failed. Results that a
plan announces and the log lacks are failures, and so are a log without a plan and a kernel that
warned: a test that ended the kernel must not pass for having printed nothing.
"""

import re
import sys

PREFIX = r"^(?:\[ *\d+\.\d+\] ?)?"
RESULT = re.compile(PREFIX + r"(?P<in> *)(?P<not>not )?ok (?P<nr>\d+)\b ?-? ?(?P<name>.*)$")
PLAN = re.compile(PREFIX + r"(?P<in> *)1\.\.(?P<count>\d+)\b")
TROUBLE = re.compile(r"\b(WARNING: |BUG: |Kernel panic|Oops|Segmentation fault|general protection)")
SKIP = re.compile(r"# *SKIP\b *(.*)$", re.IGNORECASE)


class Count:
    """Results by kind, and the open levels of a nested log."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.levels = {}    # indentation to [announced, seen, failed below]

    def fail(self, text):
        """One more failure, with what to print about it."""
        self.failed += 1
        print(f"not ok: {text}")

    def close(self, depth):
        """Ends the levels deeper than @depth; whether there were any, and failures in them."""
        inner = [d for d in self.levels if d > depth]
        failed = 0
        for d in inner:
            announced, seen, bad = self.levels.pop(d)
            failed += bad
            if announced is not None and seen < announced:
                self.fail(f"{announced - seen} of {announced} announced results are missing")
                failed += 1
        return bool(inner), failed

    def result(self, match):
        """One result line: a test's, or that of the suite whose tests came before it."""
        depth, name = len(match["in"]), match["name"].strip()
        suite, failed = self.close(depth)
        level = self.levels.setdefault(depth, [None, 0, 0])
        level[1] += 1
        skip = SKIP.search(name)
        if match["not"]:
            level[2] += 1
            if not failed:
                self.fail(name)
        elif failed:
            level[2] += 1
        elif skip:
            self.skipped += 1
            print(f"skipped: {name[:skip.start()].strip(' #')}: {skip[1] or 'no reason given'}")
        elif not suite:
            self.passed += 1


def main():
    """Reads the log, and counts."""
    count = Count()
    planned = False
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        for line in log:
            line = line.rstrip("\r\n")
            plan, result = PLAN.match(line), RESULT.match(line)
            if plan:
                planned = True
                count.levels[len(plan["in"])] = [int(plan["count"]), 0, 0]
            elif result:
                count.result(result)
            elif TROUBLE.search(line):
                count.fail(f"the kernel says: {line.strip()}")
    count.close(-1)
    if not planned:
        count.fail("the log has no plan: no test ran")
    elif not count.passed and not count.failed:
        count.fail("no test ran")
    skipped = f", {count.skipped} skipped" if count.skipped else ""
    print(f"{count.passed} passed, {count.failed} failed{skipped}")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""walk_answer.py ARGUMENTS: runs `iommuctl walk ARGUMENTS --json`, and prints what C can read:
result, output, size, rights, fault. Fails unless the JSON is complete, and its result what the exit
status says."""

import json
import os
import subprocess
import sys

STATUS = {"translated": 0, "none": 0, "fault": 3}
STAGES = ("device", "first", "second")


def check_steps(steps):
    """Each step has all that it must, of the right type."""
    assert steps
    for step in steps:
        assert step["stage"] in STAGES and isinstance(step["level"], int), step
        assert isinstance(step["nested"], bool) and step["what"], step
        assert len(step["words"]) in (0, 1, 2, 4, 8), step
        for number in step["words"] + [step["at"]]:
            int(number, 16)


def main():
    """Asks, checks, prints."""
    program = os.path.join(os.environ["PROGS"], "iommuctl")
    done = subprocess.run([program, "walk", *sys.argv[1:], "--json"], stdout=subprocess.PIPE,
                          check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == STATUS[answer["result"]], done
    check_steps(answer["steps"])
    fault = answer["fault"]["code"] if answer["result"] == "fault" else 0
    print(answer["result"], answer.get("output", "0x0"), answer.get("size", "0x0"),
          answer.get("rights", "-"), hex(fault))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""comments.py BASE: finds `name()` in our comments and documents where no such name is, and in
documents names of the user's interface.

A name is there when our code has it, or the code in BASE, a kernel tree.
"""

import re
import subprocess
import sys

from source import comments, ours, report, text, without_comments

NAME = re.compile(r"\b([A-Za-z_]\w+)\(\)")
CONSTANT = re.compile(r"\b((?:IOMMU|IOMMUFD|VFIO|PASIDQ)_[A-Z0-9_]+)\b(?!\*)")
# Where in the base the names are that we may speak of.
FOLDERS = ("include", "mm", "kernel", "lib", "fs", "drivers/iommu", "drivers/vfio", "drivers/pci",
           "drivers/base", "drivers/dma-buf", "arch/x86/include", "arch/x86/kernel",
           "tools/testing/selftests", "samples/vfio-mdev")


def in_base(base, names):
    """Those of @names that the base's code has."""
    if not names:
        return set()
    found = subprocess.run(["grep", "-rhwE", "--include=*.[chS]", "--exclude-dir=iommufd",
                            "|".join(sorted(names)), *(f"{base}/{f}" for f in FOLDERS)],
                           stdout=subprocess.PIPE, check=False).stdout.decode(errors="replace")
    code = [line for line in found.split("\n") if not line.lstrip().startswith(("*", "/*"))]
    return set(re.findall(r"\w+", "\n".join(code)))


def main():
    """Collects the names that are spoken of, and those that are there."""
    spoken, known = [], set()
    for path in ours(".c", ".h"):
        source = text(path)
        known.update(re.findall(r"\w+", without_comments(source)))
        for line, words in comments(source):
            spoken += [(path, line + words.count("\n", 0, m.start()), m[1], f"{m[1]}()")
                       for m in NAME.finditer(words)]
    for path in ours(".rst"):
        words = text(path)
        for regex, form in (NAME, "{}()"), (CONSTANT, "{}"):
            spoken += [(path, words.count("\n", 0, m.start()) + 1, m[1], form.format(m[1]))
                       for m in regex.finditer(words)]
    for path in ours(".patch"):
        known.update(re.findall(r"\w+", text(path)))
    known |= in_base(sys.argv[1], {name for _, _, name, _ in spoken} - known)
    report([f"{path}:{line}: {form} is nowhere" for path, line, name, form in spoken
            if name not in known])


if __name__ == "__main__":
    main()

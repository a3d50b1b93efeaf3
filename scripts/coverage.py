#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""coverage.py --objects DIR --out DIR [--limit PERCENT] OUTPUT...: what code tests have reached.

Takes what tests/vm/gcov-dump printed among other output, one file or several, which are added up.
Writes DIR/files.txt, a line for each source file, and DIR/never.txt, the lines that were never
reached, by function. The limit is for the product: mock/ and KUnit tests are counted apart.
"""
import argparse
import base64
import collections
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

CORE = "drivers/iommu/iommufd/"
# The base kernel's, which stays in the folder
BASE = "iova_bitmap.c"


def dumps(path):
    """The packed counters in a file."""
    packed = None
    with open(path, "rb") as file:
        for line in file:
            if line.startswith(b"@gcov-end"):
                yield base64.b64decode(b"".join(packed))
                packed = None
            elif packed is not None:
                packed.append(line.strip())
            elif line.startswith(b"@gcov"):
                packed = []
    if packed is not None:
        sys.exit(f"coverage: {path} ends in the middle of the counters")


def unpack(data, objects, where):
    """Lays counters and the compiler's notes side by side; returns the counters' names."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        names = [m.name for m in tar if m.isfile()]
        tar.extractall(where)
    for name in names:
        note = os.path.splitext(name)[0] + ".gcno"
        shutil.copy(os.path.join(objects, CORE, note), os.path.join(where, note))
    return names


def source_name(path):
    """The path of a source file below the folder of the core, or None."""
    path = os.path.normpath(path)
    at = path.rfind(CORE)
    name = path[at + len(CORE):]
    return name if at >= 0 and name != BASE else None


def add_counts(where, name, lines):
    """Adds what gcov says of one object."""
    folder, base = os.path.split(os.path.join(where, name))
    out = subprocess.run(["gcov", "--json-format", "--stdout", base], cwd=folder, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
    for text in out.splitlines():
        for file in json.loads(text)["files"]:
            source = source_name(file["file"])
            if source is None:
                continue
            for line in file["lines"]:
                entry = lines[source].setdefault(line["line_number"], [0, ""])
                entry[0] += line["count"]
                entry[1] = line.get("function_name", entry[1])


def kind_of(source):
    """Which of the three sums a file belongs to."""
    if "_kunit" in source:
        return "KUnit"
    return "mock" if source.startswith("mock/") else "product"


def runs(numbers):
    """Consecutive numbers as 3-5."""
    found = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [f"{a}-{b}" if b > a else str(a) for a, b in found]


def write_never(lines, path):
    """The lines that nobody reached."""
    with open(path, "w", encoding="utf-8") as out:
        for source in sorted(lines):
            missed = collections.defaultdict(list)
            for number, (count, function) in sorted(lines[source].items()):
                if not count:
                    missed[function].append(number)
            if not missed or kind_of(source) == "KUnit":
                continue
            print(source, file=out)
            for function, numbers in missed.items():
                print(f"  {function}: {', '.join(runs(numbers))}", file=out)


def write_files(lines, path):
    """A line for each file; returns the sums."""
    sums = collections.defaultdict(lambda: [0, 0])
    with open(path, "w", encoding="utf-8") as out:
        for source in sorted(lines, key=lambda s: (kind_of(s), s)):
            total = len(lines[source])
            reached = sum(1 for count, _ in lines[source].values() if count)
            print(f"{source:34} {reached:5} of {total:5} lines {100 * reached / total:6.1f} %",
                  file=out)
            sums[kind_of(source)][0] += reached
            sums[kind_of(source)][1] += total
    return sums


def main():
    """Adds up, writes, judges."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--objects", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--limit", type=float, default=0)
    parser.add_argument("output", nargs="+")
    args = parser.parse_args()
    lines = collections.defaultdict(dict)
    found = 0
    for path in args.output:
        for data in dumps(path):
            found += 1
            with tempfile.TemporaryDirectory() as where:
                for name in unpack(data, args.objects, where):
                    add_counts(where, name, lines)
    if not found or not lines:
        sys.exit("coverage: there are no counters in " + " ".join(args.output))
    os.makedirs(args.out, exist_ok=True)
    sums = write_files(lines, os.path.join(args.out, "files.txt"))
    write_never(lines, os.path.join(args.out, "never.txt"))
    for kind in ("product", "mock"):
        print(f"{kind}: {sums[kind][0]} of {sums[kind][1]} lines reached, "
              f"{100 * sums[kind][0] / max(sums[kind][1], 1):.1f} %")
    both = [sums["product"][i] + sums["mock"][i] for i in (0, 1)]
    percent = 100 * sums["product"][0] / max(sums["product"][1], 1)
    print(f"both: {both[0]} of {both[1]} lines, {100 * both[0] / both[1]:.1f} %; "
          f"what is never reached: {args.out}/never.txt")
    if percent < args.limit:
        print(f"coverage: the product's {percent:.1f} % are less than {args.limit:g} %")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

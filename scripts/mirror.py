#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mirror.py FROM TO: makes TO a copy of the kernel source in FROM, which is only read.

What a build left in FROM is not source and is left out. A file is copied when its size, time or
mode is not what TO.json remembers. The copy gets a new inode, since other trees hold links to the
old one, and when it replaces one, the present as its time, since a build may have used the old one.
"""

import json
import os
import shutil
import subprocess
import sys

BUILT_SUFFIX = (".o", ".ko", ".a", ".cmd", ".mod", ".mod.c", ".order", ".symvers", ".orig", ".rej")
BUILT_FOLDER = {"include/config", "include/generated"}


def built(path):
    """Whether a tree without git holds @path because something was built in it."""
    folder, name = os.path.split(path)
    if name.startswith(".") and not name.startswith((".git", ".clang", ".cocci", ".mailmap")):
        return True
    if any(path.startswith(d + "/") for d in BUILT_FOLDER):
        return True
    return "/include/generated" in "/" + folder or name.endswith(BUILT_SUFFIX)


def sources(top):
    """The relative paths of the source files in @top."""
    if os.path.exists(os.path.join(top, ".git")):
        out = subprocess.run(["git", "-C", top, "ls-files", "-z", "-co", "--exclude-standard"],
                             check=True, stdout=subprocess.PIPE).stdout
        paths = [os.fsdecode(p) for p in out.split(b"\0") if p]
        return {p for p in paths if os.path.lexists(os.path.join(top, p))}
    found = set()
    for folder, dirs, names in os.walk(top):
        rel = os.path.relpath(folder, top)
        rel = "" if rel == "." else rel + "/"
        dirs[:] = [d for d in dirs if not d.startswith(".")]
        dirs_linked = [d for d in dirs if os.path.islink(os.path.join(folder, d))]
        found.update(rel + n for n in names + dirs_linked if not built(rel + n))
    return found


def stamp(path):
    """What tells one state of a file from another, without reading it."""
    if os.path.islink(path):
        return [os.readlink(path)]
    st = os.stat(path)
    return [st.st_size, st.st_mtime_ns, st.st_mode]


def copy(a, b):
    """Copies @a to @b under a new inode."""
    replaces = os.path.lexists(b)
    os.makedirs(os.path.dirname(b), exist_ok=True)
    shutil.copy2(a, b + ".mirror", follow_symlinks=False)
    if replaces and not os.path.islink(a):
        os.utime(b + ".mirror")
    os.replace(b + ".mirror", b)


def load(path):
    """The stamps of the last time, or none: then everything is copied."""
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def main():
    """Copies what differs, and removes what is no longer there."""
    src, dst = sys.argv[1:]
    want = sources(src)
    if "Makefile" not in want:
        sys.exit(f"error: {src} holds no kernel source")
    have = load(dst + ".json")
    changed = 0
    for path in sorted(want):
        a, b = os.path.join(src, path), os.path.join(dst, path)
        now = stamp(a)
        if have.get(path) != now or not os.path.lexists(b):
            copy(a, b)
            changed += 1
        have[path] = now
    for path in sorted(set(have) - want):
        if os.path.lexists(os.path.join(dst, path)):
            os.unlink(os.path.join(dst, path))
        del have[path]
        changed += 1
    with open(dst + ".json.new", "w", encoding="utf-8") as f:
        json.dump(have, f)
    os.replace(dst + ".json.new", dst + ".json")
    print(f"{len(want)} files, {changed} changed")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""assemble.py CHECKOUT BASE TREE: makes TREE the kernel that BASE and CHECKOUT give together.

TREE starts as links to the files of BASE. Where CHECKOUT owns a folder, the base's files of it go;
CHECKOUT's files are laid over; patches/linux-*/*.patch are applied in order, but for those that a
newer BASE came with. All of it is compared by content, and only what differs is written, under a
new inode and with the present as its time: kbuild then makes again what depends on it and nothing
else, whichever checkout came before.

TREE.json remembers the paths that are not simply the base's. It is written before the first
change, with what was and what will be, so that a run that was interrupted is made good by the next.
"""

import glob
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile

# What of a checkout belongs to the kernel tree.
LAID = ("drivers", "include", "samples", "tools/testing", "tools/iommu", "Documentation", "lib",
        "kernel", "arch")
# The base's folders that ours take the place of, once ours are there ...
REPLACED = ("drivers/iommu/iommufd", "tools/testing/selftests/iommu")
# ... except what other drivers of the base need.
KEPT = ("drivers/iommu/iommufd/iova_bitmap.c",)
CORE = "drivers/iommu/iommufd/Makefile"


class Failed(Exception):
    """The tree cannot be made: the message says what to do."""


def own_files(checkout):
    """The paths of the checkout's files that go into the tree."""
    if os.path.exists(os.path.join(checkout, ".git")):
        out = subprocess.run(["git", "-C", checkout, "ls-files", "-z", "-co",
                              "--exclude-standard", "--"] + list(LAID),
                             check=True, stdout=subprocess.PIPE).stdout
        paths = {os.fsdecode(p) for p in out.split(b"\0") if p}
    else:
        paths = set()
        for top in LAID:
            for folder, _, names in os.walk(os.path.join(checkout, top)):
                rel = os.path.relpath(folder, checkout)
                paths.update(os.path.join(rel, n) for n in names)
    return {p for p in paths if "/" in p and os.path.isfile(os.path.join(checkout, p))}


def base_files(base, folder):
    """The paths of the base's files below @folder."""
    found = set()
    for path, _, names in os.walk(os.path.join(base, folder)):
        found.update(os.path.join(os.path.relpath(path, base), n) for n in names)
    return found


def read(path):
    """A file as (bytes, executable), or None when there is none."""
    try:
        with open(path, "rb") as f:
            mode = os.fstat(f.fileno()).st_mode
            return f.read(), bool(mode & stat.S_IXUSR)
    except FileNotFoundError:
        return None


def write(path, content):
    """Gives @path the @content, or removes it; whether that changed anything."""
    if read(path) == content:
        return False
    if content is None:
        os.unlink(path)
        return True
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = path + ".assemble"
    with open(new, "wb") as f:
        f.write(content[0])
    os.chmod(new, 0o755 if content[1] else 0o644)
    os.replace(new, path)
    return True


def patched_paths(patch):
    """The paths that a patch touches."""
    paths = set()
    with open(patch, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            if line.startswith(("--- a/", "+++ b/")):
                paths.add(line[6:].split("\t")[0].rstrip("\n"))
            elif line.startswith(("rename from ", "rename to ")):
                paths.add(line.split(" ", 2)[2].rstrip("\n"))
    return paths


def run_patch(patch, tree, *options):
    """Runs patch in @tree; its exit status, and what it says."""
    done = subprocess.run(["patch", "-p1", "-s", "-f", "-F0", "--no-backup-if-mismatch", "-r", "-",
                           "-d", tree, "-i", patch, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def in_base(patch, tree):
    """Whether @patch cannot be applied because a newer base came with it."""
    if run_patch(patch, tree, "--dry-run")[0] == 0:
        return False
    return run_patch(patch, tree, "--dry-run", "-R")[0] == 0


def apply_patch(patch, tree):
    """Applies @patch in @tree."""
    status, out = run_patch(patch, tree)
    if status:
        raise Failed(f"{patch} does not apply to this base:\n{out}")


def apply_patches(patches, base, overlay):
    """Applies @patches, in order, to a folder with only the files they touch."""
    paths = set().union(*map(patched_paths, patches)) if patches else set()
    if not paths:
        return
    with tempfile.TemporaryDirectory() as tmp:
        for path in paths:
            content = overlay[path] if path in overlay else read(os.path.join(base, path))
            if content is not None:
                write(os.path.join(tmp, path), content)
        for patch in patches:
            if not in_base(patch, tmp):
                apply_patch(patch, tmp)
        for path in paths:
            overlay[path] = read(os.path.join(tmp, path))


def plan(checkout, base):
    """Path to content, or None where there must be no file, of all that is not the base's."""
    own = own_files(checkout)
    if CORE not in own:
        raise Failed(f"{CORE} is missing in {checkout}: the core is not there, so there is no "
                     "kernel of ours to build (`make kernel BASE=1` builds the base)")
    overlay = {}
    for folder in REPLACED:
        if any(p.startswith(folder + "/") for p in own):
            overlay.update((p, None) for p in base_files(base, folder) if p not in KEPT)
    for path in own:
        if os.path.isdir(os.path.join(base, path)):
            raise Failed(f"{path} is a file in {checkout}, but a folder in the base")
        overlay[path] = read(os.path.join(checkout, path))
    apply_patches(sorted(glob.glob(os.path.join(checkout, "patches/linux-6.12/*.patch"))),
                  base, overlay)
    return overlay


def load(path):
    """The paths that were not the base's the last time; None when the tree cannot be trusted."""
    try:
        with open(path, encoding="utf-8") as f:
            return set(json.load(f))
    except (OSError, ValueError):
        return None


def store(path, paths):
    """Remembers @paths, in full or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(sorted(paths), f, indent=0)
    os.replace(path + ".new", path)


def link_base(base, tree):
    """A new tree: folders of its own, links to the base's files, none of the base's builds."""
    def top_builds(folder, names):
        return [n for n in names if folder == base and n.startswith(".")
                and os.path.isdir(os.path.join(folder, n))]
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(base, tree, symlinks=True, ignore=top_builds, copy_function=os.link)


def follow_base(base, tree, overlay):
    """Paths that the base changed, got or lost since the tree was linked to it."""
    inodes = []
    for top in (base, tree):
        seen = {}
        for folder, dirs, names in os.walk(top):
            if folder == top:
                dirs[:] = [d for d in dirs if not d.startswith(".")]
            for name in names:
                path = os.path.join(folder, name)
                seen[os.path.relpath(path, top)] = os.lstat(path).st_ino
        inodes.append(seen)
    ours, theirs = inodes[1], inodes[0]
    return {p for p in ours.keys() | theirs.keys()
            if p not in overlay and ours.get(p) != theirs.get(p)}


def main():
    """Plans, then makes the tree so."""
    checkout, base, tree = map(os.path.abspath, sys.argv[1:4])
    state = tree + ".json"
    overlay = plan(checkout, base)
    before = load(state)
    if before is None or not os.path.exists(os.path.join(tree, "Makefile")):
        link_base(base, tree)
        before = set()
    store(state, before | overlay.keys())
    if os.path.basename(os.path.dirname(base)).startswith("ksrc-"):
        before |= follow_base(base, tree, overlay)
    changed = []
    for path in sorted(before | overlay.keys()):
        content = overlay[path] if path in overlay else read(os.path.join(base, path))
        if write(os.path.join(tree, path), content):
            changed.append(path)
    store(state, overlay.keys())
    print(f"{len(overlay)} paths are ours, {len(changed)} changed")
    print("\n".join(changed))


if __name__ == "__main__":
    try:
        main()
    except Failed as err:
        sys.exit(f"error: {err}")

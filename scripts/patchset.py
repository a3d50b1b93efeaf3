#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""patchset.py CHECKOUT BASE TREE OUT: writes what makes BASE into TREE as patches for `git am`.

The hooks come first, one patch each as they are; then our files by subject. Then the proof: the
series is applied to a fresh repository with the base's files, and every path compared with TREE,
which assemble.py made from the same.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

import assemble

# Subject and paths, in the order of the series. What is replaced goes in the patch that brings its
# successor: the kernel builds after every patch.
SUBJECTS = (
    ("iommufd: replace the core and its glue in VFIO", ("drivers/", "include/"),
     "The folder is replaced as a whole; iova_bitmap.c stays, since other drivers use it."),
    ("selftests/iommu: test the core on the mock IOMMU", ("tools/testing/",),
     "They speak the mock's test ABI, which is mainline's."),
    ("samples, tools: programs that use /dev/iommu", ("samples/", "tools/"),
     "What a user reads first, and what measures."),
    ("Documentation: describe /dev/iommu", ("",),
     "The user ABI, and the core's objects, lifetimes and locks."),
)
IDENTITY = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")


def git(repo, *args):
    """Runs git in @repo, without the user's hooks and settings; its output."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in IDENTITY}
    env.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null",
               GIT_AUTHOR_DATE="2026-01-01T00:00:00Z", GIT_COMMITTER_DATE="2026-01-01T00:00:00Z")
    done = subprocess.run(["git", "-C", repo, *args], env=env, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = done.stdout.decode(errors="replace")
    if done.returncode:
        raise assemble.Failed(f"git {args[0]} failed:\n{out}")
    return out


def identity(checkout):
    """The author of the series is that of the checkout's last commit."""
    out = subprocess.run(["git", "-C", checkout, "log", "-1", "--format=%an%n%ae"],
                         stdout=subprocess.PIPE, check=False).stdout.decode().split("\n")
    name, mail = (out + ["", ""])[:2]
    os.environ.update({k: (name if k.endswith("NAME") else mail) or "iommufd" for k in IDENTITY})


def base_repo(folder, base, paths):
    """A repository with what the base has of @paths, and one commit."""
    os.makedirs(folder)
    git(folder, "init", "-q")
    for path in paths:
        content = assemble.read(os.path.join(base, path))
        if content is not None:
            assemble.write(os.path.join(folder, path), content)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--allow-empty", "-m", "base")


def commit_hook(repo, hook):
    """Commits a patch that starts with `Subject: [PATCH] ...`, a blank line and a message, unless
    the base came with it."""
    if assemble.in_base(hook, repo):
        return
    with open(hook, encoding="utf-8") as f:
        head, _, rest = f.read().partition("\n\n")
    subject = [line for line in head.split("\n") if line.startswith("Subject:")]
    body, rule, _ = rest.partition("\n---\n")
    if not subject or not rule or not body.strip():
        raise assemble.Failed(f"{hook}: needs `Subject: [PATCH] ...`, a message, and `---`")
    git(repo, "apply", "--index", hook)
    git(repo, "commit", "-q", "-m", subject[0][8:].replace("[PATCH]", "").strip(), "-m", body)


def make_series(repo, hooks, tree, paths, out):
    """Commits hooks and subjects, and writes them as patches."""
    for hook in hooks:
        commit_hook(repo, hook)
    left = set(paths)
    for subject, prefixes, body in SUBJECTS:
        for path in sorted(p for p in left if p.startswith(prefixes)):
            left.discard(path)
            at = os.path.join(repo, path)
            assemble.write(at, assemble.read(os.path.join(tree, path)))
        git(repo, "add", "-A", "-f")
        if git(repo, "status", "--porcelain"):
            git(repo, "commit", "-q", "-m", subject, "-m", body)
    git(repo, "format-patch", "-q", "--no-renames", "--no-signature", "-o", out,
        git(repo, "rev-list", "--max-parents=0", "HEAD").strip())


def main():
    """Writes the series, applies it elsewhere, compares."""
    checkout, base, tree, out = map(os.path.abspath, sys.argv[1:5])
    identity(checkout)
    paths = assemble.plan(checkout, base).keys()
    hooks = sorted(glob.glob(os.path.join(checkout, "patches/linux-6.12/*.patch")))
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    with tempfile.TemporaryDirectory() as tmp:
        base_repo(f"{tmp}/make", base, paths)
        make_series(f"{tmp}/make", hooks, tree, paths, out)
        series = sorted(glob.glob(f"{out}/*.patch"))
        base_repo(f"{tmp}/check", base, paths)
        git(f"{tmp}/check", "am", "-q", "--keep-cr", *series)
        wrong = [p for p in sorted(paths) if assemble.read(os.path.join(f"{tmp}/check", p))
                 != assemble.read(os.path.join(tree, p))]
        if wrong:
            raise assemble.Failed("the series gives another tree: " + " ".join(wrong))
    print(f"{len(series)} patches, {len(paths)} paths")


if __name__ == "__main__":
    try:
        main()
    except assemble.Failed as err:
        sys.exit(f"error: {err}")

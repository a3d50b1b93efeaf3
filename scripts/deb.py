#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""deb.py CHECKOUT SOURCE OUT: puts the source of the DKMS package together in OUT.

SOURCE is of the kernel that the package is for. OUT gets its VFIO with ours laid over it, our
iommufd without mock and tests, the headers of both, then what patches/linux-6.12 changes in those
files, then patches/debian-13: what of ours needs a change of the kernel itself is refused there.
"""

import glob
import hashlib
import os
import shutil
import sys

import assemble

# Files of the kernel, by folder: no vendor's drivers, which Debian does not build.
BASE = ("drivers/vfio/*.[ch]", "drivers/vfio/Makefile", "drivers/vfio/pci/*.[ch]",
        "drivers/vfio/pci/Makefile", "drivers/iommu/iommu-priv.h",
        "drivers/iommu/iommufd/iova_bitmap.c", "include/linux/vfio.h",
        "include/linux/vfio_pci_core.h", "include/linux/iova_bitmap.h",
        "include/uapi/linux/vfio.h")
# The kernel's own of these would be taken by modules that are not built here.
SHARED = ("include/linux/vfio.h", "include/linux/vfio_pci_core.h", "include/linux/iova_bitmap.h")
OWN = ("drivers/iommu/iommufd/", "drivers/vfio/", "include/")
# Files of packaging/debian/dkms, and where they go.
KIT = {"Kbuild": "Kbuild", "check-kernel": "check-kernel", "dkms.conf": "dkms.conf",
       "sw_msi.c": "drivers/iommu/iommufd/domain/sw_msi.c",
       "sw_msi.h": "drivers/iommu/iommufd/domain/sw_msi.h"}


def is_test(path):
    """Whether @path is part of the pretended IOMMU, or a KUnit test."""
    return "_kunit" in path or "/iommufd/mock/" in path and path.endswith(".c")


def collect(checkout, source):
    """Path to content of the files, ours in place of the kernel's."""
    files = {}
    for pattern in BASE:
        found = glob.glob(os.path.join(source, pattern))
        if not found:
            raise assemble.Failed(f"{source} has no {pattern}")
        files.update((os.path.relpath(p, source), assemble.read(p)) for p in found)
    for path in assemble.own_files(checkout):
        if path.startswith(OWN) and not is_test(path):
            files[path] = assemble.read(os.path.join(checkout, path))
    for name, path in KIT.items():
        files[path] = assemble.read(os.path.join(checkout, "packaging/debian/dkms", name))
    return files


def apply(checkout, files):
    """Patches @files: of ours for the kernel those that touch nothing else, then Debian's."""
    for patch in sorted(glob.glob(os.path.join(checkout, "patches/linux-6.12/*.patch"))):
        touched = assemble.patched_paths(patch)
        if touched & files.keys() - {"drivers/iommu/iommu-priv.h"}:
            keep = {p for p in touched if p in files}
            if touched != keep:
                raise assemble.Failed(f"{patch} changes {touched - keep}, which no module can")
            assemble.apply_patches([patch], "/nonexistent", files)
    ours = sorted(glob.glob(os.path.join(checkout, "patches/debian-13/*.patch")))
    assemble.apply_patches(ours, "/nonexistent", files)


def main():
    """Writes OUT anew."""
    checkout, source, out = map(os.path.abspath, sys.argv[1:4])
    files = collect(checkout, source)
    sums = [f"{hashlib.sha256(files[p][0]).hexdigest()} {p}\n" for p in SHARED]
    apply(checkout, files)
    files["base-headers"] = ("".join(sums).encode(), False)
    files["base-version"] = assemble.read(os.path.join(source, "version"))
    # The kernel's own serves: nothing in it depends on /dev/iommu.
    files["drivers/vfio/mdev/Makefile"] = (b"# mdev.ko is not built here.\n", False)
    shutil.rmtree(out, ignore_errors=True)
    for path, content in files.items():
        assemble.write(os.path.join(out, path), content)
    print(f"{len(files)} files")


if __name__ == "__main__":
    try:
        main()
    except assemble.Failed as err:
        sys.exit(f"error: {err}")

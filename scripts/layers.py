#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""layers.py: checks that drivers/iommu/iommufd/ includes downwards only.

A file may include the headers of a lower layer, and in its own layer those of names further right.
A name that is not listed stands where the name stands that it extends: ioas_areas where ioas does.
A _kunit file may include what the file it tests may, and all of its layer.
"""

import os
import re

from source import TOP, ours, report, text, without_comments

CORE = "drivers/iommu/iommufd/"
LAYERS = (  # the lowest first
    "ctx object run trace abi",
    "loan pages_user pages_file pages_dmabuf pages extent account file_seals",
    "domain_map sw_msi core",
    "ioas iova_map iova_limits area",
    "veventq viommu hwpt_nested dirty hwpt fault eventq pasid_kvm pasid_dev pasid_set",
    "kapi subdev attach_auto attach access device",
    "compat_type1 op_object op_ioas op_map op_hwpt op_dirty op_device op_pasid op_viommu op",
    "main container ioctl debug fdinfo show",
)
PLACE = {name: (nr, -at) for nr, row in enumerate(LAYERS) for at, name in enumerate(row.split())}
# Headers of the base that only one file of ours may see.
PRIVATE = {"iommu-priv.h": ("core",)}
# The mock's ioctls name objects by ID, and look into them; how devices are attached is not for it.
MOCK_HIDDEN = {name for nr in (2, 5, 7) for name in LAYERS[nr].split()}
# Where the product names the mock: its row in the table, its start and its end.
MOCK_LINES = 3
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def base_name(path):
    """The name of a file, as the table has it, or None."""
    name = os.path.splitext(os.path.basename(path))[0]
    name = name.removesuffix("_kunit")
    while name not in PLACE and "_" in name:
        name = name.rpartition("_")[0]
    return name if name in PLACE else None


def check_include(path, line, header):
    """What is wrong with one include line of @path, or None."""
    where = f"{path}:{line}"
    private = PRIVATE.get(os.path.basename(header))
    target = os.path.normpath(os.path.join(os.path.dirname(path), header))
    mock = path.startswith(CORE + "mock/")
    if private:
        allowed = mock or base_name(path) in private
        return None if allowed else f"{where}: only {', '.join(private)} may include {header}"
    if not target.startswith(CORE):
        return f"{where}: {header} lies outside the folder"
    if not os.path.exists(f"{TOP}/{target}"):
        return f"{where}: there is no {target}"
    if target.startswith(CORE + "mock/"):
        allowed = mock or base_name(path) in ("main", "ioctl")
        return None if allowed else f"{where}: only the entry layer may see the mock"
    name = base_name(target)
    if not name:
        return f"{where}: {target} has no layer: give it one in scripts/layers.py"
    if mock:
        return f"{where}: the mock may not see {name}" if name in MOCK_HIDDEN else None
    own = base_name(path)
    if PLACE[name] > PLACE[own] and not (path.endswith("_kunit.c")
                                         and PLACE[name][0] == PLACE[own][0]):
        way = "up" if PLACE[name][0] > PLACE[own][0] else "left"
        return f"{where}: {own} (layer {PLACE[own][0]}) includes {way}wards: {name} " \
               f"(layer {PLACE[name][0]})"
    return None


def main():
    """Checks every file of the core."""
    findings, mock_lines = [], []
    for path in ours(".c", ".h"):
        if not path.startswith(CORE):
            continue
        code = without_comments(text(path))
        mock = path.startswith(CORE + "mock/")
        if not mock and not base_name(path):
            findings.append(f"{path}:1: has no layer: give it one in scripts/layers.py")
            continue
        for m in INCLUDE.finditer(code):
            line = code.count("\n", 0, m.start(1)) + 1
            findings.append(check_include(path, line, m[1]))
        if not mock and not path.endswith("_kunit.c"):
            mock_lines += [f"{path}:{nr}" for nr, row in enumerate(code.split("\n"), 1)
                           if re.search(r"\bmock|_mock|iommufd_test(?!\.h)", row, re.I)
                           and not row.lstrip().startswith("#")]
    if len(mock_lines) > MOCK_LINES:
        findings += [f"{at}: names the mock, which {MOCK_LINES} lines of the product may do"
                     for at in mock_lines]
    report([f for f in findings if f])


if __name__ == "__main__":
    main()

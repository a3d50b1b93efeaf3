#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""iommuctl_check.py BDF FIRST LAST: what iommuctl says of processes that hold what `hold` makes, a
function and its PASIDs FIRST to LAST among it; compared exactly. Prints a line for each check."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

PROGS = os.environ["PROGS"]
# What a process can call itself: 15 bytes, with all that could end a string or move a cursor.
EVIL = b'a"b\\\n\x1b[2Jx\xff\xc3\xa9'
NAMES = [EVIL, b"the child", b"{\"pid\": 1},"]
PAGE = 4096
STATUS = [0]


def check(good, name, reason=""):
    """A line for it."""
    print("ok" if good else "not ok", name + ("" if good else f": {reason}"), flush=True)
    STATUS[0] |= not good


def same(found, want, name):
    """The same check, of two values."""
    check(found == want, name, f"{found!r}, not {want!r}")


def iommuctl(*arguments, user=None):
    """(status, stdout, stderr)"""
    # Where the checkout is may be root's alone.
    done = subprocess.run(["/tmp/iommuctl", *arguments], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, user=user)
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


def ask(*arguments):
    """What it says to programs; it must work."""
    status, out, error = iommuctl(*arguments, "--json")
    assert status == 0, (arguments, error)
    return json.loads(out)


def process(pid, name, fds):
    """As ps has it."""
    # Of what is not UTF-8 each byte is replaced; the kernel cuts names at 15.
    return {"pid": pid, "command": name[:15].decode(errors="replace"), "user": "root", "uid": 0,
            "fds": fds}


class Held:
    """The processes of `hold`, and what they have."""

    def __init__(self, bdf, first, last):
        self.bdf, self.first, self.last = bdf, first, last
        self.hold = subprocess.Popen(
            [f"{PROGS}/hold", bdf, str(first), str(last), *NAMES], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self.other, self.child, self.main = (int(self.hold.stdout.readline()) for _ in range(3))
        self.node = os.listdir(f"/sys/bus/pci/devices/{bdf}/vfio-dev")[0]
        self.group = int(os.path.basename(os.readlink(f"/sys/bus/pci/devices/{bdf}/iommu_group")))

    def device_objects(self):
        """Of the context with the function, in the order of their IDs."""
        pasids = bool(self.first)
        # What the kernel makes by itself can be at PASIDs, too.
        table = {"kind": "hwpt", "type": "paging", "auto": 1, "pasid": 1, "dirty": 0}
        objects = [
            {"kind": "device", "id": 1, "name": self.bdf, "group": self.group,
             "policy": "per-rid" if pasids else "none", "hwpt": 3, "slice": 0, "node": self.node},
            {"kind": "ioas", "id": 2, "areas": 1, "mapped": PAGE, "hwpts": 1},
            {**table, "id": 3, "ioas": 2},
            {"kind": "ioas", "id": 4, "areas": 2, "mapped": 17 * PAGE, "hwpts": 1 + pasids},
            {**table, "id": 5, "ioas": 4, "auto": 0, "pasid": 0}]
        if pasids:
            objects.insert(1, {"kind": "pasid", "device": 1,
                               "vpasids": f"{self.first}-{self.last}", "hwpt": 6, "ioas": 4,
                               "allocated": 0})
            objects.append({**table, "id": 6, "ioas": 4})
        return objects

    def contexts(self, numbers):
        """All there is, in the order of their opening."""
        count = self.last - self.first + 1 if self.first else 0
        return [
            {"context": numbers[0], "charge": "user", "mapped": 3 * PAGE, "pinned": 0,
             "pasids": 0, "processes": [process(self.other, NAMES[2], [5])],
             "objects": [{"kind": "ioas", "id": 1, "areas": 2, "mapped": 3 * PAGE, "hwpts": 0}],
             "left_out": 0},
            {"context": numbers[1], "charge": "user", "mapped": 18 * PAGE, "pinned": 18 * PAGE,
             "pasids": count,
             "processes": sorted([process(self.main, NAMES[0], [3]),
                                  process(self.child, NAMES[1], [3])], key=lambda p: p["pid"]),
             "objects": self.device_objects(), "left_out": 0}]

    def files(self, number):
        """VFIO's."""
        return [{"node": f"devices/{self.node}", "device": self.bdf, "context": number,
                 "processes": [process(pid, name, [4]) for pid, name in
                               sorted([(self.main, NAMES[0]), (self.child, NAMES[1])])]}]

    def end(self):
        """Lets go."""
        self.hold.stdin.close()
        return self.hold.wait(30)


def check_ps(held):
    """ps, exactly; returns the numbers of the contexts."""
    found = ask("ps")
    numbers = [c["context"] for c in found["contexts"]]
    check(len(numbers) == 2 and 0 < numbers[0] < numbers[1], "two contexts, by number", numbers)
    want = {"contexts": held.contexts(numbers), "files": held.files(numbers[-1]),
            "unreadable_processes": 0, "unknown_contexts": 0}
    for key, value in want.items():
        same(found[key], value, f"ps: {key}")
    for arguments in (("ps",), ("ps", "--long"), ("top", "-b", "-n", "1")):
        status, out, _ = iommuctl(*arguments)
        check(status == 0 and re.fullmatch(r"[\n -~]*", out), f"{' '.join(arguments)}: no escapes",
              repr(out))
    return numbers


def check_others(held):
    """Another user sees that it does not see all."""
    status, out, error = iommuctl("ps", "--json", user=65534)
    found = json.loads(out) if status == 0 else {}
    check(status == 0 and not found["contexts"] and 0 < found["unreadable_processes"] < 20 and
          "only root sees all" in error, "ps: without permission, how many are not seen",
          (status, out, error))
    status, out, error = iommuctl("list", "--json", user=65534)
    device = next(d for d in json.loads(out)["devices"] if d["name"] == held.bdf)
    check(device["driver"] == "vfio-pci" and "only root can read" in error,
          "list: without permission, what cannot be read", (device, error))
    for name in ("pasid", "ats", "pri"):
        # Without extended configuration space nobody has to be asked.
        size = os.stat(f"/sys/bus/pci/devices/{held.bdf}/config").st_size
        same(device[name], {"has": None if size > 256 else False}, f"list: {name}, unreadable")


def check_top(held, numbers):
    """What most is pinned by is first."""
    status, out, _ = iommuctl("top", "--json", "-d", "0.2", "-n", "2")
    frames = [json.loads(line) for line in out.splitlines()]
    check(status == 0 and len(frames) == 2, "top: two views", out)
    found = [(c["context"], c["pids"], c["mapped"], c["pinned"], c["mapped_per_second"],
              c["devices"], c["ioases"]) for c in frames[-1]["contexts"]]
    same(found, [(numbers[1], sorted([held.main, held.child]), 18 * PAGE, 18 * PAGE, 0, 1, 2),
                 (numbers[0], [held.other], 3 * PAGE, 0, 0, 0, 1)], "top: what it counts")


def check_dot(held, numbers):
    """The graph has all, and Graphviz reads it."""
    _, out, _ = iommuctl("dot")
    device, other = numbers[1], numbers[0]
    edges = {f'"p{held.main}" -> "c{device}-0"', f'"p{held.child}" -> "c{device}-0"',
             f'"p{held.other}" -> "c{other}-0"', f'"c{other}-0" -> "c{other}-1"',
             f'"c{device}-0" -> "c{device}-2"', f'"c{device}-0" -> "c{device}-4"',
             f'"c{device}-2" -> "c{device}-3"', f'"c{device}-4" -> "c{device}-5"',
             f'"c{device}-3" -> "c{device}-1"', f'"c{device}-1" -> "group {held.group}"',
             f'"group {held.group}" -> "iommu dmar0"'}
    if held.first:
        edges |= {f'"c{device}-4" -> "c{device}-6"', f'"c{device}-6" -> "c{device}-1"'}
    same(set(re.findall(r'^\t("[^"]*" -> "[^"]*")', out, re.M)), edges, "dot: the edges")
    plain = subprocess.run(["dot", "-Tplain"], input=out.encode(), check=False,
                           stdout=subprocess.PIPE).stdout.decode()
    same(plain.count("\nedge "), len(edges), "dot: Graphviz reads it")


def check_list(held):
    """The function, its node, and what /dev/iommu says, which a held device does not disturb."""
    found = ask("list", "--hw-info")
    device = next(d for d in found["devices"] if d["name"] == held.bdf)
    same((device["node"], device["driver"], device["group"], device["iommu"], device["id"]),
         (held.node, "vfio-pci", str(held.group), "dmar0", "1234:11e8"), "list: the function")
    same(device["hw_info"], {"error": "in use"}, "list: a device that is held is left alone")
    same(found["kernel"], {"dev_iommu": True, "pasids": True, "fdinfo": True, "walk": True},
         "list: the kernel has all")
    check(device["pasid"]["has"] == bool(held.first), "list: PASIDs", device["pasid"])


def main():
    """Holds, looks, lets go."""
    shutil.copy(f"{PROGS}/iommuctl", "/tmp/iommuctl")
    held = Held(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    numbers = check_ps(held)
    check_others(held)
    check_top(held, numbers)
    check_dot(held, numbers)
    check_list(held)
    same(held.end(), 0, "the holder ends")
    # Its children end a little later.
    end = time.monotonic() + 10
    while ask("ps")["contexts"] and time.monotonic() < end:
        time.sleep(0.1)
    same(ask("ps")["contexts"], [], "ps: nothing is held any more")
    device = next(d for d in ask("list", "--hw-info")["devices"] if d["name"] == held.bdf)
    same(device["hw_info"].get("type"), 1, "list: what /dev/iommu says of it")
    return STATUS[0]


if __name__ == "__main__":
    sys.exit(main())

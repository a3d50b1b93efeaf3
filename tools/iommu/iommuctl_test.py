#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""iommuctl_test.py PROGRAM: iommuctl on a made-up machine: a folder with /sys and /proc as other
machines have them, and as an attacker would. Ends with `N passed, N failed[, N skipped]`."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "iommuctl")
# What a process can call itself: quotes, a newline, an escape sequence, and no UTF-8.
EVIL = b'a"b\\\n\x1b[2Jx\xff\xc3\xa9'
EVIL_JSON = 'a"b\\\n\x1b[2Jx\ufffd\xe9'
EVIL_TEXT = 'a"b\\x5c\\x0a\\x1b[2Jx\\xff\\xc3\\xa9'
FDINFO = """pos:\t0
flags:\t02000002
early:\tid=70 a=1
iommufd:\tversion=1 charge=user compat_ioas=0 later=1
mapped:\t{mapped} bytes
pinned:\t{pinned} bytes
pasids:\t6
number:\t{number}
novelty:\t7
device:\tid=1 name=0000:00:03.0 group=1 policy=per-rid hwpt=3 slice=0
pasid:\tdevice=1 vpasids=5-9 hwpt=3 ioas=2 allocated=0
pasid:\tdevice=1 vpasids=12-12 hwpt=0 ioas=0 allocated=1
ioas:\tid=2 areas=1 mapped={mapped} hwpts=1
hwpt:\tid=3 ioas=2 type=paging auto=1 pasid=0 dirty=0
hwpt:\tid=4 type=nested parent=3
unheard:\tid=9 of=0x10 ioas=2 big=12345678901234567890
more:\t11
"""


class Machine:
    """A root folder, made by links and files."""

    def __init__(self):
        self.top = tempfile.mkdtemp()

    def put(self, path, content=""):
        """Writes a file; its path."""
        path = self.top + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def get(self, path):
        """What a file has."""
        with open(self.top + path, encoding="utf-8") as f:
            return f.read()

    def link(self, path, target):
        """A link to a path of this machine, which need not be there yet."""
        path, target = self.top + path, self.top + target
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.relpath(target, os.path.dirname(path)), path)

    def function(self, address, group=None, driver=None, config=None, **attributes):
        """A PCI function; its folder."""
        folder = f"/sys/devices/pci0000:00/{address}"
        attributes = {"vendor": "0x1234", "device": "0x11e8", "class": "0x00ff00",
                      "driver_override": "(null)", **attributes}
        for name, value in attributes.items():
            self.put(f"{folder}/{name}", value + "\n")
        if config is not None:
            self.put(f"{folder}/config", config)
        self.link(f"/sys/bus/pci/devices/{address}", folder)
        if group:
            self.put(f"/sys/kernel/iommu_groups/{group}/type", "DMA\n")
            self.link(f"/sys/kernel/iommu_groups/{group}/devices/{address}", folder)
            self.link(f"{folder}/iommu_group", f"/sys/kernel/iommu_groups/{group}")
        if driver:
            self.put(f"/sys/bus/pci/drivers/{driver}/unbind")
            self.put(f"/sys/bus/pci/drivers/{driver}/bind")
            self.link(f"{folder}/driver", f"/sys/bus/pci/drivers/{driver}")
        return folder

    def vfio(self, address, node):
        """VFIO's character device of a function."""
        folder = f"/sys/devices/pci0000:00/{address}"
        self.put(f"{folder}/vfio-dev/{node}/dev", "240:0\n")
        self.link(f"/sys/class/vfio-dev/{node}", f"{folder}/vfio-dev/{node}")
        os.symlink(f"../../../{address}", f"{self.top}{folder}/vfio-dev/{node}/device")

    def process(self, pid, comm, files, uid=0):
        """A process; files: descriptor -> (link, fdinfo)."""
        proc = f"/proc/{pid}"
        self.put(f"{proc}/comm", comm + b"\n")
        self.put(f"{proc}/status", f"Name:\tx\nUid:\t1\t{uid}\t1\t1\n")
        os.makedirs(f"{self.top}{proc}/fd", exist_ok=True)
        for fd, (target, info) in files.items():
            os.symlink(target, f"{self.top}{proc}/fd/{fd}")
            self.put(f"{proc}/fdinfo/{fd}", info)

    def run(self, *arguments, program=None, user=None):
        """(status, stdout, stderr) of iommuctl."""
        done = subprocess.run([program or PROGRAM, "--sysroot", self.top, *arguments], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, user=user)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def json(self, *arguments):
        """What it says to programs."""
        status, out, error = self.run(*arguments, "--json")
        assert status == 0, error
        assert out.isascii()
        return json.loads(out)


def fdinfo(number=7, mapped=8192, pinned=4096):
    """Of a context with a bit of each."""
    return FDINFO.format(number=number, mapped=mapped, pinned=pinned)


def registers(**at):
    """Configuration space: 32-bit words by offset, as _100=value."""
    space = bytearray(4096)
    for offset, value in at.items():
        struct.pack_into("<I", space, int(offset[1:], 16), value)
    return bytes(space)


class Case(unittest.TestCase):
    """With a machine."""

    def setUp(self):
        self.m = Machine()
        self.addCleanup(shutil.rmtree, self.m.top)
        self.m.put("/etc/passwd", "root:x:0:0::/:/bin/sh\nvm:x:107:1::/:/bin/sh\n")
        os.makedirs(self.m.top + "/run")
        os.makedirs(self.m.top + "/proc")

    def plain(self, text):
        """Nothing that a terminal would obey, and no line that a name has made."""
        self.assertRegex(text, r"\A[\n -~]*\Z")


class List(Case):
    """IOMMUs and devices."""

    def device(self, **keys):
        """The only device."""
        self.m.put("/sys/class/iommu/dmar0/intel-iommu/cap", "0\n")
        self.m.function("0000:00:03.0", group="1", **keys)
        return self.m.json("list")["devices"][0]

    def test_vtd(self):
        """Registers of QEMU's, as its options set them."""
        self.m.put("/sys/class/iommu/dmar0/intel-iommu/cap", "d2008c222f0606\n")
        self.m.put("/sys/class/iommu/dmar0/intel-iommu/ecap", "490080f00f4a\n")
        self.m.put("/sys/class/iommu/dmar0/devices/0000:00:03.0")
        want = {"name": "dmar0", "type": "vt-d", "driver": None, "devices": 1,
                "cap": "0xd2008c222f0606", "ecap": "0x490080f00f4a", "scalable_mode": True,
                "first_stage": False, "second_stage": True, "nesting": False,
                "page_requests": False, "device_iotlb": False, "snoop_control": False,
                "dirty_tracking": False, "interrupt_remapping": True, "pasid_width": 1,
                "address_width": 48}
        self.assertEqual(self.m.json("list")["iommus"], [want])
        out = self.m.run("list")[1]
        self.assertIn("dmar0: Intel VT-d, cap 0xd2008c222f0606, ecap 0x490080f00f4a, 1 devices\n"
                      "  scalable mode yes, first stage no, second stage yes, nesting no, ", out)

    def test_amd_and_arm(self):
        """The features of an AMD IOMMU; an SMMU's are not there."""
        self.m.put("/sys/class/iommu/ivhd0/amd-iommu/features", "10000f000000d2:0\n")
        self.m.put("/sys/class/iommu/smmu3.0x9050000/devices/x")
        amd, arm = self.m.json("list")["iommus"]
        self.assertEqual((amd["type"], amd["efr"], amd["pasid_width"], amd["page_requests"]),
                         ("amd-vi", "0x10000f000000d2", 16, True))
        self.assertEqual(arm, {"name": "smmu3.0x9050000", "type": "smmuv3", "driver": None,
                               "devices": 1})

    def test_abilities(self):
        """PASID, ATS and PRI: each, its width, and whether it is on."""
        device = self.device(config=registers(
            _100=0x1200001b | 1 << 16, _104=0x14 << 8 | 6 | 5 << 16,
            _120=0x1400000f | 1 << 16, _124=0x7 | 1 << 31,
            _140=0x00000013 | 1 << 16, _144=1, _148=512))
        self.assertEqual(device["pasid"], {"has": True, "width": 20, "enabled": True,
                                           "execute": False, "privileged": True})
        self.assertEqual(device["ats"], {"has": True, "enabled": True, "queue_depth": 7})
        self.assertEqual(device["pri"], {"has": True, "enabled": True, "requests": 512})
        self.assertRegex(self.m.run("list")[1], r"\n0000:00:03.0 .* 20 bits, on  on   on\n")

    def test_off(self):
        """There, and off."""
        device = self.device(config=registers(
            _100=0x1200001b, _104=0x800, _120=0x1400000f, _124=0, _140=0x13))
        self.assertEqual((device["pasid"]["width"], device["pasid"]["enabled"],
                          device["ats"]["enabled"], device["ats"]["queue_depth"],
                          device["pri"]["enabled"]), (8, False, False, 32, False))

    def test_strange_space(self):
        """A list that is a ring, that leads outside, or that is not there."""
        for space in (registers(_100=0x10000001), registers(_100=0xfff00001, _ffc=0xffffffff),
                      registers(_100=0x04000001), b"\xff" * 4096, bytes(256), b""):
            with self.subTest(space=space[:4]):
                self.setUp()
                self.assertEqual(self.device(config=space)["pasid"], {"has": False})

    def test_groups(self):
        """By group, as people sort; a function without one is last."""
        self.m.put("/sys/class/iommu/dmar0/intel-iommu/cap", "0\n")
        for address, group in (("0000:00:01.0", None), ("0000:00:02.0", "10"),
                               ("0000:00:03.0", "9"), ("0000:00:04.0", "9")):
            self.m.function(address, group=group, driver="vfio-pci" if group == "9" else None)
        self.m.vfio("0000:00:03.0", "vfio0")
        self.m.put("/sys/class/vfio/9/dev")
        found = [(d["name"][5:], d["group"], d["node"], d["group_node"])
                 for d in self.m.json("list")["devices"]]
        self.assertEqual(found, [("00:03.0", "9", "vfio0", "9"), ("00:04.0", "9", None, "9"),
                                 ("00:02.0", "10", None, None), ("00:01.0", None, None, None)])

    def test_nothing(self):
        """Without an IOMMU that is said."""
        status, _, error = self.m.run("list")
        self.assertEqual(status, 1)
        self.assertIn("there is no IOMMU", error)


class Holders(Case):
    """ps, dot, top: what a fdinfo says, and what names cannot do."""

    def setUp(self):
        super().setUp()
        self.m.function("0000:00:03.0", group="1", driver="vfio-pci")
        self.m.put("/sys/devices/virtual/iommu/dmar0/x")
        self.m.link("/sys/devices/pci0000:00/0000:00:03.0/iommu", "/sys/devices/virtual/iommu/dmar0")
        self.m.vfio("0000:00:03.0", "vfio0")
        self.m.process(100, EVIL, {3: ("/dev/iommu", fdinfo()),
                                   4: ("/dev/vfio/devices/vfio0", ""), 5: ("/tmp/iommufile", "")})
        self.m.process(99, b"child", {3: ("/dev/iommu", fdinfo()), 9: ("/dev/iommu", fdinfo())},
                       107)
        self.m.process(20, b"none", {0: ("/dev/null", "pos:\t0\n")})

    def test_json(self):
        """All of it, exactly."""
        self.assertEqual(self.m.json("ps"), {
            "contexts": [{
                "context": 7, "charge": "user", "mapped": 8192, "pinned": 4096, "pasids": 6,
                "processes": [
                    {"pid": 99, "command": "child", "user": "vm", "uid": 107, "fds": [3, 9]},
                    {"pid": 100, "command": EVIL_JSON, "user": "root", "uid": 0, "fds": [3]}],
                "objects": [
                    {"kind": "device", "id": 1, "name": "0000:00:03.0", "group": 1,
                     "policy": "per-rid", "hwpt": 3, "slice": 0, "node": "vfio0"},
                    {"kind": "pasid", "device": 1, "vpasids": "5-9", "hwpt": 3, "ioas": 2,
                     "allocated": 0},
                    {"kind": "pasid", "device": 1, "vpasids": "12-12", "hwpt": 0, "ioas": 0,
                     "allocated": 1},
                    {"kind": "ioas", "id": 2, "areas": 1, "mapped": 8192, "hwpts": 1},
                    {"kind": "hwpt", "id": 3, "ioas": 2, "type": "paging", "auto": 1, "pasid": 0,
                     "dirty": 0},
                    {"kind": "hwpt", "id": 4, "type": "nested", "parent": 3},
                    {"kind": "unheard", "id": 9, "of": "0x10", "ioas": 2,
                     "big": "12345678901234567890"}],
                "left_out": 11}],
            "files": [{"node": "devices/vfio0", "device": "0000:00:03.0", "context": 7,
                       "processes": [{"pid": 100, "command": EVIL_JSON, "user": "root",
                                      "uid": 0, "fds": [4]}]}],
            "unreadable_processes": 0, "unknown_contexts": 0})

    def test_utf8(self):
        """Only what is UTF-8 passes: not too long, no half of a pair, not cut short."""
        for i, (name, want) in enumerate((
                (b"\xc0\xaf", "\ufffd" * 2), (b"\xed\xa0\x80", "\ufffd" * 3),
                (b"\xf4\x90\x80\x80", "\ufffd" * 4), (b'\xe2\x82"', '\ufffd\ufffd"'),
                (b"\xf0\x9f\x98\x80", "\U0001f600"), (b"\xe2", "\ufffd"), (b"\x7f\0x", "\x7f"))):
            self.m.process(300 + i, name, {1: ("/dev/iommu", fdinfo(300 + i))})
            found = self.m.json("ps")["contexts"][-1]["processes"][0]["command"]
            self.assertEqual(found, want)

    def test_text(self):
        """A row for each process, the name made harmless; --long has all objects."""
        for arguments in (("ps",), ("ps", "--long"), ("top", "-n", "1")):
            status, out, error = self.m.run(*arguments)
            self.assertEqual((status, error), (0, ""))
            self.plain(out)
            self.assertIn(EVIL_TEXT if arguments[0] == "ps" else "child", out)
        out = self.m.run("ps")[1].split("\n")
        self.assertEqual(out[0].split(), ["context", "PID", "command", "user", "IOASes", "mapped",
                                          "pinned", "PASIDs", "devices"])
        self.assertEqual(out[1].split(), ["7", "99", "child", "vm", "1", "8", "KiB", "4", "KiB",
                                          "6", "0000:00:03.0"])
        self.assertEqual(out[2].split(), ["7", "100", EVIL_TEXT, "root", "same"])
        self.assertIn("unheard id 9, of 0x10, ioas 2", self.m.run("ps", "-l")[1])

    def test_foreign_fdinfo(self):
        """Lines without a value, without an end, of other kinds, and far too many."""
        odd = "iommufd:\t\nioas:\t\nioas:\t=\nhwpt:\tid\n:\tid=1\nmapped:\tx\npinned:\t-1\nid=3\n"
        self.m.process(5, b"odd", {1: ("/dev/iommu", odd + "ioas:\tid=" + "9" * 70000)})
        self.m.process(6, b"many", {1: ("/dev/iommu", "iommufd:\tx=1\nnumber:\t9\n" +
                                        "ioas:\t" + "a=1 " * 5000 + "\n" +
                                        "ioas:\tid=1 mapped=1\n" * 100000)})
        self.m.process(8, b"zero", {1: ("/dev/iommu", b"iommufd:\t\nnumber:\t8\n\0mapped:\t1\n")})
        contexts = {c["context"]: c for c in self.m.json("ps")["contexts"]}
        self.assertEqual(sorted(contexts), [0, 7, 8, 9])
        self.assertEqual(len(contexts[9]["objects"]), 100001)
        self.assertEqual(contexts[8]["mapped"], 0)
        for arguments in (("ps", "-l"), ("dot",), ("top", "-n1")):
            status, out, _ = self.m.run(*arguments)
            self.assertEqual(status, 0)
            self.plain(out.replace("\t", ""))

    def test_unreadable(self):
        """Processes of others are counted; threads of the kernel are none."""
        for pid, flags in ((5, 0x400000), (6, 0x400000), (7, 0x208040)):
            self.m.process(pid, b"x", {})
            self.m.put(f"/proc/{pid}/stat", f"{pid} (a) b) S 1 1 1 0 -1 {flags} 0 0\n")
            os.chmod(f"{self.m.top}/proc/{pid}/fd", 0)
        os.chmod(self.m.top, 0o755)
        program = shutil.copy(PROGRAM, f"{self.m.top}/iommuctl")
        status, out, error = self.m.run("ps", "--json", program=program,
                                        user=None if os.getuid() else 65534)
        self.assertEqual((status, json.loads(out)["unreadable_processes"]), (0, 2))
        self.assertIn("2 processes could not be looked at: only root sees all", error)

    def test_silent(self):
        """A file of /dev/iommu that says nothing is counted."""
        self.m.process(5, b"old", {1: ("/dev/iommu", "pos:\t0\n")})
        status, out, error = self.m.run("ps", "--json")
        self.assertEqual((status, json.loads(out)["unknown_contexts"]), (0, 1))
        self.assertIn("1 files of /dev/iommu do not tell", error)

    def test_dot(self):
        """Each object is drawn and tied to what it is of; Graphviz reads it."""
        status, out, _ = self.m.run("dot")
        self.assertEqual(status, 0)
        self.plain(out.replace("\t", ""))
        for line in ('"p100" -> "c7-0"', '"p99" -> "c7-0"', '"c7-0" -> "c7-2"', '"c7-2" -> "c7-3"',
                     '"c7-3" -> "c7-1" [label="without PASID"]',
                     '"c7-3" -> "c7-1" [label="PASIDs 5-9"]',
                     '"c7-0" -> "c7-1" [label="PASID 12", style=dotted]',
                     '"c7-3" -> "c7-4" [label="nested"]', '"c7-2" -> "c7-9"',
                     '"c7-1" -> "group 1" [arrowhead=none]',
                     '"group 1" -> "iommu dmar0" [arrowhead=none]'):
            self.assertIn(f"\t{line};\n", out)
        self.assertIn('[label="device 0000:00:03.0\\nvfio0, PASIDs per-rid", shape=component]', out)
        # No quote of a name's ends a string: outside of them is only what we wrote.
        bare = re.sub(r'"([^"\\]|\\.)*"', "", out)
        self.assertRegex(bare, r"\A[\n\t a-z0-9=;,\[\]{}>A-Z-]*\Z")
        if not shutil.which("dot"):
            self.skipTest("dot(1) is not here")
        plain = subprocess.run(["dot", "-Tplain"], input=out.encode(), check=True,
                               stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(plain.count("\nnode "), out.count("[label=") - out.count("-> ") +
                         len(re.findall(r'-> "[^"]*"( \[(arrow|style)[^\]]*\])?;', out)))

    def test_top_rates(self):
        """More and less a second, from what a context had the last time."""
        self.m.process(6, b"grows", {1: ("/dev/iommu", fdinfo(8, 1 << 20, 1 << 20))})
        with subprocess.Popen([PROGRAM, "--sysroot", self.m.top, "top", "--json", "-d", "1", "-n",
                               "2"], stdout=subprocess.PIPE) as top:
            first = json.loads(top.stdout.readline())
            self.m.put("/proc/6/fdinfo/1", fdinfo(8, 9 << 20, 0))
            second = json.loads(top.stdout.readline())
            self.assertEqual(top.wait(10), 0)
        self.assertEqual([c["context"] for c in first["contexts"]], [8, 7])
        self.assertEqual([c["context"] for c in second["contexts"]], [7, 8])
        grown = second["contexts"][1]
        self.assertEqual((grown["mapped"], grown["pids"]), (9 << 20, [6]))
        self.assertTrue(0.5 * (8 << 20) < grown["mapped_per_second"] <= 8 << 20, grown)
        self.assertTrue(-(1 << 20) <= grown["pinned_per_second"] < -0.5 * (1 << 20), grown)
        self.assertEqual(second["contexts"][0]["mapped_per_second"], 0)
        status, out, _ = self.m.run("top", "-b", "-d", "0.1", "-n", "3")
        self.assertEqual((status, out.count("2 contexts, ")), (0, 3))


class Terminal(Case):
    """top on a terminal."""

    def setUp(self):
        super().setUp()
        self.m.process(99, EVIL, {3: ("/dev/iommu", fdinfo())})
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.size(10, 40)
        self.before = termios.tcgetattr(self.slave)

    def size(self, rows, columns):
        """Of the terminal."""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def start(self):
        """top, with this terminal."""
        def own():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        top = subprocess.Popen([PROGRAM, "--sysroot", self.m.top, "top", "-d", "60"],
                               stdin=self.slave, stdout=self.slave, preexec_fn=own)
        self.addCleanup(top.wait)
        self.addCleanup(top.kill)
        return top

    def shown(self, until, seconds=10):
        """What arrives, up to a text."""
        out = b""
        end = time.monotonic() + seconds
        while until not in out:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                self.fail(f"no {until!r} in {out!r}")
            out += os.read(self.master, 65536)
        return out.decode()

    def restored(self, top, out):
        """It has ended, and all is as before."""
        self.assertEqual(top.wait(10), 0)
        self.assertIn("\033[?25h\033[?1049l", out)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)

    def test_quit(self):
        """The view fits, a new size is used, q ends it, and the terminal is as it was."""
        top = self.start()
        out = self.shown(b"q: quit")
        self.assertTrue(out.startswith("\033[?1049h\033[?25l\033[H"), out)
        self.assertFalse(termios.tcgetattr(self.slave)[3] & termios.ECHO)
        rows = re.sub("\033\\[[0-9;?]*[A-Za-z]", "", out).split("\r\n")
        self.assertEqual(len(rows), 10)
        self.assertTrue(all(len(row) <= 40 for row in rows), rows)
        self.size(20, 200)
        wide = self.shown(b"q: quit")
        self.assertEqual(wide.count("\r\n"), 19)
        self.assertIn("\\x1b[2Jx", wide)
        os.write(self.master, b"xq")
        self.restored(top, self.shown(b"?1049l"))

    def test_signals(self):
        """However it ends."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number=number):
                top = self.start()
                self.shown(b"q: quit")
                top.send_signal(number)
                self.restored(top, self.shown(b"?1049l"))

    def test_stop(self):
        """Stopped, the terminal is the shell's; continued, it is ours again."""
        top = self.start()
        self.shown(b"q: quit")
        top.send_signal(signal.SIGTSTP)
        self.shown(b"?1049l")
        os.waitid(os.P_PID, top.pid, os.WSTOPPED | os.WNOWAIT)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)
        top.send_signal(signal.SIGCONT)
        self.assertIn("\033[?1049h", self.shown(b"q: quit"))
        os.write(self.master, b"q")
        self.restored(top, self.shown(b"?1049l"))


class Bind(Case):
    """What is refused, and what a failed step leaves. A driver of this machine takes nothing."""

    def setUp(self):
        super().setUp()
        self.m.put("/sys/bus/pci/drivers/vfio-pci/bind")
        self.folder = self.m.function("0000:00:03.0", group="1", driver="virtio-pci",
                                      driver_override="mine")

    def refused(self, text, *arguments):
        """It changes nothing, and says why."""
        status, out, error = self.m.run(*arguments)
        self.assertEqual((status, out), (1, ""))
        self.assertIn(text, error)
        self.assertEqual(self.m.get(f"{self.folder}/driver_override"), "mine\n")
        self.assertEqual(self.m.get("/sys/bus/pci/drivers/virtio-pci/unbind"), "")
        self.assertEqual(self.records(), [])

    def records(self):
        """What is remembered."""
        folder = self.m.top + "/run/iommuctl"
        return [name for name in os.listdir(folder) if name != "lock"]

    def test_addresses(self):
        """What is none, and what is not there."""
        for text in ("3", "0000:00:03", "00:03.8", "00:20.0", "0000:00:03.0x", "../etc", "",
                     "10000:00:03.0", "-1:0.0", "+0:00:03.0", " 0:00:03.0", "0000: 0:03.0", "0000:00:03.0/..", "000g:00:03.0"):
            self.refused("not a PCI address", "bind", "--", text)
        self.refused("0000:00:1f.7: there is no such PCI function", "bind", "00:1f.7")

    def test_group(self):
        """Another function with a host driver is named; a bridge and VFIO's own are not."""
        self.m.function("0000:00:03.1", group="1", driver="e1000e")
        self.m.function("0000:00:03.2", group="1", driver="pcieport", **{"class": "0x060400"})
        self.refused("0000:00:03.1: in group 1 too, with driver e1000e", "bind",
                     "00:03.0")
        self.refused("a bridge stays", "bind", "00:03.2")
        self.assertNotIn("03.2", self.m.run("bind", "00:03.0")[2])
        self.m.function("0000:00:09.0")
        self.refused("no IOMMU is in front", "bind", "00:09.0")

    def test_in_use(self):
        """Disks that are mounted, swap, or part of another; an interface that is up."""
        disk = f"{self.folder}/virtio0/block/vda"
        self.m.put(f"{disk}/vda1/dev", "254:1\n")
        self.m.put(f"{disk}/dev", "254:0\n")
        self.m.link("/sys/class/block/vda", disk)
        self.m.link("/sys/class/block/vda1", f"{disk}/vda1")
        self.m.put("/proc/self/mountinfo", "29 1 254:1 / / rw - ext4 /dev/root rw\n")
        self.refused("vda1 is mounted; --force", "bind", "00:03.0")
        self.m.put("/proc/self/mountinfo", "29 1 0:30 / / rw - btrfs /dev/vda rw\n")
        self.refused("vda is mounted", "bind", "00:03.0")
        self.m.put("/proc/self/mountinfo", "29 1 254:16 / / rw - ext4 /dev/vda11 rw\n")
        self.m.put("/proc/swaps", "Filename Type\n/dev/vda1 partition\n")
        self.refused("vda1 is swap space", "bind", "00:03.0")
        self.m.put("/proc/swaps")
        self.m.put(f"{disk}/holders/dm-0")
        self.refused("vda is part of dm-0", "bind", "00:03.0")
        shutil.rmtree(f"{self.m.top}{disk}/holders")
        self.m.put(f"{self.folder}/net/eth0/flags", "0x1003\n")
        self.m.link("/sys/class/net/eth0", f"{self.folder}/net/eth0")
        self.refused("network interface eth0 is up", "bind", "00:03.0")
        self.m.put(f"{self.folder}/net/eth0/flags", "0x1002\n")
        self.assertIn("it stays with virtio-pci", self.m.run("bind", "00:03.0")[2])

    def test_another_s(self):
        """What is below a folder whose name only begins like ours does not count."""
        self.m.put(f"{self.folder}1/net/eth0/flags", "0x1003\n")
        self.m.link("/sys/class/net/eth0", f"{self.folder}1/net/eth0")
        self.assertIn("it stays with virtio-pci", self.m.run("bind", "00:03.0")[2])

    def test_no_override(self):
        """Where the first step fails there is no second."""
        os.unlink(f"{self.m.top}{self.folder}/driver_override")
        os.mkdir(f"{self.m.top}{self.folder}/driver_override")
        status, _, error = self.m.run("bind", "00:03.0")
        self.assertEqual((status, error),
                         (1, "iommuctl: 0000:00:03.0: driver_override: Is a directory\n"))
        self.assertEqual(self.m.get("/sys/bus/pci/drivers/virtio-pci/unbind"), "")

    def test_forced(self):
        """--force goes on past it."""
        self.m.put(f"{self.folder}/net/eth0/flags", "0x1003\n")
        self.m.link("/sys/class/net/eth0", f"{self.folder}/net/eth0")
        self.assertIn("it stays with virtio-pci", self.m.run("bind", "-f", "00:03.0")[2])

    def test_undo(self):
        """A driver that does not let go: what was written before is written back."""
        status, _, error = self.m.run("bind", "00:03.0")
        self.assertEqual(status, 1)
        self.assertIn("0000:00:03.0: it stays with virtio-pci", error)
        self.assertEqual(self.m.get(f"{self.folder}/driver_override"), "mine\n")
        self.assertEqual(self.records(), [])

    def test_no_driver(self):
        """A kernel without vfio-pci."""
        shutil.rmtree(self.m.top + "/sys/bus/pci/drivers/vfio-pci")
        self.refused("the driver vfio-pci is missing: load its module", "bind", "00:03.0")

    def test_unbind_refused(self):
        """What it does not have, and what a process has open."""
        self.refused("not with vfio-pci but virtio-pci", "unbind", "00:03.0")
        self.m.function("0000:00:04.0", group="2", driver="vfio-pci")
        self.m.vfio("0000:00:04.0", "vfio3")
        self.m.process(9, EVIL, {3: ("/dev/vfio/devices/vfio3", "")})
        self.refused(f"process 9 ({EVIL_TEXT}) has /dev/vfio/devices/vfio3 open", "unbind",
                     "00:04.0")


class Use(unittest.TestCase):
    """Arguments, help, page and completion agree."""

    COMMANDS = ("list", "ps", "top", "dot", "bind", "unbind", "walk")

    def run_it(self, *arguments, out=subprocess.PIPE):
        """The finished process."""
        return subprocess.run([PROGRAM, *arguments], check=False, stdout=out,
                              stderr=subprocess.PIPE)

    def test_wrong(self):
        """2, and how it is right."""
        for arguments in ((), ("x",), ("list", "x"), ("ps", "--x"), ("top", "-d", "0"),
                          ("top", "-n", "0"), ("top", "-d", "nan"), ("dot", "x"), ("bind",),
                          ("bind", "-x", "00:03.0"), ("unbind", "-g", "00:03.0"), ("walk",)):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertIn(b"iommuctl", done.stderr)

    def test_help(self):
        """0, on standard output."""
        for command in self.COMMANDS:
            done = self.run_it(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertTrue(done.stdout.startswith(f"iommuctl {command} ".encode()))
            self.assertIn(done.stdout, self.run_it("--help").stdout)

    def test_full(self):
        """What cannot be written is a failure."""
        with open("/dev/full", "wb") as full:
            done = self.run_it("--help", out=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write", done.stderr)

    def options(self, command):
        """The long ones of a command's help."""
        out = self.run_it(command, "--help").stdout.decode()
        return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", out)) - {"--help"}

    def test_page(self):
        """Each option is in the manual page, and the other way round."""
        with open(f"{HERE}/iommuctl.8", encoding="utf-8") as f:
            page = f.read()
        parts = dict(re.findall(r"^\.Ss (\w+)\n(.*?)(?=^\.S[sh] )", page, re.M | re.S))
        self.assertEqual(sorted(parts), sorted(self.COMMANDS))
        for command in self.COMMANDS:
            found = {f"--{name}" for name in re.findall(r"^\.It Fl -([a-z-]+)", parts[command],
                                                        re.M)}
            self.assertEqual(found, self.options(command) - {"--json"} |
                             (found & {"--json"}), command)

    def complete(self, line):
        """What bash offers for a line."""
        script = f"source {HERE}/iommuctl.bash-completion; COMP_LINE=$1 COMP_POINT=${{#1}}; " \
            'COMP_WORDBREAKS=$2; _iommuctl; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", script, "bash", line, " \t\n\"'><=;|&(:"], check=True,
                              stdout=subprocess.PIPE)
        return set(done.stdout.decode().split())

    def test_completion(self):
        """Commands, their options, and functions."""
        self.assertEqual(self.complete("iommuctl "), {*self.COMMANDS, "--help", "--sysroot"})
        self.assertEqual(self.complete("iommuctl un"), {"unbind"})
        self.assertEqual(self.complete("iommuctl top -n "), set())
        for command in self.COMMANDS:
            self.assertEqual(self.complete(f"iommuctl {command} -"),
                             self.options(command) | {"--help"})
            self.assertEqual(self.complete(f"iommuctl --sysroot / {command} -"),
                             self.options(command) | {"--help"})
        there = set(os.listdir("/sys/bus/pci/devices"))
        self.assertTrue(there <= self.complete("iommuctl walk "))
        for name in there:
            # bash replaces only what follows the last colon.
            self.assertIn(name[8:], self.complete(f"iommuctl walk {name[:9]}"))


def main():
    """Runs all; counts."""
    global PROGRAM      # pylint: disable=global-statement
    PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else PROGRAM
    result = unittest.TextTestRunner(verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    for _, why in result.skipped:
        print(f"skipped: {why}")
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed" +
          (f", {skipped} skipped" if skipped else ""))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()

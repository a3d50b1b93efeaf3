#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""client.py iommufd|container KERNEL INITRD FUNCTION=DISK FUNCTION=DISK: QEMU's part in the VM.

QEMU passes two functions to a guest, takes one away and gives it back, and resets the guest while
it reads. Each time the guest reads both disks whole, which must be what the files hold. Prints a
line `ok ...` or `not ok ...` for each.
"""

import hashlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time

QMP = "/tmp/qmp"
LOG = "/tmp/qemu.log"
LIMIT = 240     # seconds for what the guest does; it is emulated twice
PORTS = ("port0", "port1")


class Lost(Exception):
    """QEMU or its guest did not do what was asked for."""


class Lines:
    """What comes from a file, by lines, with an end to waiting."""

    def __init__(self, file, log):
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self._read, args=(file, log), daemon=True)
        self.thread.start()

    def _read(self, file, log):
        for line in file:
            log.write(line)
            self.lines.put(line.decode(errors="replace").strip())
        self.lines.put(None)

    def get(self, wanted, limit=LIMIT):
        """The rest of the next line that begins with `wanted`."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise Lost(f"no '{wanted}' in {limit} s") from None
            if line is None:
                raise Lost(f"QEMU ended before '{wanted}'")
            if line.startswith(wanted):
                return line[len(wanted):].strip()


class Qmp:
    """QEMU's control socket."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        for _ in range(300):
            try:
                self.socket.connect(QMP)
                break
            except OSError:
                time.sleep(0.1)
        self.file = self.socket.makefile("rw")
        self.events = []
        self._next()
        self.ask("qmp_capabilities")

    def _next(self):
        line = self.file.readline()
        if not line:
            raise Lost("QEMU closed its control socket")
        return json.loads(line)

    def ask(self, command, **arguments):
        """The answer; what QEMU refuses is an error."""
        print(json.dumps({"execute": command, "arguments": arguments}), file=self.file, flush=True)
        while True:
            message = self._next()
            if "error" in message:
                raise Lost(f"{command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]
            self.events.append(message)

    def event(self, name, device=None):
        """Waits for an event, of a device where one is named."""
        def is_it(message):
            return message["event"] == name and device in (None, message["data"].get("device"))

        while not any(map(is_it, self.events)):
            self.events.append(self._next())
        self.events = [message for message in self.events if not is_it(message)]


class Client:
    """A QEMU whose guest has the two functions."""

    def __init__(self, way, kernel, initrd, functions):
        self.way = way
        self.functions = functions
        self.log = open(LOG, "wb", buffering=0)
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                 "-M", "q35", "-accel", "tcg", "-cpu", "qemu64", "-smp", "1", "-m", "256",
                 "-serial", "stdio", "-qmp", f"unix:{QMP},server=on,wait=off",
                 "-kernel", kernel, "-initrd", initrd, "-append",
                 "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable"]
        for nr, port in enumerate(PORTS):
            words += ["-device", f"pcie-root-port,id={port},chassis={nr + 1}"]
        if way == "iommufd":
            words += ["-object", "iommufd,id=iommufd0"]
        for nr in range(len(functions)):
            words += ["-device", json.dumps(self.device(nr))]
        self.qemu = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=self.log)
        self.console = Lines(self.qemu.stdout, self.log)
        self.qmp = Qmp()

    def device(self, nr):
        """What makes the function a device of the guest."""
        device = {"driver": "vfio-pci", "id": f"fn{nr}", "host": self.functions[nr],
                  "bus": PORTS[nr]}
        if self.way == "iommufd":
            device["iommufd"] = "iommufd0"
        return device

    def tell(self, command):
        """A command for the guest."""
        self.qemu.stdin.write(command.encode() + b"\n")
        self.qemu.stdin.flush()

    def disk_is(self, disk, state):
        """Waits until the guest's disk is `there` or `gone`."""
        self.tell(f"is {disk} {state}")
        found = self.console.get(f"guest: {disk} ")
        if found != state:
            raise Lost(f"{disk} is {found}, not {state}")

    def reads(self, disk, file):
        """Whether the guest reads from the disk what the file holds."""
        with open(file, "rb") as content:
            data = content.read()
        self.disk_is(disk, "there")
        self.tell(f"sum {disk}")
        found = self.console.get(f"guest: {disk} ")
        want = f"{len(data)} {hashlib.sha256(data).hexdigest()}"
        if found != want:
            raise Lost(f"{disk} has {found}; the file {want}")

    def ready(self):
        """Waits for the guest's boot."""
        self.console.get("guest: ready")

    def ends(self):
        """The guest powers off, and QEMU ends well."""
        self.tell("off")
        status = self.qemu.wait(LIMIT)
        if status:
            raise Lost(f"QEMU ended with {status}")


class Story:
    """What happens to the client; what follows a failure cannot be tried."""

    def __init__(self, client, files):
        self.client = client
        self.files = files
        self.failed = 0

    def check(self, what, action, *arguments):
        """One check."""
        if self.failed:
            print(f"not ok {self.client.way}: {what}: not tried", flush=True)
            return
        try:
            action(*arguments)
            print(f"ok {self.client.way}: {what}", flush=True)
        except (Lost, OSError, subprocess.TimeoutExpired) as reason:
            self.failed = 1
            print(f"not ok {self.client.way}: {what}: {reason}", flush=True)

    def tracks_dirty_pages(self):
        """Nobody has switched dirty tracking off."""
        if not self.client.qmp.ask("qom-get", path="/machine/peripheral/fn0",
                                   property="x-pre-copy-dirty-page-tracking") in (True, "on"):
            raise Lost("it is off")

    def unplug(self):
        """The guest lets go of the second function, and QEMU closes it."""
        self.client.qmp.ask("device_del", id="fn1")
        self.client.qmp.event("DEVICE_DELETED", "fn1")
        self.client.disk_is("vdb", "gone")

    def not_open(self):
        """Nobody has the second function."""
        function = f"/sys/bus/pci/devices/{self.client.functions[1]}"
        node = os.listdir(f"{function}/vfio-dev")[0]
        group = os.path.basename(os.readlink(f"{function}/iommu_group"))
        names = (f"/dev/vfio/devices/{node}", f"/dev/vfio/{group}")
        for process in filter(str.isdigit, os.listdir("/proc")):
            for number in os.listdir(f"/proc/{process}/fd"):
                try:
                    target = os.readlink(f"/proc/{process}/fd/{number}")
                except OSError:
                    continue
                if target in names:
                    raise Lost(f"process {process} has {target}")

    def plug(self):
        """The second function comes back."""
        self.client.qmp.ask("device_add", **self.client.device(1))

    def reset_reading(self):
        """A reset while both functions read for the guest."""
        for disk in ("vda", "vdb"):
            self.client.tell(f"read {disk}")
            self.client.console.get("guest: reading")
        time.sleep(2)
        self.client.qmp.ask("system_reset")
        self.client.qmp.event("RESET")
        self.client.ready()

    def both(self, when):
        """Both disks are read."""
        for disk, file in zip(("vda", "vdb"), self.files):
            self.check(f"{when}: {disk} is read whole", self.client.reads, disk, file)

    def run(self):
        """All of it."""
        self.check("the guest boots", self.client.ready)
        self.check("x-pre-copy-dirty-page-tracking is on", self.tracks_dirty_pages)
        self.both("at boot")
        self.check("hot-unplug of the second", self.unplug)
        self.check("the second is closed", self.not_open)
        self.check("without the second: vda is read whole", self.client.reads, "vda", self.files[0])
        self.check("re-plug of the second", self.plug)
        self.both("after the re-plug")
        self.check("reset while the guest reads", self.reset_reading)
        self.both("after the reset")
        self.check("the guest ends", self.client.ends)


def main():
    """The status tells whether all is well."""
    way, kernel, initrd = sys.argv[1:4]
    functions, files = zip(*(word.split("=", 1) for word in sys.argv[4:]))
    client = Client(way, kernel, initrd, functions)
    story = Story(client, files)
    try:
        story.run()
    finally:
        client.qemu.kill()
    if story.failed:
        with open(LOG, encoding="utf-8", errors="replace") as log:
            print("".join(f"# {line}" for line in log.readlines()[-40:]), flush=True)
    return story.failed


if __name__ == "__main__":
    sys.exit(main())

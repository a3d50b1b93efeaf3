#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tutorial.py [--built|--program] PAGE: runs the commands of a page, and compares what they print.

In literal blocks, a line that begins with `$ ` is a command for this machine, one with `# ` for the
VM that the command `make vm` has started; what follows is its output. `...` in a line stands for
anything, a line `...` for any lines. With --built no kernel is made. With --program: prints the
page's blocks of C.
"""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

TIMEOUT = 300
BLOCK = re.compile(r"^\.\. code-block:: c\n\n((?:   .*\n|\n)+)|::\n\n((?:     .*\n|\n)+)", re.M)
# What an interactive shell says of its jobs, and of having no terminal of its own.
SHELL = re.compile(r"^(\[\d+\]|bash: (cannot set|no job)).*\n?", re.M)


def program(page):
    """The blocks of C, one after the other."""
    blocks = [re.sub(r"^ {3}", "", m[1], flags=re.M) for m in BLOCK.finditer(page) if m[1]]
    return "\n".join(block.rstrip("\n") + "\n" for block in blocks).replace(" " * 8, "\t")


def commands(page):
    """(prompt, command, lines of output) in the page's order."""
    found = []
    for match in BLOCK.finditer(page):
        for line in (match[2] or "").splitlines():
            line = line[5:]
            if line[:2] in ("$ ", "# "):
                found.append((line[0], line[2:], []))
            elif found and line:
                found[-1][2].append(line)
    return found


def pattern(lines):
    """What matches the output that the lines describe."""
    parts = [r"(?:.*\n)*" if line == "..." else
             r"[^\n]*".join(re.escape(part) for part in line.split("...")) + "\n" for line in lines]
    return re.compile("".join(parts))


class Machine:
    """The shell of the VM, as a person has it."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.number = 0
        # No prompt and no echo, so that what is read is what the commands print.
        self.send("exec bash --noediting --norc")
        self.send("PS1=; stty -echo")
        self.finish()

    def read(self):
        """Puts each line that comes into the queue; None at the end."""
        for line in self.process.stdout:
            self.lines.put(line.decode(errors="replace").replace("\r", ""))
        self.lines.put(None)

    def send(self, text):
        """Types a line."""
        self.process.stdin.write(text.encode() + b"\n")

    def line(self, end):
        """The next line, or an error when the time is over or the machine is."""
        line = self.lines.get(timeout=max(end - time.monotonic(), 0.01))
        if line is None:
            raise queue.Empty
        return line

    def finish(self, text=""):
        """The output up to here, and the status of the last command."""
        end = time.monotonic() + TIMEOUT
        self.number += 1
        mark = re.compile(rf"@@{self.number} (\d+)\n")
        self.send(f'echo "@@{self.number} $?"')
        while not (found := mark.search(text)):
            text += self.line(end)
        return SHELL.sub("", text[:found.start()]), int(found[1])

    def run(self, command, want):
        """The output of a command and its status. One that stays is waited for as long as it takes."""
        end = time.monotonic() + 60
        text = ""
        self.send(command)
        while command.endswith("&") and not want.fullmatch(SHELL.sub("", text)):
            try:
                text += self.line(end)
            except queue.Empty:
                break
        return self.finish(text)

    def end(self):
        """The status of the VM, which is asked to end."""
        self.send("exit")
        return "", self.process.wait(TIMEOUT)

    def kill(self):
        """Ends what was started for the VM, and no other process."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(TIMEOUT)


def here(command):
    """The output of a command on this machine, and its status."""
    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1800, check=False)
    return done.stdout.decode(errors="replace"), done.returncode


def perform(prompt, command, want, machine):
    """Runs one command where it belongs; the output, the status, and the machine then."""
    if re.match(r"make\b.* vm\b", command):
        return "", 0, Machine(command)
    if prompt == "$":
        return *here(command), machine
    if command == "exit":
        return *machine.end(), None
    return *machine.run(command, want), machine


def main():
    """Counts the commands that print what the page says."""
    with open(sys.argv[-1], encoding="utf-8") as file:
        page = file.read()
    if sys.argv[1] == "--program":
        print(program(page), end="")
        return 0
    built = sys.argv[1] == "--built"
    machine, passed, failed = None, 0, 0
    for prompt, command, lines in commands(page):
        if built and command == "make kernel":
            continue
        if built:
            command = command.replace("make vm", "make -o kernel vm")
        want = pattern(lines)
        try:
            text, status, machine = perform(prompt, command, want, machine)
        except (queue.Empty, OSError, subprocess.TimeoutExpired) as error:
            text, status = f"no answer: {error!r}\n", "none"
        if status == 0 and want.fullmatch(text):
            passed += 1
            print(f"ok {prompt} {command}", flush=True)
            continue
        failed += 1
        print(f"not ok {prompt} {command}: status {status}, printed:", flush=True)
        print("".join(f"  | {line}\n" for line in text.splitlines()), end="")
        if status == "none" or prompt == "$":
            break
    if machine:
        machine.kill()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

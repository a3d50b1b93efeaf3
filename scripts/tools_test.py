#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the build's own tools: that a cache never gives a wrong tree, and that a check fails."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import assemble
import budgets
import coverage
import gate
import ktap
import layers
import mirror

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = "drivers/iommu/iommufd"
HOOK = """Subject: [PATCH] hook

Why.
---
diff --git a/kernel/a.c b/kernel/a.c
--- a/kernel/a.c
+++ b/kernel/a.c
@@ -1,2 +1,2 @@
 one
-two
+2
"""


def put(top, path, content):
    """Writes a file below @top."""
    assemble.write(os.path.join(top, path), (content.encode(), False))


def get(top, path):
    """Its content, or None."""
    content = assemble.read(os.path.join(top, path))
    return content and content[0].decode()


def quiet(function, *argv):
    """Runs a main() with arguments; what it printed."""
    out = io.StringIO()
    with mock.patch.object(sys, "argv", ["x", *argv]), contextlib.redirect_stdout(out):
        function()
    return out.getvalue()


class Assemble(unittest.TestCase):
    """One base, two checkouts, one cache."""

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()     # pylint: disable=consider-using-with
        self.addCleanup(tmp.cleanup)
        self.base, self.tree = f"{tmp.name}/deb-1/base", f"{tmp.name}/deb-1/ours"
        self.one, self.two = f"{tmp.name}/one", f"{tmp.name}/two"
        for path in ("Makefile", f"{CORE}/old.c", f"{CORE}/iova_bitmap.c", f"{CORE}/Makefile"):
            put(self.base, path, "base\n")
        put(self.base, "kernel/a.c", "one\ntwo\n")
        for checkout in (self.one, self.two):
            put(checkout, f"{CORE}/Makefile", "ours\n")
            put(checkout, f"{CORE}/new.c", "new\n")

    def lay(self, checkout):
        """Assembles; the paths that were written."""
        return quiet(assemble.main, checkout, self.base, self.tree).split()[6:]

    def test_replaces_and_keeps(self):
        """The base's folder goes, except what others need; the base itself stays as it is."""
        self.lay(self.one)
        self.assertIsNone(get(self.tree, f"{CORE}/old.c"))
        self.assertEqual(get(self.tree, f"{CORE}/iova_bitmap.c"), "base\n")
        self.assertEqual(get(self.tree, f"{CORE}/Makefile"), "ours\n")
        self.assertEqual(get(self.base, f"{CORE}/Makefile"), "base\n")
        self.assertEqual(self.lay(self.one), [])

    def test_only_what_changed(self):
        """A file that changed is written, and no other."""
        self.lay(self.one)
        put(self.one, f"{CORE}/new.c", "newer\n")
        self.assertEqual(self.lay(self.one), [f"{CORE}/new.c"])

    def test_switch(self):
        """What one checkout has and the other has not does not stay."""
        put(self.two, f"{CORE}/more.c", "more\n")
        put(self.two, "kernel/a.c", "theirs\n")
        self.lay(self.two)
        self.lay(self.one)
        self.assertIsNone(get(self.tree, f"{CORE}/more.c"))
        self.assertEqual(get(self.tree, "kernel/a.c"), "one\ntwo\n")

    def test_hooks(self):
        """A hook comes and goes; one that does not apply says so."""
        put(self.two, "patches/linux-6.12/1.patch", HOOK)
        self.assertIn("kernel/a.c", self.lay(self.two))
        self.assertEqual(get(self.tree, "kernel/a.c"), "one\n2\n")
        self.assertEqual(get(self.base, "kernel/a.c"), "one\ntwo\n")
        self.lay(self.one)
        self.assertEqual(get(self.tree, "kernel/a.c"), "one\ntwo\n")
        put(self.two, "patches/linux-6.12/1.patch", HOOK.replace("-two", "-three"))
        with self.assertRaises(assemble.Failed):
            self.lay(self.two)

    def test_interrupted(self):
        """A run that ended half way is made good, since the paths were remembered first."""
        self.lay(self.one)
        put(self.two, f"{CORE}/more.c", "more\n")
        with mock.patch.object(assemble, "write", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.lay(self.two)
        put(self.tree, f"{CORE}/more.c", "more\n")
        self.lay(self.one)
        self.assertIsNone(get(self.tree, f"{CORE}/more.c"))
        os.unlink(self.tree + ".json")
        put(self.tree, f"{CORE}/stray.c", "stray\n")
        self.lay(self.one)
        self.assertIsNone(get(self.tree, f"{CORE}/stray.c"))

    def test_no_core(self):
        """A checkout without the core gives no kernel of ours."""
        os.unlink(f"{self.one}/{CORE}/Makefile")
        with self.assertRaises(assemble.Failed):
            self.lay(self.one)

    def test_ksrc(self):
        """A tree that is given is followed, and never written to."""
        base = os.path.dirname(os.path.dirname(self.base)) + "/ksrc-1/base"
        given, self.base = self.base, base
        put(given, "kernel/built.o", "object\n")
        quiet(mirror.main, given, base)
        self.assertIsNone(get(base, "kernel/built.o"))
        self.lay(self.one)
        put(given, "kernel/a.c", "changed\n")
        os.unlink(f"{given}/{CORE}/iova_bitmap.c")
        quiet(mirror.main, given, base)
        self.lay(self.one)
        self.assertEqual(get(self.tree, "kernel/a.c"), "changed\n")
        self.assertIsNone(get(self.tree, f"{CORE}/iova_bitmap.c"))
        self.assertEqual(get(given, f"{CORE}/Makefile"), "base\n")


class Counting(unittest.TestCase):
    """No result is lost, and none is made up."""

    def count(self, log):
        """The last line of ktap.py for @log."""
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(log)
            f.flush()
            return quiet(ktap.main, f.name).strip().split("\n")[-1]

    def test_ktap(self):
        """Leaves are counted, and whatever is not as announced."""
        good = "1..2\n    1..2\n    ok 1 a\n    ok 2 b # SKIP why\nok 1 s\nok 2 t\n"
        self.assertEqual(self.count(good), "2 passed, 0 failed, 1 skipped")
        self.assertEqual(self.count(good.replace("ok 2 t\n", "")),
                         "1 passed, 1 failed, 1 skipped")
        self.assertEqual(self.count(good.replace("    ok 1", "    not ok 1")),
                         "1 passed, 1 failed, 1 skipped")
        self.assertEqual(self.count(good.replace("\nok 1 s", "\nnot ok 1 s")),
                         "2 passed, 1 failed, 1 skipped")
        self.assertEqual(self.count(good + "BUG: x\n"), "2 passed, 1 failed, 1 skipped")
        self.assertEqual(self.count("Linux\n"), "0 passed, 1 failed")

    @staticmethod
    def run_parts(*commands):
        """What a run of parts prints, and its status."""
        script = f". {HERE}/lib.sh; . {HERE}/parts.sh; LOGS=$(mktemp -d); " + \
            "; ".join(f"part p{i} P bash -c '{c}'" for i, c in enumerate(commands)) + "; total"
        done = subprocess.run(["bash", "-c", script], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        return done.stdout.decode(), done.returncode

    def parts(self, *commands):
        """The last line and the status of a run of parts."""
        out, status = self.run_parts(*commands)
        return out.strip().split("\n")[-1], status

    def test_failed_part(self):
        """What has failed is named at the end, even if it printed nothing to tell."""
        out, _ = self.run_parts("echo 3 passed, 0 failed", "echo not ok x; false", "true")
        end = out.split("failed:\n")[-1]
        self.assertRegex(end, r"part-p1\.log .*status 1")
        self.assertRegex(end, r"part-p1\.log: not ok x")
        self.assertRegex(end, r"part-p2\.log .*status 0")
        self.assertNotIn("part-p0", end)

    def test_failed_kselftest(self):
        """A kselftest that failed is named at the end, with what it said; so are skips, once."""
        tap = r"@start x\n1..2\nok 1 x.z # SKIP no\n# x.c:7: why\nnot ok 2 x.y\n@end 1 0\n@done\n"
        out, _ = self.run_parts(f'printf "{tap}" | {HERE}/../tests/vm/tap-count /dev/null; '
                                "echo 0 passed, 1 failed, 1 skipped; false",
                                "echo vm: the kernel complained >&2",
                                "echo \"  lint: x   FAILED (status 1)\"; echo x.c:9: bad")
        skips, end = out.split("skipped:\n")[-1].split("failed:\n")
        self.assertEqual(skips, "  ok 1 x.z # SKIP no\n")
        self.assertRegex(end, r"part-p0\.log: not ok 2 x\.y\n.*part-p0\.log: .*x\.c:7: why\n")
        self.assertRegex(end, r"part-p1\.log: vm: the kernel complained\n")
        self.assertRegex(end, r"part-p2\.log:   lint: x .*\n  part-p2\.log: x\.c:9: bad\n")

    def test_parts(self):
        """A part without a result, or with another status than its result says, has failed."""
        good = "echo 3 passed, 0 failed, 1 skipped"
        self.assertEqual(self.parts(good, good), ("6 passed, 0 failed, 2 skipped", 0))
        self.assertEqual(self.parts(good, "true"), ("3 passed, 1 failed, 1 skipped", 1))
        self.assertEqual(self.parts(good + "; false"), ("3 passed, 1 failed, 1 skipped", 1))
        self.assertEqual(self.parts("echo 0 passed, 0 failed"), ("0 passed, 1 failed", 1))
        self.assertEqual(self.parts(good + "; echo more"), ("0 passed, 1 failed", 1))
        self.assertEqual(self.parts(r'printf "\0\n"; ' + good), ("3 passed, 0 failed, 1 skipped", 0))

    def test_lanes(self):
        """What lanes counted is added; one that ends early has failed."""
        part = "part p P echo 3 passed, 0 failed; "
        for more, want in (("", ("6 passed, 0 failed", 0)), ("false; ", ("6 passed, 1 failed", 1))):
            script = f". {HERE}/lib.sh; . {HERE}/parts.sh; LOGS=$(mktemp -d); " + \
                f"a() {{ {part}}}; b() {{ {part.replace('p P', 'q Q')}{more}{more and part}}}; " + \
                "lane a; lane b; join; total"
            done = subprocess.run(["bash", "-c", script], check=False, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
            self.assertEqual((done.stdout.decode().strip().split("\n")[-1], done.returncode), want)


class Checks(unittest.TestCase):
    """The checks of our source find what they are for."""

    def test_functions(self):
        """Heads of several lines and macros that make functions are seen."""
        source = "int a(int b,\n      int c)\n{\n\treturn 1;\n}\n\nTEST_F(x, y)\n{\n}\n"
        self.assertEqual([(f[1], f[2]) for f in budgets.functions(source)],
                         [("a", 5), ("TEST_F", 3)])

    def test_gate(self):
        """One way of undoing in a function, and no configuration in it."""
        source = "int a(void)\n{\n\tguard(mutex)(&m);\n\tgoto out;\n}\n\n#ifdef CONFIG_X\n" \
                 "void b_locked(void)\n{\n}\n#endif\n"
        with mock.patch.multiple(gate, ours=lambda *_: ["drivers/a.c"], text=lambda _: source,
                                 report=lambda findings: print("\n".join(findings))):
            out = quiet(gate.main)
        self.assertEqual([line.split(":")[1] for line in out.strip().split("\n")],
                         ["1", "8", "7"])

    def test_layers(self):
        """Down is allowed; up, left and into the base's private headers is not."""
        def wrong(path, header):
            with mock.patch.object(os.path, "exists", return_value=True):
                return layers.check_include(f"{CORE}/{path}", 1, header)
        self.assertIsNone(wrong("space/ioas.c", "../memory/pages.h"))
        self.assertIsNone(wrong("space/ioas_x.c", "ioas.h"))
        self.assertIn("upwards", wrong("memory/pages.c", "../space/ioas.h"))
        self.assertIn("leftwards", wrong("space/iova_map.c", "ioas.h"))
        self.assertIn("only core", wrong("space/ioas.c", "../../iommu-priv.h"))
        self.assertIn("no layer", wrong("space/ioas.c", "rubbish.h"))
        self.assertIn("mock", wrong("mock/cmd.c", "../attach/attach.h"))


class Coverage(unittest.TestCase):
    """What counts as a line of ours, and that counters that are cut off are no counters."""

    def test_source_name(self):
        """By the end of the path, whatever way it was found; not a file of the base's."""
        self.assertEqual(coverage.source_name(f"/x/{CORE}/ops/../abi.h"), "abi.h")
        self.assertIsNone(coverage.source_name(f"/x/{CORE}/iova_bitmap.c"))
        self.assertIsNone(coverage.source_name("/x/include/linux/xarray.h"))

    def test_runs(self):
        """Consecutive lines are one run."""
        self.assertEqual(coverage.runs([1, 2, 3, 5, 9, 10]), ["1-3", "5", "9-10"])

    def test_sums(self):
        """What is never reached lowers the figure; the mock and KUnit have their own."""
        lines = {"a.c": {1: [3, "f"], 2: [0, "f"]}, "mock/b.c": {1: [0, "g"]},
                 "c_kunit.c": {1: [1, "h"]}}
        with tempfile.TemporaryDirectory() as tmp:
            sums = coverage.write_files(lines, f"{tmp}/files")
            coverage.write_never(lines, f"{tmp}/never")
            with open(f"{tmp}/never", encoding="ascii") as never:
                self.assertEqual(never.read(), "a.c\n  f: 2\nmock/b.c\n  g: 1\n")
        self.assertEqual((sums["product"], sums["mock"]), ([1, 2], [0, 1]))

    def test_cut_off(self):
        """A VM that dies while it prints has reached nothing that we know of."""
        with tempfile.NamedTemporaryFile() as out:
            out.write(b"@gcov\nAAAA\n")
            out.flush()
            with self.assertRaises(SystemExit):
                list(coverage.dumps(out.name))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine harness itself: what goes in, what comes back, that machines do not meet, that none is left."""
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import vm  # noqa: E402

vm.need()


class Harness(unittest.TestCase):
    def setUp(self):
        self.payload = self.enterContext(vm.Payload())

    def run_script(self, text, how=vm.run, **options):
        self.payload.write("run", "#!/bin/sh\n" + text)
        return how(self.payload.directory, **options)

    def test_status_log_and_output(self):
        self.payload.write("data/file", "from the host", mode=0o644)
        with tempfile.TemporaryDirectory() as out:
            result = self.run_script('cat data/file; echo; echo back >"$OUT/answer"; exit 7', out=out)
            self.assertEqual(result.status, 7, result.console)
            self.assertEqual(result.log, "from the host\n")
            self.assertEqual(pathlib.Path(out, "answer").read_text(), "back\n")

    def test_time_is_the_hosts(self):
        result = self.run_script("date +%s")
        self.assertLess(abs(int(result.log) - os.stat(self.payload.directory / "run").st_mtime), 60)

    def test_nothing_is_kept(self):
        self.assertEqual(self.run_script("test ! -e /root/mark && touch /root/mark && sync").status, 0)
        self.assertEqual(self.run_script("test ! -e /root/mark").status, 0)

    def test_two_at_once(self):
        results = []
        with vm.Payload() as other:
            other.write("run", "#!/bin/sh\nsleep 1; echo other; exit 4\n")
            thread = threading.Thread(target=lambda: results.append(vm.run(other.directory)))
            thread.start()
            mine = self.run_script("sleep 1; echo mine; exit 3")
            thread.join()
        self.assertEqual((mine.status, mine.log), (3, "mine\n"))
        self.assertEqual((results[0].status, results[0].log), (4, "other\n"))

    def test_a_test_that_never_ends(self):
        result = self.run_script("echo begun; exec sleep 1000", timeout=6)
        self.assertEqual(result.status, vm.NEVER_TOLD)
        self.assertEqual(result.log, "begun\n")

    def test_a_guest_that_panics(self):
        result = self.run_script("echo c >/proc/sysrq-trigger; sleep 60", timeout=60)
        self.assertEqual(result.status, vm.NEVER_TOLD)
        self.assertLess(result.seconds, 30)
        self.assertIn("sysrq_handle_crash", result.console)

    def test_no_run(self):
        self.payload.write("other", "")
        self.assertEqual(vm.run(self.payload.directory).status, 127)

    def test_boot(self):
        result = self.run_script("cat /proc/cmdline; systemctl is-system-running --wait; exit 5", how=vm.boot,
                                 cmdline="rtguard.test=1")
        self.assertEqual(result.status, 5, result.console)
        self.assertIn("rtguard.test=1", result.log)
        self.assertIn("running", result.log)

    def test_rtguard_runs(self):
        self.payload.add(os.environ["RTGUARD"], "rtguard")
        result = self.run_script("./rtguard --version")
        self.assertEqual(result.status, 0, result.log)

    def test_command_line(self):
        self.payload.write("run", "#!/bin/sh\necho said; exit 9\n")
        done = subprocess.run([sys.executable, vm.HERE / "vm.py", "run", self.payload.directory], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertEqual((done.returncode, done.stdout), (9, "said\n"))


class Unavailable(unittest.TestCase):
    def test_without_qemu(self):
        done = subprocess.run([sys.executable, vm.HERE / "vm.py", "build"], env={"PATH": "/nonexistent", "HOME": "/"},
                              check=False, stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 77)
        self.assertIn("SKIPPED: no virtual machine: not installed", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)

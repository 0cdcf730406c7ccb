#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance held to the profile that was just learnt of it: nothing it does by itself is a finding, and no
intruder gets through the hole in its service, nor anything of his out to the network."""
import pathlib
import shutil
import subprocess
import tempfile

import harness
from harness import on_appliance

harness.need_root()
harness.need_tools("unshare", "setpriv", "ip", "dnsmasq")


class Attack(harness.Case):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="rtguard-attack."))
        cls.addClassCleanup(shutil.rmtree, cls.work)
        learnt = on_appliance(harness.RTGUARD, "learn", "--cycle", "14s", "-o", cls.work / "profile.json")
        if learnt.returncode != 0:
            raise RuntimeError(learnt.stderr)

    def attack(self, *options):
        return subprocess.run([pathlib.Path(harness.APPLIANCE).parent / "attack.py", harness.RTGUARD, harness.APPLIANCE_BIN,
                               self.work / "profile.json", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120, check=False)

    def assert_withstands(self, *options):
        done = self.attack(*options)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("goes on feeding", done.stdout)
        for kind in ("program-unknown", "program-changed", "arguments-unknown", "executable-opened", "connection-unknown",
                     "connection-program", "name-unknown", "service-unknown"):
            self.assertIn(kind, done.stdout)

    def test_no_finding_by_itself_and_no_intruder(self):
        self.assert_withstands()

    def test_the_same_by_iptables(self):
        self.assert_withstands("--backend", "iptables")

    def test_what_he_sends_would_arrive(self):
        done = self.attack("--programs-only")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout.count("GOT THROUGH"), 9, done.stdout)  # every try over the network


if __name__ == "__main__":
    harness.main()

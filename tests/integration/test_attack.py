#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance held to the profile that was just learnt of it: nothing it does by itself is a finding, and no
intruder gets through the hole in its service."""
import pathlib
import subprocess

import harness
from harness import on_appliance

harness.need_root()
harness.need_tools("unshare", "setpriv", "ip", "dnsmasq")


class Attack(harness.Case):
    def test_no_finding_by_itself_and_no_intruder(self):
        profile = self.dir / "profile.json"
        learnt = on_appliance(harness.RTGUARD, "learn", "--cycle", "14s", "-o", profile)
        self.assertEqual(learnt.returncode, 0, learnt.stderr)
        done = subprocess.run([pathlib.Path(harness.APPLIANCE).parent / "attack.py", harness.RTGUARD,
                               harness.APPLIANCE_BIN, profile], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("goes on feeding", done.stdout)


if __name__ == "__main__":
    harness.main()

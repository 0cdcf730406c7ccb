#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The enforcing unit under a real systemd, over a whole machine: started, killed, taken over, its clock set, reloaded,
stopped; payloads/unit.sh has the steps."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import vm  # noqa: E402

vm.need()
PAYLOADS = vm.HERE / "payloads"


class Unit(unittest.TestCase):
    def test_from_start_to_stop(self):
        payload = self.enterContext(vm.Payload())
        payload.add(os.environ["RTGUARD"], "rtguard")
        payload.add(os.environ["UNIT"], "rtguard.service")
        payload.add(PAYLOADS / "profile_of_guest.py")
        payload.write("run", (PAYLOADS / "unit.sh").read_text())
        result = vm.run(payload.directory, timeout=380)
        print(result.log)
        self.assertEqual(result.status, 0, result.log + result.console)
        self.assertNotIn("FAILED", result.log)


if __name__ == "__main__":
    unittest.main()

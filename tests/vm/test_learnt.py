#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole machine is learnt while it works, then audited and enforced while it does the same: no finding, and its work
is done; an intruder is none the less refused."""
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import vm  # noqa: E402

vm.need()


class Learnt(unittest.TestCase):
    def test_no_findings_on_the_same_work(self):
        payload = self.enterContext(vm.Payload())
        for entry in (HERE / "payloads/learnt").iterdir():
            payload.add(entry)
        payload.add(os.environ["RTGUARD"], "rtguard")
        payload.add(os.environ["INTRUDER"], "intruder.data")
        result = vm.run(payload.directory, timeout=280)
        print(result.log)
        self.assertEqual(result.status, 0, result.log + result.console)


if __name__ == "__main__":
    unittest.main()

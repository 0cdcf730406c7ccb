#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The sweeper with the process connector, and marks on superblocks: over a whole machine of their own."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import vm  # noqa: E402

vm.need()


class Backstop(unittest.TestCase):
    def test_backstop(self):
        payload = self.enterContext(vm.Payload())
        payload.add(os.environ["BACKSTOP"], "backstop")
        payload.add(os.environ["INTRUDER"], "intruder")
        payload.write("run", "#!/bin/sh\nexec ./backstop ./intruder\n")
        result = vm.run(payload.directory, timeout=150)
        print(result.log)
        self.assertEqual(result.status, 0, result.log + result.console)


if __name__ == "__main__":
    unittest.main()

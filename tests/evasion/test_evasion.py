#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every known way around process control, tried as an attack: without an agent each succeeds, under rtguard none does
but those whose limit is documented, and allowed work goes on; in audit mode nothing is stopped and all is reported.

  test_evasion.py [none|enforce|audit]     one of the three; all without an argument
TRIES in the environment says how often races and storms try (default 30).
"""
import json
import os
import sys
import unittest

import campaign
from campaign import vm

vm.need()
TRIES = int(os.environ.get("TRIES", "30"))
TABLE = {(trick["id"], trick["user"]): trick for trick in campaign.tricks()}


def named(keys):
    return ", ".join(f"{trick} as {user}" for trick, user in sorted(keys))


class Evasion(unittest.TestCase):
    def run_under(self, name):
        done = campaign.run(name, tries=TRIES)
        self.assertEqual(set(done.outcomes), set(TABLE), "not all tricks were tried")
        self.assertFalse([key for key, outcome in done.outcomes.items() if outcome.hung], "the machine hung")
        return done

    def assert_allowed_work(self, done):
        failed = [key for key, outcome in done.outcomes.items() if TABLE[key]["control"] and not outcome.trace]
        self.assertFalse(failed, f"allowed work was stopped: {named(failed)}")

    def test_none(self):
        """Without an agent every attack succeeds: what is stopped elsewhere was a real one."""
        done = self.run_under("none")
        failed = [key for key, outcome in done.outcomes.items() if not outcome.trace]
        self.assertFalse(failed, f"no attacks at all: {named(failed)}")

    def test_enforce(self):
        done = self.run_under("enforce")
        self.assert_allowed_work(done)
        passed = [key for key, outcome in done.outcomes.items()
                  if outcome.trace and not TABLE[key]["control"] and not TABLE[key]["limit"]]
        self.assertFalse(passed, f"not stopped: {named(passed)}")

    def test_audit(self):
        done = self.run_under("audit")
        failed = [key for key, outcome in done.outcomes.items() if not outcome.trace]
        self.assertFalse(failed, f"audit mode stopped: {named(failed)}")
        events = [json.loads(line) for line in done.out["events"].splitlines()]
        self.assertFalse([event for event in events if event.get("action") in ("denied", "killed")])
        text = done.out["events"]
        # of each of these there is one file a user; equal findings may be told as one
        attacks = {key[0] for key, trick in TABLE.items()
                   if not trick["control"] and not trick["limit"] and trick["row"] in (1, 2, 3, 6)}
        unseen = sorted(attack for attack in attacks if f"/{attack}." not in text)
        self.assertFalse(unseen, f"not reported: {unseen}")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in ("none", "enforce", "audit"):
        sys.argv[1] = f"Evasion.test_{sys.argv[1]}"
    unittest.main(verbosity=2)

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard is killed every 50 ms for a minute while 10,000 unknown programs are tried and known ones run: none of
the first leaves a trace, none of the second fails. STORM_SECONDS and STORM_TRIES make it shorter."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import enforced
import harness
from enforced import Place, profile_of

SECONDS = int(os.environ.get("STORM_SECONDS", "60"))
TRIES = int(os.environ.get("STORM_TRIES", "10000"))
ATTACKERS = 2
BIN = pathlib.Path(os.environ["STORM_BIN"])

harness.need_root()
harness.need_tools("unshare", "nsenter", "setpriv", "ldd", "ip")


class Storm(harness.Case):
    def test_nothing_passes_and_nothing_fails(self):
        profile = profile_of([*enforced.TOOLS, BIN / "storm", BIN / "known"])
        with Place(self.dir, profile) as place:
            inverted = bytes(byte ^ 0xFF for byte in (BIN / "intruder").read_bytes())
            place.write("/mnt/template", inverted, 0o644)
            for name in ("storm", "known"):
                place.put(BIN / name, f"/mnt/{name}")
            each = TRIES // ATTACKERS
            attackers = [place.popen("/mnt/storm", "/mnt/template", "/mnt/known", "/mnt", n * each + 1, (n + 1) * each,
                                     SECONDS, stdout=subprocess.PIPE, text=True) for n in range(ATTACKERS)]
            kills = 0
            end = time.monotonic() + SECONDS * 3
            while any(attacker.poll() is None for attacker in attackers) and time.monotonic() < end:
                guard = place.worker("guard")
                if guard:
                    try:
                        os.kill(guard, signal.SIGKILL)
                        kills += 1
                    except ProcessLookupError:
                        pass
                time.sleep(0.05)
            outcomes = [json.loads(attacker.communicate(timeout=30)[0]) for attacker in attackers]
            traces = [name for name in os.listdir(f"/proc/{place.inside}/root/mnt") if name.startswith("trace-")]
            print(f"killed {kills} times: {outcomes}", file=sys.stderr)
            self.assertEqual(traces, [])
            self.assertEqual(sum(outcome["known_failed"] for outcome in outcomes), 0)
            self.assertEqual(sum(outcome["not_written"] for outcome in outcomes), 0)
            self.assertEqual(sum(outcome["tried"] for outcome in outcomes), each * ATTACKERS)
            self.assertEqual(sum(outcome["refused"] for outcome in outcomes), each * ATTACKERS)
            self.assertGreater(kills, SECONDS * 5)
            self.assertTrue(harness.wait_until(lambda: place.worker("guard")))


if __name__ == "__main__":
    harness.main()

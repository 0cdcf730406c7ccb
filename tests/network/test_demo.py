#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo appliance is learnt, then boots again under the rules of its profile: it does over the network all that it did,
and nothing of it is refused."""
import json
import pathlib
import subprocess
import tempfile
import unittest

import guarded
import world
from world import harness

harness.need_root()
harness.need_tools("unshare", "setpriv", "ip", "dnsmasq", "tcpdump")
guarded.need()


def network_of(profile):
    """What was done over the network; the programs are another matter, a recording does not show them."""
    policy = profile["policy"]
    return {
        "connections": sorted({json.dumps([entry["protocol"], entry["peer"], entry.get("port", entry.get("type"))])
                               for entry in policy["connections"]}),
        "names": policy["names"],
        "listeners": sorted({json.dumps([entry["protocol"], entry["port"]]) for entry in policy["listeners"]}),
    }


class Demo(harness.Case):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="rtguard-demo."))
        cls.addClassCleanup(subprocess.run, ["rm", "-rf", cls.work], check=False)
        done = harness.on_appliance(harness.RTGUARD, "learn", "--cycle", "14s", "-o", cls.work / "profile.json")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def boot(self, backend):
        script = self.dir / "agent"
        script.write_text(f"""#!/bin/sh
mount -t tmpfs run /run
tcpdump -q -i any -U -w {self.dir}/all.pcap 2>/dev/null &
recorder=$!
{harness.RTGUARD} enforce {self.work}/profile.json --rules-only --yes --allow-unsigned --backend {backend} \\
	--control {self.dir}/control --state {self.dir}/state 2>{self.dir}/log &
sleep 16
{harness.RTGUARD} status --json --control {self.dir}/control >{self.dir}/status.json
{harness.RTGUARD} stop --control {self.dir}/control 2>>{self.dir}/log
kill -INT $recorder
wait $recorder
""")
        script.chmod(0o755)
        harness.on_appliance(script)
        findings = [json.loads(line) for name in ("events.0", "events.1") if (self.dir / "state/events" / name).exists()
                    for line in (self.dir / "state/events" / name).read_text().splitlines() if '"finding"' in line]
        self.assertEqual(findings, [], (self.dir / "log").read_text())
        self.assertIn(f'"{backend}"', (self.dir / "status.json").read_text())
        done = harness.rtguard("learn", "--pcap", self.dir / "all.pcap", "-o", self.dir / "again.json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        learnt, again = (network_of(harness.load(path)) for path in (self.work / "profile.json", self.dir / "again.json"))
        self.assertEqual(again, learnt)

    def test_nftables(self):
        self.boot("nftables")

    def test_iptables(self):
        self.boot("iptables")


if __name__ == "__main__":
    unittest.main(verbosity=2)

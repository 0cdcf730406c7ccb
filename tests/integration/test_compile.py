#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`rtguard compile`: what it prints is what the tools of each packet filter take; it verifies itself on recordings."""
import json
import re
import subprocess

import harness
from harness import rtguard

EXAMPLES = harness.HERE / "../../profiles/examples"
PROFILES = ("camera", "recorded-sensor", "gateway-with-bridge")
TARGETS = ("nftables", "iptables", "ip6tables", "ipset")
SENTINEL = harness.CAPTURES / "iot-sentinel"


class Compile(harness.Case):
    def compile(self, *arguments):
        done = rtguard("compile", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_same_bytes_each_time(self):
        for profile in PROFILES:
            for target in TARGETS:
                path = EXAMPLES / f"{profile}.json"
                self.assertEqual(self.compile(path, "--target", target), self.compile(path, "--target", target))

    def test_all_ways_out_are_the_same_text(self):
        path = EXAMPLES / "camera.json"
        whole = json.loads(self.compile(path, "--json"))
        self.compile(path, "-o", self.dir / "rules")
        for target, name in zip(TARGETS, ("rules.nft", "rules.v4", "rules.v6", "sets.ipset")):
            text = self.compile(path, "--target", target)
            self.assertEqual(whole[target], text)
            self.assertEqual((self.dir / "rules" / name).read_text(), text)

    def test_audit_refuses_nothing(self):
        text = self.compile(EXAMPLES / "camera.json", "--audit", "--target", "iptables")
        self.assertNotIn("not in the profile\" -j DROP", text)
        self.assertIn("--queue-bypass", text)

    def test_wrong_use(self):
        for arguments in ((), ("a", "b"), ("--target", "pf", "x"), ("--json", "-o", "x", "y"), ("--bind", "maybe", "x")):
            done = rtguard("compile", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertTrue(done.stderr.startswith("rtguard compile: "), done.stderr)

    def test_a_recording_of_another_device_is_blocked(self):
        if not SENTINEL.is_dir():
            self.skipTest(f"no captures at {harness.CAPTURES}")
        learnt, other = SENTINEL / "WeMoSwitch", SENTINEL / "EdimaxPlug1101W"
        recordings = sorted(learnt.glob("*.pcap"))
        profile = self.dir / "profile.json"
        done = rtguard("learn", *[word for path in recordings for word in ("--pcap", path)], "--device",
                       (learnt / "mac.txt").read_text().strip(), "-o", profile)
        self.assertEqual(done.returncode, 0, done.stderr)
        verified = [word for path in recordings for word in ("--verify", path)]
        self.assertIn("table inet rtguard", self.compile(profile, *verified))
        foreign = rtguard("compile", profile, "--verify", sorted(other.glob("*.pcap"))[0], "--device",
                          (other / "mac.txt").read_text().strip(), "-o", self.dir / "none")
        self.assertEqual((foreign.returncode, foreign.stdout), (1, ""))
        self.assertIn("would have been blocked", foreign.stderr)
        self.assertFalse((self.dir / "none").exists())
        absent = rtguard("compile", profile, "--verify", recordings[0], "--device", "02:00:00:00:00:99")
        self.assertEqual(absent.returncode, 2, absent.stderr)

    def test_every_device_passes_its_own_rules(self):
        if not SENTINEL.is_dir():
            self.skipTest(f"no captures at {harness.CAPTURES}")
        for device in sorted(SENTINEL.iterdir()):
            recordings = sorted(device.glob("*.pcap"))
            profile = self.dir / f"{device.name}.json"
            done = rtguard("learn", *[word for path in recordings for word in ("--pcap", path)], "--device",
                           (device / "mac.txt").read_text().strip(), "-o", profile)
            self.assertEqual(done.returncode, 0, done.stderr)
            done = rtguard("replay", "--rules", "--json", profile, *recordings)
            self.assertEqual(json.loads(done.stdout)["blocked_starts"], [], device.name)


class Accepted(harness.Case):
    """In a network namespace of its own: the tools take the text, and say it back."""

    def setUp(self):
        super().setUp()
        harness.need_root()
        harness.need_tools("unshare", "nft", "iptables-legacy-restore", "ip6tables-legacy-restore", "ipset")

    def taken(self, script, text):
        done = subprocess.run(["unshare", "--net", "sh", "-ec", script], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_nftables(self):
        queues = subprocess.run(["unshare", "--net", "nft", "-c", "add table t; add chain t c; add rule t c queue num 1"],
                                stderr=subprocess.DEVNULL, check=False).returncode == 0
        for profile in PROFILES:
            text = rtguard("compile", EXAMPLES / f"{profile}.json").stdout
            if not queues:
                print("this kernel lacks CONFIG_NFT_QUEUE: rules that hold are tried as rules that drop")
                text = re.sub(r" queue num \d+( bypass)?", " drop", text)
            listed = self.taken("nft -f - && nft list ruleset", text)
            self.assertEqual(listed.count("table "), 1)
            self.assertIn("hook output", listed)

    def test_iptables_and_its_sets(self):
        for profile in PROFILES:
            path = EXAMPLES / f"{profile}.json"
            sets = self.dir / "sets"
            sets.write_text(rtguard("compile", path, "--target", "ipset").stdout)
            for target, restore in (("iptables", "iptables-legacy"), ("ip6tables", "ip6tables-legacy")):
                text = rtguard("compile", path, "--target", target).stdout
                saved = self.taken(f"ipset restore <{sets}; {restore}-restore --noflush; {restore}-save", text)
                wanted = [line for line in text.splitlines() if line.startswith("-A RTGUARD-")]
                self.assertEqual(len([line for line in saved.splitlines() if line.startswith("-A RTGUARD-")]), len(wanted))


if __name__ == "__main__":
    harness.main()

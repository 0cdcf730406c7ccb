#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Learning from recordings: every form of the same packets gives the same profile; a profile blocks nothing of
what it was learnt from; no privileges are needed."""
import json
import os
import pathlib
import subprocess

import captures
import harness
from harness import load, rtguard

harness.need_captures()
SENTINEL = harness.CAPTURES / "iot-sentinel"
DEVICES = sorted(folder.name for folder in SENTINEL.iterdir())


def mac_of(device):
    return (SENTINEL / device / "mac.txt").read_text().strip()


def recordings_of(device):
    return sorted((SENTINEL / device).glob("*.pcap"))


class Recorded(harness.Case):
    def learn(self, *recordings, device=None, name="profile.json", **options):
        arguments = ["--device", device] if device else []
        for recording in recordings:
            arguments += ["--pcap", recording]
        done = rtguard("learn", *arguments, "-o", self.dir / name, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return load(self.dir / name)

    def replay(self, profile, *recordings, device=None):
        arguments = ["--device", device] if device else []
        done = rtguard("replay", "--json", *arguments, self.dir / profile, *recordings)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if result["blocked"] else 0)
        return result

    def test_nothing_learnt_is_blocked(self):
        for device in DEVICES:
            with self.subTest(device):
                recordings = recordings_of(device)
                self.learn(*recordings, device=mac_of(device))
                result = self.replay("profile.json", *recordings)
                self.assertEqual(result["blocked_starts"], [])

    def test_the_device_is_the_one_it_was_learnt_from(self):
        self.learn(*recordings_of("WeMoSwitch"), device=mac_of("WeMoSwitch"))
        implied = self.replay("profile.json", *recordings_of("WeMoSwitch"))
        named = self.replay("profile.json", *recordings_of("WeMoSwitch"), device=mac_of("WeMoSwitch"))
        self.assertEqual(implied["starts"], named["starts"])
        self.assertGreater(implied["starts"], 50)

    def test_another_device_is_blocked(self):
        self.learn(*recordings_of("Aria"), device=mac_of("Aria"))
        result = self.replay("profile.json", *recordings_of("WeMoSwitch"), device=mac_of("WeMoSwitch"))
        hosts = {start.get("host") for start in result["blocked_starts"]}
        self.assertIn("api.xbcs.net", hosts)

    def test_forms_of_one_recording(self):
        mac = mac_of("D-LinkDayCam")
        raw_mac = bytes.fromhex(mac.replace(":", ""))
        packets = [packet for packet in captures.read_pcap(recordings_of("D-LinkDayCam")[0])]
        forms = {
            "ethernet": (captures.write_pcap, captures.ETHERNET, packets),
            "pcapng": (captures.write_pcapng, captures.ETHERNET, packets),
            "sll": (captures.write_pcap, captures.SLL, [(s, f, captures.to_sll(d, raw_mac)) for s, f, d in packets]),
            "sll2": (captures.write_pcapng, captures.SLL2, [(s, f, captures.to_sll2(d, raw_mac)) for s, f, d in packets]),
            "vlan": (captures.write_pcap, captures.ETHERNET, [(s, f, captures.to_vlan(d)) for s, f, d in packets]),
        }
        policies = {}
        for form, (write, link_type, content) in forms.items():
            write(self.dir / form, link_type, content)
            policies[form] = self.learn(self.dir / form, device=mac)["policy"]
        self.assertTrue(policies["ethernet"]["connections"])
        for form in forms:
            self.assertEqual(policies[form], policies["ethernet"], form)

    def test_raw_ip_by_address(self):
        packets = captures.read_pcap(recordings_of("WeMoSwitch")[0])
        raw_mac = bytes.fromhex(mac_of("WeMoSwitch").replace(":", ""))
        own = [frame[26:30] for _, _, frame in packets if frame[6:12] == raw_mac and frame[12:14] == b"\x08\x00"
               and frame[26:30] != bytes(4)]
        address = ".".join(map(str, max(set(own), key=own.count)))
        captures.write_pcap(self.dir / "raw", captures.RAW, [(s, f, d[14:]) for s, f, d in packets if captures.is_ip(d)])
        policy = self.learn(self.dir / "raw", device=address)["policy"]
        self.assertTrue([entry for entry in policy["connections"] if "host" in entry["peer"] or "domain" in entry["peer"]])

    def test_split_recordings_are_one_stream(self):
        """Rotated files of one capture: an answer in the first names a connection in the second."""
        mac = mac_of("WeMoSwitch")
        packets = captures.read_pcap(recordings_of("WeMoSwitch")[0])
        half = len(packets) // 2
        captures.write_pcap(self.dir / "first", captures.ETHERNET, packets[:half])
        captures.write_pcap(self.dir / "second", captures.ETHERNET, packets[half:])
        whole = self.learn(recordings_of("WeMoSwitch")[0], device=mac)["policy"]
        parts = self.learn(self.dir / "first", self.dir / "second", device=mac)["policy"]
        self.assertEqual(parts["names"], whole["names"])
        self.assertEqual(parts["listeners"], whole["listeners"])

    def test_short_snaplen(self):
        """Cut frames still show who started what; only names beyond the cut are unknown."""
        mac = mac_of("WeMoSwitch")
        packets = captures.read_pcap(recordings_of("WeMoSwitch")[0])
        captures.write_pcap(self.dir / "cut", captures.ETHERNET, packets, snaplen=68)
        (self.dir / "nothing.json").write_text(json.dumps(
            {"format": "rtguard-profile/1", "device": {}, "policy": {}, "evidence": {}}))
        starts = lambda recording: sorted((start["protocol"], start["address"], start.get("port", start.get("type")))
                                          for start in self.replay("nothing.json", recording, device=mac)["blocked_starts"])
        self.assertEqual(starts(self.dir / "cut"), starts(recordings_of("WeMoSwitch")[0]))

    def test_standard_input(self):
        mac = mac_of("Aria")
        with open(recordings_of("Aria")[0], "rb") as file:
            done = subprocess.run([harness.RTGUARD, "learn", "--pcap", "-", "--device", mac, "-o", self.dir / "p.json"],
                                  stdin=file, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(load(self.dir / "p.json")["policy"], self.learn(recordings_of("Aria")[0], device=mac)["policy"])

    def test_order_of_recordings_does_not_matter(self):
        mac = mac_of("TP-LinkPlugHS100")
        recordings = recordings_of("TP-LinkPlugHS100")[:6]
        self.assertEqual(self.learn(*recordings, device=mac)["policy"], self.learn(*reversed(recordings), device=mac)["policy"])

    def test_same_recordings_give_the_same_bytes(self):
        mac = mac_of("Lightify")
        self.learn(*recordings_of("Lightify")[:3], device=mac, name="a.json")
        self.learn(*recordings_of("Lightify")[:3], device=mac, name="b.json")
        self.assertEqual((self.dir / "a.json").read_bytes(), (self.dir / "b.json").read_bytes())

    def test_no_privileges(self):
        if os.geteuid() != 0:
            self.learn(recordings_of("Aria")[0], device=mac_of("Aria"))
            return
        # as nobody, with everything that nobody may read: copies of the program and the recording
        program, recording = self.dir / "rtguard", self.dir / "aria.pcap"
        program.write_bytes(pathlib.Path(harness.RTGUARD).read_bytes())
        program.chmod(0o755)
        recording.write_bytes(recordings_of("Aria")[0].read_bytes())
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
        for command in (["learn", "--pcap", recording, "--device", mac_of("Aria"), "-o", self.dir / "p.json"],
                        ["replay", self.dir / "p.json", recording], ["show", self.dir / "p.json"], ["check", self.dir / "p.json"]):
            done = subprocess.run([*as_nobody, program, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_evidence(self):
        profile = self.learn(*recordings_of("WeMoSwitch")[:5], device=mac_of("WeMoSwitch"))
        self.assertGreater(profile["evidence"]["capture"]["packets"], 0)
        self.assertEqual(profile["evidence"]["capture"]["dropped"], 0)
        novelty = profile["evidence"]["novelty"]["connections"]
        self.assertGreater(novelty["distinct"], 0)
        self.assertTrue(0 <= novelty["unseen_probability"] <= 1)
        self.assertEqual(profile["device"]["mac"], mac_of("WeMoSwitch"))


if __name__ == "__main__":
    harness.main()

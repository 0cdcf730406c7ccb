#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is wrong with the input, the answer names the place and the remedy, and nothing is lost."""
import json
import os
import pathlib
import subprocess
import time

import captures
import harness
from harness import load, rtguard, start_learning, stop_learning

harness.need_captures()
ARIA = harness.CAPTURES / "iot-sentinel" / "Aria"
MAC = (ARIA / "mac.txt").read_text().strip()
RECORDING = sorted(ARIA.glob("*.pcap"))[0]


class Recordings(harness.Case):
    def learn(self, recording, *more):
        return rtguard("learn", "--pcap", recording, "--device", MAC, "-o", self.dir / "p.json", *more)

    def test_no_such_file(self):
        self.assert_trouble(self.learn("/nonexistent.pcap"), "/nonexistent.pcap", "No such file")

    def test_empty_file(self):
        (self.dir / "empty.pcap").touch()
        self.assert_trouble(self.learn(self.dir / "empty.pcap"), self.dir / "empty.pcap", "empty")

    def test_directory(self):
        self.assert_trouble(self.learn(self.dir), self.dir, "directory")

    def test_not_a_capture(self):
        self.assert_trouble(self.learn(__file__), __file__)

    def test_cut_inside_a_record(self):
        """The error names the place; what came before it is in the profile, which is not complete."""
        content = RECORDING.read_bytes()
        (self.dir / "cut.pcap").write_bytes(content[:-7])
        self.assert_trouble(self.learn(self.dir / "cut.pcap"), self.dir / "cut.pcap", "packet")
        whole = rtguard("learn", "--pcap", RECORDING, "--device", MAC, "-o", self.dir / "whole.json")
        self.assertEqual(whole.returncode, 0)
        cut = load(self.dir / "p.json")
        self.assertEqual(cut["policy"]["names"], load(self.dir / "whole.json")["policy"]["names"])
        self.assertIs(cut["evidence"]["complete"], False)

    def test_every_cut_of_a_header_is_answered(self):
        content = RECORDING.read_bytes()
        for size in (1, 4, 23, 24, 30, 39, 41):
            (self.dir / "cut.pcap").write_bytes(content[:size])
            done = self.learn(self.dir / "cut.pcap")
            self.assertIn(done.returncode, (0, 2), (size, done.stderr))
            self.assertNotIn("Sanitizer", done.stderr)

    def test_clock_stepping_backwards(self):
        packets = captures.read_pcap(RECORDING)
        half = len(packets) // 2
        stepped = packets[:half] + [(seconds - 86400 * 365, fraction, frame) for seconds, fraction, frame in packets[half:]]
        captures.write_pcap(self.dir / "stepped.pcap", captures.ETHERNET, stepped)
        done = self.learn(self.dir / "stepped.pcap")
        self.assertEqual(done.returncode, 0, done.stderr)
        profile = load(self.dir / "p.json")
        seen = [entry for entry in profile["evidence"]["entries"].values() if not entry.get("implied")]
        self.assertTrue(seen)
        for entry in seen:
            self.assertLessEqual(entry["first_seen"], entry["last_seen"])

    def test_wrong_device(self):
        done = rtguard("learn", "--pcap", RECORDING, "--device", "02:00:00:00:00:99", "-o", self.dir / "p.json")
        self.assertIn("sent nothing", done.stderr)
        self.assert_trouble(rtguard("learn", "--pcap", RECORDING, "-o", self.dir / "q.json"), "--device")
        self.assert_trouble(rtguard("learn", "--pcap", RECORDING, "--device", "02:00:00", "-o", self.dir / "q.json"), "02:00:00")

    def test_output_that_cannot_be_written(self):
        self.assert_trouble(rtguard("learn", "--pcap", RECORDING, "--device", MAC, "-o", "/nonexistent/p.json"), "/nonexistent/p.json")
        self.assert_trouble(rtguard("learn", "--pcap", RECORDING, "--device", MAC, "-o", self.dir), self.dir)


class Profiles(harness.Case):
    EXAMPLE = {"format": "rtguard-profile/1", "device": {}, "policy": {
        "programs": [{"path": "/bin/a", "sha256": "a" * 64, "phase": "boot", "users": ["root"], "parents": [], "arguments": "any"}],
        "connections": [{"protocol": "tcp", "peer": {"host": "a.example"}, "port": 443, "program": None}]}, "evidence": {}}

    def check(self, content, *words):
        path = self.dir / "profile.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for command in (["check", path], ["show", path], ["replay", path, RECORDING]):
            self.assert_trouble(rtguard(*command), path, *words)

    def broken(self, change):
        profile = json.loads(json.dumps(self.EXAMPLE))
        change(profile["policy"])
        return json.dumps(profile)

    def test_the_example_is_good(self):
        (self.dir / "good.json").write_text(json.dumps(self.EXAMPLE))
        done = rtguard("check", self.dir / "good.json")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_duplicate_entry(self):
        self.check(self.broken(lambda policy: policy["connections"].append(policy["connections"][0])), "/policy/connections/1")

    def test_nan(self):
        self.check(json.dumps(self.EXAMPLE).replace("443", "NaN"), "line 1")

    def test_huge_string(self):
        self.check(self.broken(lambda policy: policy["programs"][0].update(path="/" + "x" * 10_000_000)), "/policy/programs/0/path")

    def test_invalid_utf8(self):
        self.check(json.dumps(self.EXAMPLE).encode().replace(b"/bin/a", b"/bin/\xff"))

    def test_unknown_key(self):
        self.check(self.broken(lambda policy: policy.update(surprise=1)), "surprise")

    def test_cut_everywhere(self):
        content = json.dumps(self.EXAMPLE)
        for size in range(0, len(content), 7):
            path = self.dir / "cut.json"
            path.write_text(content[:size])
            self.assert_trouble(rtguard("check", path), path)

    def test_directory_and_nothing(self):
        self.assert_trouble(rtguard("show", self.dir), self.dir, "directory")
        self.assert_trouble(rtguard("show", "/nonexistent.json"), "/nonexistent.json")


class Usage(harness.Case):
    def test_misuse(self):
        for arguments, word in ((["learn", "--cycle", "soon"], "soon"), (["learn", "--cycle", "0"], "--cycle"), (["lern"], "lern"),
                                (["learn", "--pcap", "x", "--cycle", "5s"], "--pcap"), (["replay", "x"], "capture"), ([], "Usage"),
                                (["learn", "--device", MAC], "--pcap"), (["show"], "profile")):
            self.assert_trouble(rtguard(*arguments), word)

    def test_help(self):
        for command in ("learn", "show", "check", "replay"):
            done = rtguard(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example", done.stdout)


class Live(harness.Case):
    def setUp(self):
        super().setUp()
        harness.need_root()

    def test_no_privileges(self):
        self.assert_trouble(rtguard("learn", "--cycle", "5s", "-o", self.dir / "p.json", user=65534), "root")

    def test_unknown_interface(self):
        self.assert_trouble(rtguard("learn", "--interface", "nosuch0", "--cycle", "5s", "-o", self.dir / "p.json"), "nosuch0")

    def test_kernel_without_packet_sockets(self):
        """As on a kernel without CONFIG_PACKET: socket(AF_PACKET) says EAFNOSUPPORT."""
        done = subprocess.run([str(pathlib.Path(harness.RTGUARD).parent.parent / "tests/integration/without"), "packet",
                               harness.RTGUARD, "learn", "--cycle", "3s", "-o", self.dir / "p.json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assert_trouble(done, "CONFIG_PACKET")

    def test_kernel_without_process_connector(self):
        """Learning goes on with the other layers and says what is lost."""
        done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc",
                               str(pathlib.Path(harness.RTGUARD).parent.parent / "tests/integration/without"), "connector",
                               harness.RTGUARD, "learn", "--cycle", "3s", "-o", self.dir / "p.json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("connector", done.stderr)
        self.assertEqual(rtguard("check", self.dir / "p.json").returncode, 0)


if __name__ == "__main__":
    harness.main()

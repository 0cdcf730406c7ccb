#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance is learnt live: nothing is missed, nothing is claimed that it does not do, and a recording of
the same packets gives the same network part."""
import hashlib
import pathlib
import subprocess
import unittest

import harness
from harness import load, on_appliance, rtguard

harness.need_root()
harness.need_tools("unshare", "setpriv", "ip", "dnsmasq", "tcpdump")


def tuple_of(connection):
    peer = connection["peer"]
    return (connection["protocol"], *next(iter(peer.items())), connection.get("port", connection.get("type")))


class Appliance(harness.Case):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="rtguard-appliance."))
        script = cls.work / "agent"
        script.write_text(f"""#!/bin/sh
tcpdump -q -i any -U -w {cls.work}/all.pcap 2>/dev/null &
recorder=$!
sleep 0.5
{harness.RTGUARD} learn --cycle 14s -o {cls.work}/live.json 2>{cls.work}/log
kill -INT $recorder
wait $recorder
""")
        script.chmod(0o755)
        cls.done = on_appliance(script)
        cls.log = (cls.work / "log").read_text()
        cls.profile = load(cls.work / "live.json")
        cls.policy = cls.profile["policy"]
        cls.programs = {program["path"]: program for program in cls.policy["programs"]}

    @classmethod
    def tearDownClass(cls):
        import shutil
        shutil.rmtree(cls.work)

    def test_programs_by_checksum(self):
        for name in ("feederd", "portion", "calibrate"):
            content = (pathlib.Path(harness.APPLIANCE_BIN) / name).read_bytes()
            self.assertEqual(self.programs[f"/opt/feeder/bin/{name}"]["sha256"], hashlib.sha256(content).hexdigest())

    def test_phases(self):
        # the whole run lies within the boot phase's default
        self.assertEqual(self.programs["/opt/feeder/bin/calibrate"]["phase"], "boot")

    def test_users_and_parents(self):
        self.assertEqual(self.programs["/opt/feeder/bin/feederd"]["users"], ["nobody"])
        self.assertEqual(self.programs["/opt/feeder/bin/portion"]["users"], ["nobody"])
        # runs once and briefly: without the process connector its user may stay unknown, but is no other
        self.assertIn(self.programs["/opt/feeder/bin/calibrate"]["users"], (["root"], []))

    def test_scripts_with_their_interpreter(self):
        scripts = {script["path"]: script for script in self.policy["scripts"]}
        self.assertIn("/opt/feeder/bin/healthcheck.sh", scripts)
        self.assertIn(scripts["/opt/feeder/bin/healthcheck.sh"]["interpreter"], self.programs)
        content = (harness.HERE / "../appliance/healthcheck.sh").read_bytes()
        self.assertEqual(scripts["/opt/feeder/bin/healthcheck.sh"]["sha256"], hashlib.sha256(content).hexdigest())

    def test_libraries(self):
        libraries = [library["path"] for library in self.policy["libraries"]]
        self.assertTrue(any("/libc.so" in path for path in libraries), libraries)
        self.assertTrue(any("/ld-linux" in path or "/ld-musl" in path for path in libraries), libraries)

    def test_rtguard_itself_is_left_out(self):
        self.assertFalse([path for path in self.programs if path.endswith("/rtguard")])

    def test_listener(self):
        listeners = [(entry["protocol"], entry["address"], tuple(entry["family"]), entry["port"], entry["program"])
                     for entry in self.policy["listeners"]]
        self.assertIn(("tcp", "any", ("ipv4", "ipv6"), 8080, "/opt/feeder/bin/feederd"), listeners)
        self.assertEqual([entry for entry in listeners if entry[4] != "/opt/feeder/bin/feederd"], [])

    def test_connections(self):
        found = {tuple_of(connection): connection["program"] for connection in self.policy["connections"]
                 if connection["protocol"] in ("tcp", "udp")}
        feederd = "/opt/feeder/bin/feederd"
        expected = {
            ("udp", "host", "time.feeder.example", 123): feederd,
            ("tcp", "host", "log.feeder.example", 8883): "/opt/feeder/bin/portion",
            ("tcp", "host", "update.feeder.example", 443): "/opt/feeder/bin/calibrate",
            ("tcp", "host", "api.feeder.example", 80): feederd,
        }
        for entry, program in expected.items():
            covered = [have for have in found if have[0] == entry[0] and
                       (have == entry or (have[1] == "domain" and entry[2].endswith(have[2])))]
            self.assertTrue(covered, f"{entry} not in {list(found)}")
        self.assertTrue([have for have in found if have[1:3] == ("role", "resolver") and have[3] == 53])

    def test_short_job_is_attributed(self):
        programs = {connection["program"] for connection in self.policy["connections"]}
        self.assertIn("/opt/feeder/bin/portion", programs)

    def test_names(self):
        self.assertEqual({name for name in self.policy["names"] if name.endswith("feeder.example")},
                         {f"{host}.feeder.example" for host in ("api", "time", "log", "update")})
        self.assertNotIn("edge7.cdn.example", self.policy["names"])  # nobody asked for the CNAME's target

    def test_it_is_a_valid_profile(self):
        self.assertEqual(rtguard("check", self.work / "live.json").returncode, 0)
        self.assertEqual(self.profile["evidence"]["capture"]["dropped"], 0)
        self.assertEqual(self.profile["evidence"]["process_events"]["lost"], 0)

    def test_recording_gives_the_same(self):
        done = rtguard("learn", "--pcap", self.work / "all.pcap", "-o", self.work / "recorded.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        recorded = load(self.work / "recorded.json")["policy"]
        self.assertEqual(sorted(set(map(tuple_of, self.policy["connections"]))),
                         sorted(set(map(tuple_of, recorded["connections"]))))
        self.assertEqual(self.policy["names"], recorded["names"])
        self.assertEqual({(entry["protocol"], entry["port"]) for entry in self.policy["listeners"]},
                         {(entry["protocol"], entry["port"]) for entry in recorded["listeners"]})

    def test_replay_blocks_nothing(self):
        done = rtguard("replay", self.work / "live.json", self.work / "all.pcap", "--json")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_replay_blocks_what_was_not_learnt(self):
        profile = load(self.work / "live.json")
        profile["policy"]["connections"] = [connection for connection in profile["policy"]["connections"]
                                            if connection.get("port") not in (8883, "any")]
        import json
        (self.work / "less.json").write_text(json.dumps(profile))
        done = rtguard("replay", self.work / "less.json", self.work / "all.pcap", "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        result = json.loads(done.stdout)
        self.assertGreater(result["blocked"], 0)
        self.assertEqual(len(result["blocked_starts"]), result["blocked"])
        # whatever else the vendor's domain covered is blocked with it, the rest of the profile is not
        ports = {blocked["port"] for blocked in result["blocked_starts"]}
        self.assertIn(8883, ports)
        self.assertLessEqual(ports, {80, 443, 8883})


if __name__ == "__main__":
    harness.main()

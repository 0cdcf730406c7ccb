#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules for connections as part of `rtguard enforce`, from start to stop: what others have in their tables stays as it is,
what was killed leaves the rules in force, what was stopped leaves nothing, and modes, profiles and programs change with
them. tests/network tries what the rules do."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "network"))
sys.dont_write_bytecode = True

import enforced  # noqa: E402
import guarded  # noqa: E402
import resolver  # noqa: E402
from guarded import connection, listener, profile_of  # noqa: E402
from harness import wait_until  # noqa: E402
from world import harness  # noqa: E402

guarded.need()
harness.need_tools("ldd", "iptables-legacy")

API, OTHER, STRANGER = "203.0.113.10", "203.0.113.20", "198.51.100.200"
PROFILE = profile_of([connection("tcp", f"address {API}/32", 80)], [listener("tcp", 8080)])
NEXT = profile_of([connection("tcp", f"address {OTHER}/32", 80)])
OTHERS = """
add table ip filter_of_others
add chain ip filter_of_others out { type filter hook output priority 5; policy accept; }
add rule ip filter_of_others out ip daddr 192.0.2.99 counter drop comment "not ours"
add set ip filter_of_others known { type ipv4_addr; elements = { 192.0.2.1 } }
"""


def put_others(host):
    """Tables of somebody else, before ours and beside them."""
    host.must("nft", "-f", "-", input=OTHERS)
    host.must("ipset", "create", "of-others", "hash:ip")
    host.must("ipset", "add", "of-others", "192.0.2.7")
    for command in ("iptables-legacy", "ip6tables-legacy"):
        host.must(command, "-N", "OTHERS")
        host.must(command, "-A", "OTHERS", "-p", "tcp", "--dport", "23", "-j", "DROP")
        host.must(command, "-A", "OUTPUT", "-j", "OTHERS")
        host.must(command, "-A", "INPUT", "-p", "udp", "--dport", "7", "-j", "DROP")
        host.must(command, "-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "--dport", "9", "-j", "MARK", "--set-mark", "1")
    host.must("iptables-legacy", "-A", "INPUT", "-m", "set", "--match-set", "of-others", "src", "-j", "DROP")


def all_tables(host):
    """What others and we have in the kernel, as text without counters."""
    text = {"nft": host.must("nft", "-s", "list", "ruleset"), "ipset": host.must("ipset", "list", "-o", "save")}
    for command in ("iptables-legacy-save", "ip6tables-legacy-save"):
        for table in ("filter", "mangle"):
            lines = host.must(command, "-t", table).splitlines()
            text[f"{command} {table}"] = "\n".join(
                line.partition(" [")[0] if line.startswith(":") else line for line in lines if not line.startswith("#"))
    return text


def tables_of_others(host):
    """The same without what is ours: our table, our sets, our chains and the jumps to them."""
    text = all_tables(host)
    text["nft"] = host.must("nft", "-s", "list", "table", "ip", "filter_of_others")
    for name, lines in text.items():
        text[name] = "\n".join(line for line in lines.splitlines() if "rtguard" not in line.lower())
    return text


class RulesCase(guarded.NetworkCase):
    def hold(self, *options):
        guard = self.guarded(PROFILE, *options)
        self.assert_holds()
        return guard

    def assert_holds(self, permitted=API, refused=(OTHER, STRANGER)):
        self.assert_connects(permitted, 80)
        for target in refused:
            self.assertFalse(self.reaches(target, 80), target)

    def assert_open(self):
        for target in (API, OTHER, STRANGER):
            self.assertTrue(self.reaches(target, 80), target)

    def assert_nothing_left(self):
        for name, text in all_tables(self.appliance).items():
            self.assertNotIn("rtguard", text.lower(), name)

    def assert_found(self, guard, action):
        """Somebody whom no finding of the last minute is about."""
        self.found = getattr(self, "found", 0) + 1
        target = f"93.184.0.{self.found}"
        self.assertEqual(self.reaches(target, 80), action == "reported")
        self.assertTrue(wait_until(lambda: [event for event in guard.findings("connection-unknown")
                                            if (event["remote"], event["action"]) == (target, action)], 10), guard.findings())

    def stop_left(self, guard):
        """rtguard stop where the rules are."""
        return self.appliance.run(harness.RTGUARD, "stop", "--control", guard.control)

    def kill(self, guard):
        """The supervisor alone, without a word."""
        guard.supervisor.kill()
        guard.supervisor.wait()
        for pid in guard.processes("rtguard"):
            os.kill(pid, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not guard.processes()), "workers outlive their supervisor")


class Both:
    """Under each backend."""

    def test_tables_of_others(self):
        put_others(self.appliance)
        before = all_tables(self.appliance)
        others = tables_of_others(self.appliance)
        guard = self.hold()
        self.assertEqual(tables_of_others(self.appliance), others)
        guard.reload(NEXT)
        self.assert_holds(OTHER, (API, STRANGER))
        self.assertEqual(tables_of_others(self.appliance), others)
        self.kill(guard)
        self.assert_holds(OTHER, (API, STRANGER))
        self.assertEqual(tables_of_others(self.appliance), others)
        self.assertIn("another network namespace", guard.ask("stop").stderr)  # that of the test
        done = self.stop_left(guard)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("removed", done.stdout)
        self.assertEqual(all_tables(self.appliance), before)
        self.assertEqual(self.stop_left(guard).returncode, 2)  # nothing is there any more
        guard.start()
        self.assertEqual(tables_of_others(self.appliance), others)
        self.assertEqual(guard.stop().returncode, 0)
        self.assertEqual(all_tables(self.appliance), before)
        self.assert_open()

    def test_the_next_one_takes_over(self):
        guard = self.hold()
        once = {name: text.count("\n") for name, text in all_tables(self.appliance).items()}
        for _ in range(2):
            self.kill(guard)
            self.assertFalse(self.reaches(STRANGER, 80))
            guard.start()
            self.assert_holds()
        self.assertEqual({name: text.count("\n") for name, text in all_tables(self.appliance).items()}, once)
        self.assertEqual(guard.stop().returncode, 0)
        self.assert_nothing_left()

    def test_a_start_that_fails(self):
        """Leaves nothing where nothing was; and what a killed one left, as it is."""
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, self.BACKEND)
        self.stack.callback(guard.__exit__)
        guard.launch("--settings", "no-such-setting")
        self.assertEqual(guard.supervisor.wait(20), 2)
        guard.launch(before=("setpriv", "--bounding-set", "-net_admin"))
        self.assertEqual(guard.supervisor.wait(20), 2)
        self.assertIn("--programs-only", guard.said())
        self.assert_nothing_left()
        guard.start()
        self.kill(guard)
        guard.launch("--settings", "no-such-setting")
        self.assertEqual(guard.supervisor.wait(20), 2)
        self.assert_holds()

    def test_confirm(self):
        guard = self.hold("--confirm", "4s")
        self.assertEqual(guard.status()["mode"], "enforce")
        self.assertTrue(wait_until(lambda: guard.status()["mode"] == "audit", 15))
        self.assert_open()
        self.assert_found(guard, "reported")

    def test_modes(self):
        guard = self.guarded(PROFILE, "--audit")
        self.assert_open()
        self.assertEqual(guard.ask("mode", "enforce").returncode, 0)
        self.assert_holds()
        self.assert_found(guard, "dropped")
        self.assertEqual(guard.ask("mode", "audit").returncode, 0)
        self.assert_open()
        self.assertEqual(guard.stop().returncode, 0)
        self.assert_nothing_left()

    def test_status(self):
        guard = self.hold()
        status = guard.status()
        layers = {layer["name"]: layer for layer in status["layers"]}
        self.assertTrue(layers["rules"]["on"])
        self.assertIn(self.BACKEND, layers["rules"]["reason"])
        for name in ("permission", "connector", "sweep"):
            self.assertEqual((layers[name]["on"], layers[name]["reason"]), (False, "switched off by --rules-only"))
        self.assertEqual([worker["name"] for worker in status["workers"]], ["gate"])
        self.assertEqual(status["workers"][0]["restarts"], 0)
        self.assertEqual(status["rules"]["backend"], self.BACKEND)
        self.assertTrue(wait_until(lambda: guard.status()["rules"]["refused_out"] >= 2, 10))
        self.assertIn("Refused", guard.ask("status").stdout)
        text = guard.ask("events", "--directory", guard.state / "events").stdout
        self.assertIn(f"tcp to {STRANGER} port 80", text)

    def test_the_gate_is_killed(self):
        guard = self.hold()
        for how in (signal.SIGKILL, signal.SIGSTOP):
            gate = guard.gate()
            os.kill(gate, how)
            self.assert_holds()
            self.assertTrue(wait_until(lambda: guard.gate() not in (gate, None), 10))
            self.assert_holds()
        self.assertTrue(wait_until(lambda: guard.status()["workers"][0]["restarts"] == 2))
        self.assertIn("gate-ended", guard.said())
        self.assertIn("gate-hung", guard.said())
        guard.reload(NEXT)
        self.assert_holds(OTHER, (API, STRANGER))

    def test_names_that_cannot_be_saved(self):
        self.zones["api.feeder.example"] = resolver.Zone(API)
        guard = guarded.Guard(self.appliance, self.dir, profile_of([connection("tcp", "host api.feeder.example", 80)]),
                              self.BACKEND)
        self.stack.callback(guard.__exit__)
        (guard.state / "names").mkdir(parents=True)
        guard.start()
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assert_holds()
        self.assertEqual(guard.stop().returncode, 0)
        self.assertIn("could not be kept", guard.said())
        self.assert_nothing_left()


def works_here(name):
    """What doctor found out about a backend."""
    rows = json.loads(harness.rtguard("doctor", "--json").stdout)["connections"]["rows"]
    return [row for row in rows if row["name"].endswith(name) or row["name"].startswith("legacy " + name)][0]


FOUND = {name: works_here(name) for name in guarded.BACKENDS}
DEFAULT = "nftables" if FOUND["nftables"]["good"] else "iptables"
OURS = {"nftables": "table inet rtguard", "iptables": "-j RTGUARD-OUT"}[DEFAULT]

for backend in guarded.BACKENDS:
    case = type(backend.capitalize(), (Both, RulesCase), {"BACKEND": backend})
    globals()[backend.capitalize()] = unittest.skipUnless(FOUND[backend]["good"], FOUND[backend]["says"])(case)
del case  # not once more under this name


@unittest.skipUnless(all(found["good"] for found in FOUND.values()), "one backend alone can work here")
class Changing(RulesCase):
    """What was left under one backend goes when another takes over."""

    def change(self, before, after):
        put_others(self.appliance)
        others = tables_of_others(self.appliance)
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, before)
        self.stack.callback(guard.__exit__)
        guard.start()
        self.kill(guard)
        guard.write(NEXT)
        guard.options = ("--backend", after)
        guard.start()
        self.assert_holds(OTHER, (API, STRANGER))
        text = all_tables(self.appliance)
        ours = {"nftables": "rtguard" in text["nft"].lower(),
                "iptables": "rtguard" in "".join(lines for name, lines in text.items() if name != "nft").lower()}
        self.assertEqual(ours, {before: False, after: True})
        self.assertEqual(tables_of_others(self.appliance), others)
        self.assertEqual(guard.stop().returncode, 0)
        self.assertEqual(tables_of_others(self.appliance), others)
        self.assert_nothing_left()

    def test_from_iptables_to_nftables(self):
        self.change("iptables", "nftables")

    def test_from_nftables_to_iptables(self):
        self.change("nftables", "iptables")


class Programs(RulesCase):
    """Programs and connections together, and programs alone."""
    BACKEND = DEFAULT

    def place(self, *options, profile):
        place = enforced.Place(self.dir, profile, *options)
        self.stack.enter_context(place)
        return place

    def tables(self, place):
        return "".join(place.in_network(*command) for command in (
            ("nft", "list", "ruleset"), ("iptables-legacy-save",), ("ip6tables-legacy-save",), ("ipset", "list", "-n")))

    def test_programs_only(self):
        place = self.place("--programs-only", profile=enforced.profile_of(enforced.TOOLS))
        self.assertEqual(self.tables(place), "")
        layers = {layer["name"]: layer for layer in place.status()["layers"]}
        self.assertFalse(layers["rules"]["on"])
        self.assertTrue(layers["permission"]["on"])
        self.assertIsNone(place.status()["rules"])
        place.write("/mnt/intruder", pathlib.Path("/usr/bin/true").read_bytes() + b"\n")
        self.assertNotEqual(place.run("/mnt/intruder").returncode, 0)
        self.assertEqual(place.stop().returncode, 0)
        self.assertEqual(self.tables(place), "")

    def test_both(self):
        profile = enforced.profile_of(enforced.TOOLS)
        profile["policy"]["connections"] = PROFILE["policy"]["connections"]
        place = self.place(profile=profile)
        self.assertIn(OURS, self.tables(place))
        workers = {worker["name"]: worker["restarts"] for worker in place.status()["workers"]}
        self.assertEqual(workers, {"guard": 0, "sweeper": 0, "gate": 0})
        place.write("/mnt/intruder", pathlib.Path("/usr/bin/true").read_bytes() + b"\n")
        self.assertNotEqual(place.run("/mnt/intruder").returncode, 0)
        self.assertEqual(place.run("true").returncode, 0)
        # a new gate opens what it needs under the guard
        os.kill(place.worker("gate"), signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not [layer for layer in place.status()["layers"]
                                                if layer["name"] == "rules" and "again" in layer["reason"]
                                                or "being applied" in (layer["reason"] or "")], 15))
        self.assertEqual([event for event in place.findings() if event["pid"] and event["kind"] != "program-unknown"], [])
        self.assertEqual(place.ask("reload").returncode, 0)
        self.assertEqual(place.ask("mode", "audit").returncode, 0)
        self.assertEqual(place.run("/mnt/intruder").returncode, 0)
        self.assertEqual(place.ask("mode", "enforce").returncode, 0)
        self.assertNotEqual(place.run("/mnt/intruder").returncode, 0)
        self.assertEqual(place.stop().returncode, 0)
        self.assertNotIn("rtguard", self.tables(place).lower())

    def test_the_guard_outlives_its_supervisor_with_the_rules(self):
        profile = enforced.profile_of(enforced.TOOLS)
        place = self.place(profile=profile)
        os.kill(place.supervisor_pid(), signal.SIGKILL)
        place.supervisor.wait(10)
        self.assertIn(OURS, self.tables(place))
        place.start()
        self.assertEqual(place.status()["mode"], "enforce")
        self.assertIn(OURS, self.tables(place))
        self.assertEqual(place.stop().returncode, 0)
        self.assertNotIn("rtguard", self.tables(place).lower())

    def test_rules_left_go_with_programs_only(self):
        place = self.place(profile=enforced.profile_of(enforced.TOOLS))
        os.kill(place.supervisor_pid(), signal.SIGKILL)
        place.supervisor.wait(10)
        place.options = ("--programs-only",)
        place.start()
        self.assertNotIn("rtguard", self.tables(place).lower())
        self.assertEqual(place.stop().returncode, 0)

    def test_options_that_exclude_each_other(self):
        done = harness.rtguard("enforce", "--rules-only", "--programs-only", self.dir / "profile.json")
        self.assert_trouble(done, "nothing to enforce")
        for option, value in (("--bind", "always"), ("--backend", "ebpf"), ("--queue", "65535"), ("--name-floor", "8d"),
                              ("--inbound", "all"), ("--forwarded", "drop"), ("--unknown-names", "yes")):
            self.assert_trouble(harness.rtguard("enforce", option, value), option, value, "expected")


if __name__ == "__main__":
    guarded.main()

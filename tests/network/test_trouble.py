#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""When it does not go as planned: the tables are locked, changed or flushed by others, sets are full, the kernel lacks a
part or refuses. What was in force stays in force, and a sentence says what happened."""
import fcntl
import json
import os
import pathlib
import string
import threading
import time

import guarded
import packets
import resolver
import world
from guarded import connection, listener, profile_of
from world import harness

guarded.need()

WITHOUT = os.environ.get("WITHOUT", str(harness.HERE / "../../build/tests/integration/without"))
API, OTHER, STRANGER, STRANGER6 = "203.0.113.10", "203.0.113.20", "198.51.100.200", "2001:db8:bad::1"
PROFILE = profile_of([connection("tcp", "host api.feeder.example", 80), connection("tcp", "domain cloud.example", 443)],
                     [listener("tcp", 8080)])
NEXT = profile_of([connection("tcp", f"address {OTHER}/32", 80)])


class Trouble:
    def prepare(self, *options):
        self.zones["api.feeder.example"] = resolver.Zone(API)
        guard = self.guarded(PROFILE, *options)
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assert_holds()
        return guard

    def assert_holds(self):
        """PROFILE is what is enforced."""
        self.assert_connects(API, 80)
        for target in (STRANGER, STRANGER6, OTHER):
            self.assertFalse(self.reaches(target, 80), target)

    def assert_next_holds(self):
        self.assert_connects(OTHER, 80)
        for target in (STRANGER, STRANGER6, API):
            self.assertFalse(self.reaches(target, 80), target)

    def recovers(self, seconds=15):
        """Whatever was done to the rules, they are back."""
        return harness.wait_until(lambda: not self.reaches(STRANGER, 80) and not self.reaches(STRANGER6, 80), seconds)


@guarded.under_both
class Interference(Trouble):
    def test_our_chains_are_flushed(self):
        """As a firewall script that begins with iptables -F does."""
        guard = self.prepare()
        for command in (("iptables-legacy", "-F"), ("ip6tables-legacy", "-F"), ("nft", "flush", "ruleset")):
            self.appliance.run(*command)
            self.assertTrue(self.recovers(), command)
            self.assert_holds()
            self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assertEqual(guard.stop().returncode, 0)
        self.assertNotIn("rtguard", world.tables_of(self.appliance).lower())

    def test_our_jumps_are_taken_out(self):
        self.prepare()
        if self.BACKEND == "nftables":
            self.appliance.must("nft", "delete", "table", "inet", "rtguard")
        else:
            for command in ("iptables-legacy", "ip6tables-legacy"):
                for chain in ("OUTPUT", "INPUT", "FORWARD"):
                    self.appliance.must(command, "-D", chain, "1")
        self.assertTrue(self.recovers())
        self.assert_holds()

    def test_a_rule_before_ours(self):
        """Somebody's rule that accepts everything, at the first place."""
        self.prepare()
        if self.BACKEND == "nftables":
            chains = [line.split()[1] for line in self.appliance.must("nft", "list", "table", "inet", "rtguard").splitlines()
                     if line.strip().startswith("chain")]
            for name in chains:
                self.appliance.must("nft", "insert", "rule", "inet", "rtguard", name, "accept")
        else:
            for command in ("iptables-legacy", "ip6tables-legacy"):
                self.appliance.must(command, "-I", "OUTPUT", "1", "-j", "ACCEPT")
        self.assertTrue(self.recovers())
        self.assert_holds()

    def test_others_commit_meanwhile(self):
        """A script that adds and takes away rules while ours are replaced again and again: both get what they want."""
        guard = self.prepare()
        over, failed = threading.Event(), []

        def script():
            number = 0
            while not over.is_set():
                for command in ("iptables-legacy", "ip6tables-legacy"):
                    done = self.appliance.run(command, "-w", "20", "-A", "INPUT", "-p", "tcp", "--dport", str(10000 + number), "-j", "DROP")
                    if done.returncode != 0:
                        failed.append(done.stderr)
                self.appliance.run("nft", f"add table ip t{number}")
                number += 1
                time.sleep(0.3)  # libnftables reads again whatever changed while it read
            self.count = number
        thread = threading.Thread(target=script)
        thread.start()
        for _ in range(6):
            guard.reload(NEXT)
            self.assert_next_holds()
            guard.reload(PROFILE)
        over.set()
        thread.join()
        self.assertEqual(failed, [])
        text = world.tables_of(self.appliance)
        for number in range(self.count):
            self.assertEqual(text.count(f"--dport {10000 + number} -j DROP"), 2, number)
            self.assertIn(f"table ip t{number} ", text)
        self.assertFalse(self.reaches(STRANGER, 80))


@guarded.under_both
class Full(Trouble):
    def test_more_addresses_than_fit(self):
        """Answers with more addresses than sets hold: what is let through can be reached, the rest fails."""
        def zone(question):
            number = int(question.name.split(".")[0][1:])
            return resolver.Zone(*(f"93.184.{number}.{n}" for n in range(1, 65)), ttl=600)
        self.zones["*"] = zone
        self.prepare()
        probes = []
        for number in range(256):
            answer = self.stub.ask(f"n{number}.cloud.example", edns=4096)
            self.assertIsNotNone(answer)
            probes += [self.prober.make("answered", packets.tcp, target, 443) for target in answer.addresses[::21]]
        self.assertGreater(len(probes), 500)
        self.assert_arrivals([True] * len(probes), self.arrivals(probes), probes)
        self.assert_holds()

    def test_flood_of_refused(self):
        """The log of refused packets overflows: nothing else suffers."""
        guard = self.prepare()
        probes = [self.prober.make("flood", packets.udp, f"93.184.{n % 250}.{n // 250}", 9, sport=20000 + n % 40000) for n in range(20000)]
        self.world.capture.settle(0.02)
        for start in range(0, len(probes), 5000):
            self.sender.send_all(probes[start:start + 5000])
            self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assertFalse([packet for _, packet in self.world.capture.settle() if b"probe:" in packet])
        self.assert_holds()
        self.assertTrue(harness.wait_until(lambda: guard.findings("connection-unknown"), 5))
        self.assertLess(len(guard.findings()), 5000)  # they are told of, not one by one

    def test_flood_of_questions(self):
        """More questions than the queue holds, then one."""
        self.prepare()
        with self.stub.open() as asker:
            for number in range(20000):
                asker.sendto(resolver.question_bytes(number & 0xffff, f"n{number}.evil.example", resolver.A), (world.ROUTER, 53))
        self.assertTrue(harness.wait_until(lambda: self.stub.addresses("api.feeder.example", timeout=0.5) == [API], 20))
        self.assertEqual(self.resolver.names_asked(), {"api.feeder.example"})
        self.assert_holds()


@guarded.under_both
class Refused(Trouble):
    def test_broken_profile(self):
        guard = self.prepare()
        guard.profile.write_text('{"format": "rtguard-profile/1", "policy": {"connections": [{"protocol": "tcp"}]}}')
        self.assertEqual(guard.ask("reload").returncode, 2)
        self.assert_holds()
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])

    def test_unknown_backend(self):
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, "ebpf")
        self.stack.callback(guard.__exit__)
        guard.launch()
        self.assertEqual(guard.supervisor.wait(20), 2)
        self.assertIn("ebpf", guard.said())
        self.assertTrue(self.reaches(STRANGER, 80))

    def test_backend_by_choice(self):
        guard = self.prepare()
        self.assertIn(f'"{self.BACKEND}"', json.dumps(guard.status()))
        text = world.tables_of(self.appliance)
        self.assertEqual("table inet rtguard" in text, self.BACKEND == "nftables")
        self.assertEqual("RTGUARD-" in text, self.BACKEND == "iptables")

    def test_change_of_backend(self):
        """What an earlier run left by the other backend goes, without a moment in which nothing holds."""
        other = [name for name in guarded.BACKENDS if name != self.BACKEND][0]
        guard = self.prepare()
        guard.end()
        self.assertFalse(self.reaches(STRANGER, 80))
        guard.options = ("--backend", other)
        guard.start()
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assert_holds()
        text = world.tables_of(self.appliance)
        self.assertEqual("table inet rtguard" in text, other == "nftables")
        self.assertEqual("RTGUARD-" in text, other == "iptables")
        self.assertEqual(guard.stop().returncode, 0)
        self.assertNotIn("rtguard", world.tables_of(self.appliance).lower())

    def test_no_netfilter(self):
        """Neither can work: nothing is half in force, and it is said."""
        if not pathlib.Path(WITHOUT).exists():
            self.skipTest("built without libseccomp")
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, self.BACKEND)
        self.stack.callback(guard.__exit__)
        guard.launch(before=(WITHOUT, "netfilter"))
        self.assertEqual(guard.supervisor.wait(20), 2)
        self.assertRegex(guard.said(), r"CONFIG_|netfilter|netlink")
        self.assertTrue(self.reaches(STRANGER, 80))


class WithoutLegacyTables(guarded.NetworkCase, Trouble):
    """A kernel that was built without them, as PREEMPT_RT ones are."""

    def launch(self, *options):
        if not pathlib.Path(WITHOUT).exists():
            self.skipTest("built without libseccomp")
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, "nftables")
        guard.options = options
        self.stack.callback(guard.__exit__)
        guard.launch(before=(WITHOUT, "iptables"))
        return guard

    def test_forced(self):
        guard = self.launch("--backend", "iptables")
        self.assertEqual(guard.supervisor.wait(20), 2)
        self.assertRegex(guard.said(), "CONFIG_(NETFILTER_XTABLES_LEGACY|IP_NF_IPTABLES)")
        self.assertTrue(self.reaches(STRANGER, 80))

    def test_chosen(self):
        self.zones["api.feeder.example"] = resolver.Zone(API)
        guard = self.launch()
        self.assertTrue(harness.wait_until(guard.answers, 20), guard.said())
        self.assertIn('"nftables"', json.dumps(guard.status()))
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assert_holds()


class Lock(guarded.NetworkCase, Trouble):
    """The lock of iptables is in somebody else's hands."""
    BACKEND = "iptables"

    def hold(self):
        path = f"/proc/{self.appliance.inside}/root/run/xtables.lock"
        self.assertNotEqual(os.stat(os.path.dirname(path)).st_dev, os.stat("/run").st_dev)  # not this machine's
        descriptor = os.open(path, os.O_CREAT | os.O_RDONLY, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def test_briefly(self):
        lock = self.hold()
        self.zones["api.feeder.example"] = resolver.Zone(API)
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, "iptables")
        self.stack.callback(guard.__exit__)
        guard.launch()
        time.sleep(3)
        os.close(lock)
        self.assertTrue(harness.wait_until(guard.answers, 20), guard.said())
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.assert_holds()

    def test_for_half_a_minute(self):
        guard = self.prepare()
        lock = self.hold()
        begin = time.monotonic()
        guard.write(NEXT)
        replies = []
        reload = threading.Thread(target=lambda: replies.append(guard.ask("reload", timeout=60)))
        reload.start()
        while time.monotonic() < begin + 30:
            self.assert_holds()
            if time.monotonic() > begin + 12:  # the reload has given up: names do not need the lock
                self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
            time.sleep(1)
        os.close(lock)
        reload.join()
        if replies[0].returncode == 2:
            self.assertIn("lock", replies[0].stderr)
            self.assert_holds()
        guard.reload(NEXT)
        self.assert_next_holds()

    def test_at_start(self):
        lock = self.hold()
        guard = guarded.Guard(self.appliance, self.dir, PROFILE, "iptables")
        self.stack.callback(guard.__exit__)
        guard.launch()
        self.assertEqual(guard.supervisor.wait(40), 2)
        self.assertIn("lock", guard.said())
        os.close(lock)
        self.assertNotIn("rtguard", world.tables_of(self.appliance).lower())
        guard.start()
        self.assertFalse(self.reaches(STRANGER, 80))

    def occupy(self, names):
        """Somebody's sets by these names, in use."""
        self.appliance.must("ipset", "restore", input="".join(f"create {name} list:set\n" for name in names))
        self.appliance.must("iptables-legacy-restore", "--noflush", input="*mangle\n" + "".join(
            f"-A OUTPUT -m set --match-set {name} dst\n" for name in names) + "COMMIT\n")

    def test_a_set_that_cannot_be_replaced(self):
        """There is no way to the next rules: those in force stay, whole, and it is said why."""
        guard = self.prepare()
        used = {name[len("rtguard-")] for name in self.appliance.must("ipset", "list", "-n").split()}
        self.occupy([f"rtguard-{letter}4-lan" for letter in string.ascii_lowercase if letter not in used])
        guard.write(NEXT)
        done = guard.ask("reload")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("set", done.stderr)
        self.assert_holds()
        self.assertEqual(self.stub.addresses("api.feeder.example"), [API])
        self.appliance.must("iptables-legacy", "-t", "mangle", "-F")
        guard.reload(NEXT)
        self.assert_next_holds()

    def test_the_names_of_sets_are_taken(self):
        """Somebody has sets by the names that ours would get next, and uses them: they stay, ours get other names."""
        guard = self.prepare()
        twins = [name.replace("rtguard-a", "rtguard-b") if "rtguard-a" in name else name.replace("rtguard-b", "rtguard-a")
                 for name in self.appliance.must("ipset", "list", "-n").split()]
        self.occupy(twins)
        guard.reload(NEXT)
        self.assert_next_holds()
        self.assertEqual(set(twins) - set(self.appliance.must("ipset", "list", "-n").split()), set())


if __name__ == "__main__":
    guarded.main()

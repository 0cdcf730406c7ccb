#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the profile names the program, only that program may open the connection."""
import contextlib
import os
import shutil
import signal
import threading
import time

import guarded
import packets
import resolver
from guarded import connection, profile_of
from world import harness

guarded.need()
harness.need_tools("bash")

API, API6, TIME, FREE = "203.0.113.10", "2001:db8:77::10", "203.0.113.20", "203.0.113.50"
OWN, OTHER = "/mnt/own/client", "/mnt/other/client"
PROFILE = profile_of([
    connection("tcp", "host api.feeder.example", 80, OWN),
    connection("udp", "host time.feeder.example", 123, OWN),
    connection("tcp", f"address {FREE}/32", 443),
    connection("tcp", f"address {FREE}/32", 80, OWN),
])
TALK = 'exec 3<>/dev/{0}/{1}/{2} || exit 1; {3} IFS= read -r -t 0.9 -N 5 word <&3 && printf %s "$word"'


@guarded.under_both
class Bound:
    def setUp(self):
        super().setUp()
        self.zones["api.feeder.example"] = resolver.Zone(API, API6)
        self.zones["time.feeder.example"] = resolver.Zone(TIME)
        for path in (OWN, OTHER):
            self.appliance.must("mkdir", "-p", os.path.dirname(path))
            self.appliance.must("cp", shutil.which("bash"), path)

    def prepare(self, *options):
        guard = self.guarded(PROFILE, *options)
        self.stub.ask("api.feeder.example")
        self.stub.ask("api.feeder.example", resolver.AAAA)
        self.stub.ask("time.feeder.example")
        return guard

    def talks(self, program, target, port, protocol="tcp"):
        first = "printf hello >&3;" if protocol == "udp" else ""
        begin = time.monotonic()
        done = self.appliance.run("timeout", "--signal=KILL", "1", program, "-c", TALK.format(protocol, target, port, first))
        self.lasted = time.monotonic() - begin
        return done.stdout == "hello"

    def silent(self, program, target, port, protocol="tcp"):
        """Nothing gets out, not even a first packet."""
        self.world.capture.settle(0.05)
        self.assertFalse(self.talks(program, target, port, protocol), (program, target, port))
        there = packets.packed(target)
        self.assertFalse([packet for _, packet in self.world.capture.settle() if there in packet[:40]], (program, target, port))

    def test_own_and_other(self):
        guard = self.prepare()
        for target, port, protocol in ((API, 80, "tcp"), (API6, 80, "tcp"), (TIME, 123, "udp"), (FREE, 80, "tcp")):
            self.assertTrue(self.talks(OWN, target, port, protocol), (target, port))
            self.assertLess(self.lasted, guarded.QUICK)
            self.silent(OTHER, target, port, protocol)
            self.assertTrue(self.talks(OWN, target, port, protocol), (target, port))
        for program in (OWN, OTHER):
            self.assertTrue(self.talks(program, FREE, 443))
            self.silent(program, API, 443)
            self.silent(program, TIME, 124, "udp")
        self.assertTrue(harness.wait_until(lambda: guard.findings("connection-program"), 5))
        self.assertTrue([finding for finding in guard.findings("connection-program") if OTHER in str(finding)])

    def test_sockets_of_nobody(self):
        """A packet without a socket, and one whose socket is in no process that can be seen here."""
        self.prepare()
        for target, port, kind in ((API, 80, packets.tcp), (API6, 80, packets.tcp), (TIME, 123, packets.udp)):
            self.assertFalse(self.reaches(target, port, kind))
        self.assertIsNone(self.connect(API, 80))
        self.assertTrue(self.reaches(FREE, 443))

    def test_same_five_tuple(self):
        """Another program cannot go on with what its owner opened: raw packets of the same flow are the only way, and the
        flow of the owner lives on meanwhile."""
        self.prepare()
        asking = threading.Thread(target=lambda: self.assertTrue(self.talks(OWN, API, 80)))
        asking.start()
        self.silent(OTHER, API6, 80)
        asking.join()

    def test_many(self):
        """Every first packet passes, side by side with those that do not."""
        self.prepare()
        results = []

        def work(program, wanted):
            for _ in range(15):
                results.append(self.talks(program, API, 80) == wanted)
        threads = [threading.Thread(target=work, args=pair) for pair in ((OWN, True), (OWN, True), (OTHER, False))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results.count(False), 0)

    def test_long_path(self):
        """A path that begins like the learnt one, a link to it, a copy that was moved over."""
        self.prepare()
        self.appliance.must("cp", OTHER, OWN + "2")
        self.silent(OWN + "2", API, 80)
        self.appliance.must("ln", "-s", OWN, "/mnt/other/link")
        self.assertTrue(self.talks("/mnt/other/link", API, 80))  # it runs the learnt file
        self.silent("/mnt/other/client", API, 80)

    def test_path_of_a_mount_namespace(self):
        """Another program mounted over the learnt one's path, where only its own process sees it there."""
        self.prepare()
        script = f'mount --bind {OTHER} {OWN} && exec timeout --signal=KILL 1 {OWN} -c "$0"'
        done = self.appliance.run("unshare", "--mount", "sh", "-c", script, TALK.format("tcp", API, 80, ""))
        self.assertEqual(done.stdout, "", done.stderr)
        self.assertTrue(self.talks(OWN, API, 80))

    def test_the_gate_is_away(self):
        guard = self.prepare()
        gate = guard.gate()
        os.kill(gate, signal.SIGSTOP)
        self.silent(OWN, API, 80)
        self.assertTrue(self.talks(OTHER, FREE, 443))
        with contextlib.suppress(ProcessLookupError):  # it may have been ended for not answering
            os.kill(gate, signal.SIGKILL)
        self.assertTrue(harness.wait_until(lambda: guard.gate() not in (None, gate), 20))
        self.assertTrue(harness.wait_until(lambda: self.stub.addresses("api.feeder.example", timeout=0.5) == [API], 20))
        self.assertTrue(harness.wait_until(lambda: self.talks(OWN, API, 80), 20))
        self.silent(OTHER, API, 80)

    def test_sends_and_goes(self):
        """A datagram whose sender ends right after it: passes where it can still be known, and else is refused; the
        other program's never passes."""
        self.prepare()
        self.world.capture.settle(0.05)
        for program, mark in ((OWN, "mine"), (OTHER, "alien")):
            for _ in range(10):
                self.appliance.run(program, "-c", f"printf {mark} >/dev/udp/{TIME}/123")
        seen = [packet for _, packet in self.world.capture.settle()]
        self.assertFalse([packet for packet in seen if packet.endswith(b"alien")])

    def test_off_by_option(self):
        self.prepare("--bind", "none")
        for program in (OWN, OTHER):
            for target, port, protocol in ((API, 80, "tcp"), (API6, 80, "tcp"), (TIME, 123, "udp")):
                self.assertTrue(self.talks(program, target, port, protocol), (program, target, port))
            self.silent(program, API, 443)


if __name__ == "__main__":
    guarded.main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names stay true: what a resolver answers for a learnt name can be reached, from the first packet on, for as long as the
answer holds; nothing else can be asked or reached; and none of it depends on the gate being there all the time."""
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import guarded
import resolver
import world
from guarded import connection, profile_of
from resolver import AAAA, NXDOMAIN, SERVFAIL, Zone
from world import ROUTER, harness

guarded.need()
harness.need_tools("dnsmasq", "getent")

MOST = 64  # addresses of one answer that count: DNS_ADDRESSES_MAX

PROFILE = profile_of([
    connection("tcp", "host api.feeder.example", 80),
    connection("tcp", "domain cloud.example", 443),
    connection("tcp", "pattern ingest-#.farm.example", 8883),
    connection("udp", "host time.feeder.example", 123),
], names=["only-asked.example"])


class Mover:
    """A zone whose address is another one each time that it is asked, after a while."""

    def __init__(self, addresses, every, ttl):
        self.addresses = addresses
        self.every = every
        self.ttl = ttl
        self.begin = time.monotonic()

    def __call__(self, question):
        now = int((time.monotonic() - self.begin) / self.every) % len(self.addresses)
        return Zone(*self.addresses[now], ttl=self.ttl)


@guarded.under_both
class Moving:
    """A name that moves."""

    def test_under_load(self):
        """New addresses every 2 s with a TTL of 5 s; 50 connections a second, by addresses that are valid as DNS has it."""
        self.zones["api.feeder.example"] = Mover(
            [(f"93.184.{n}.10", f"93.184.{n}.11", f"2001:db8:{n:x}::10") for n in range(1, 30)], 2, 5)
        self.guarded(PROFILE)
        failures, done, addresses = [], [0], set()

        def work(kind, stub, end):
            found, valid_until = [], 0
            while time.monotonic() < end:
                begin = time.monotonic()
                if begin > valid_until:
                    answer = stub.ask("api.feeder.example", kind)
                    if not answer or not answer.addresses:
                        failures.append(("no answer", kind))
                        continue
                    found, valid_until = answer.addresses, begin + answer.ttl
                    addresses.update(found)
                target = found[done[0] % len(found)]
                if self.connect(target, 80) is None:
                    failures.append((target, begin))
                done[0] += 1
                time.sleep(max(0, begin + 0.04 - time.monotonic()))

        end = time.monotonic() + 30
        threads = [threading.Thread(target=work, args=(resolver.A, self.stub, end)),
                   threading.Thread(target=work, args=(AAAA, self.stub6, end))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(done[0], 30 * 40)
        self.assertGreater(len(addresses), 10)

    def test_old_addresses_expire(self):
        self.zones["api.feeder.example"] = Zone("203.0.113.10", "2001:db8:77::10", ttl=1)
        self.guarded(PROFILE, *self.brief_names())
        self.assertEqual(self.stub.addresses("api.feeder.example"), ["203.0.113.10"])
        self.assertEqual(self.stub.addresses("api.feeder.example", AAAA), ["2001:db8:77::10"])
        self.assert_connects("203.0.113.10", 80)
        self.assert_connects("2001:db8:77::10", 80)
        with self.appliance.socket(socket.AF_INET, socket.SOCK_STREAM) as lasting:
            lasting.settimeout(2)
            lasting.connect(("203.0.113.10", 80))
            self.assertEqual(lasting.recv(5), b"hello")
            self.zones["api.feeder.example"] = Zone("203.0.113.11", ttl=1)
            time.sleep(6)
            self.assertFalse(self.reaches("203.0.113.10", 80))
            self.assertFalse(self.reaches("2001:db8:77::10", 80))
            lasting.send(b"still there?")  # a connection outlives the name's address
            self.assertEqual(lasting.recv(20), b"still there?")
        self.assertEqual(self.stub.addresses("api.feeder.example"), ["203.0.113.11"])
        self.assert_connects("203.0.113.11", 80)

    def brief_names(self):
        """The shortest time that addresses are kept, where that can be said."""
        done = harness.rtguard("enforce", "--help")
        if "--name-grace" not in done.stdout:
            self.skipTest("names' floor and grace cannot be set")
        return "--name-floor", "2s", "--name-grace", "1s"


@guarded.under_both
class Names:
    """Which names may be asked for and what becomes of their addresses."""

    def test_kinds(self):
        self.zones.update({
            "api.feeder.example": Zone(alias="a.cdn.example"), "a.cdn.example": Zone(alias="b.cdn.example"),
            "b.cdn.example": Zone(alias="c.cdn.example"), "c.cdn.example": Zone("203.0.113.10", "2001:db8:77::10"),
            "cloud.example": Zone("203.0.113.50"), "x.y.cloud.example": Zone("203.0.113.51", "2001:db8:77::51"),
            "ingest-7.farm.example": Zone("203.0.113.60"), "ingest-12345.farm.example": Zone("203.0.113.61"),
            "only-asked.example": Zone("203.0.113.70"),
        })
        self.guarded(PROFILE)
        for name, target, port in (("api.feeder.example", "203.0.113.10", 80), ("cloud.example", "203.0.113.50", 443),
                                   ("x.y.cloud.example", "203.0.113.51", 443), ("ingest-7.farm.example", "203.0.113.60", 8883),
                                   ("ingest-12345.farm.example", "203.0.113.61", 8883)):
            self.assertFalse(self.reaches(target, port), name)
            self.assertEqual(self.stub.addresses(name), [target])
            self.assert_connects(target, port)
            for other in {80, 443, 8883, 22} - {port}:
                self.assertFalse(self.reaches(target, other), (name, other))
        for name, target, port in (("api.feeder.example", "2001:db8:77::10", 80), ("x.y.cloud.example", "2001:db8:77::51", 443)):
            self.assertFalse(self.reaches(target, port), name)
            self.assertEqual(self.stub6.addresses(name, AAAA), [target])
            self.assert_connects(target, port)
        # may be asked for, and opens nothing
        self.assertEqual(self.stub.addresses("only-asked.example"), ["203.0.113.70"])
        for port in (80, 443, 8883):
            self.assertFalse(self.reaches("203.0.113.70", port))

    def test_letters_do_not_matter(self):
        self.zones["api.feeder.example"] = Zone("203.0.113.10")
        self.guarded(PROFILE)
        answer = self.stub.ask("aPi.fEEder.exaMPLE")
        self.assertEqual(answer.addresses, ["203.0.113.10"])
        self.assertIn(resolver.wire_name("aPi.fEEder.exaMPLE"), answer.raw)
        self.assert_connects("203.0.113.10", 80)
        refused = self.stub.ask("nO.EXAMPLE.net")
        self.assertEqual(refused.rcode, NXDOMAIN)
        self.assertIn(resolver.wire_name("nO.EXAMPLE.net"), refused.raw)  # clients compare (draft-vixie-dnsext-dns0x20)

    def test_unknown_names_are_never_asked(self):
        """A tunnel has nothing to resolve: neither by name, type, transport, family, nor by packets that are odd."""
        self.zones["*"] = Zone("203.0.113.99", "2001:db8:77::99")
        guard = self.guarded(PROFILE)
        for name in ("evil.example", "feeder.example", "x.api.feeder.example", "xcloud.example", "cloud.example.net",
                     "ingest-.farm.example", "ingest-x.farm.example", "ingest-7.farm.example.evil.example",
                     "n2zxg5dlmvzq.n5xgyzlt.tunnel.example", "a" * 60 + "." + "b" * 60 + ".tunnel.example"):
            for stub in (self.stub, self.stub6):
                for kind in (resolver.A, AAAA, resolver.TXT):
                    answer = stub.ask(name, kind, timeout=1)
                    self.assertIsNotNone(answer, (name, kind, stub.server))
                    self.assertEqual((answer.rcode, answer.addresses), (NXDOMAIN, []))
        self.assertEqual(self.resolver.names_asked(), set())
        self.assertIsNone(self.stub.ask("evil.example", tcp=True, timeout=1))
        self.assertEqual(self.resolver.names_asked(), set())
        with self.stub.open() as sock:
            for data in (b"x" * 40, b"", resolver.question_bytes(1, "evil.example", 1)[:-3],
                         resolver.question_bytes(1, "api.feeder.example", 1) + b"payload" * 20,
                         resolver.question_bytes(1, "evil.example", 1, edns=4096),
                         b"\0\1\x01\0\0\2\0\0\0\0\0\0" + (resolver.wire_name("api.feeder.example") + b"\0\1\0\1") +
                         (resolver.wire_name("evil.example") + b"\0\1\0\1"),
                         b"\0\1\x81\x80" + resolver.question_bytes(1, "evil.example", 1)[4:]):
                sock.sendto(data, (ROUTER, 53))
        time.sleep(0.5)
        asked = [question and question.name for question in self.resolver.asked]
        self.assertEqual([name for name in asked if name != "api.feeder.example"], [])
        self.assertFalse([question for question in self.resolver.asked if b"payload" in question.raw])
        self.assertTrue(harness.wait_until(lambda: guard.findings("name-unknown"), 5))
        self.assertTrue([finding for finding in guard.findings("name-unknown") if "evil.example" in str(finding)])

    def test_truncated(self):
        self.zones["api.feeder.example"] = Zone(*(f"93.184.1.{n}" for n in range(1, MOST + 1)), truncate=True)
        self.guarded(PROFILE)
        answer = self.stub.ask("api.feeder.example")
        self.assertEqual((answer.truncated, answer.addresses), (True, []))
        for stub in (self.stub, self.stub6):
            answer = stub.ask("api.feeder.example", tcp=True)
            self.assertIsNotNone(answer)
            self.assertEqual(len(answer.addresses), MOST)
        for target in answer.addresses[::9]:
            self.assert_connects(target, 80)

    def test_fragmented(self):
        """An answer of more than one packet, over IPv4 and IPv6."""
        filling = [resolver.record("api.feeder.example", resolver.TXT, 60, b"\xfa" + b"x" * 250) for _ in range(4)]
        self.zones["api.feeder.example"] = Zone(*(f"93.184.2.{n}" for n in range(1, MOST + 1)),
                                                *(f"2001:db8:2::{n:x}" for n in range(1, MOST + 1)), extra=filling)
        self.guarded(PROFILE)
        answer = self.stub.ask("api.feeder.example", edns=4096)
        self.assertIsNotNone(answer)
        self.assertEqual(len(answer.addresses), MOST)
        self.assertGreater(len(answer.raw), 1500)
        for target in (*answer.addresses[:3], *answer.addresses[-3:]):
            self.assert_connects(target, 80)
        answer = self.stub6.ask("api.feeder.example", AAAA, edns=4096)
        self.assertIsNotNone(answer)
        self.assertEqual(len(answer.addresses), MOST)
        self.assertGreater(len(answer.raw), 2000)
        for target in (*answer.addresses[:3], *answer.addresses[-3:]):
            self.assert_connects(target, 80)

    def test_slow_and_failing_resolver(self):
        self.zones["api.feeder.example"] = Zone("203.0.113.10", delay=1)
        self.zones["time.feeder.example"] = Zone(rcode=SERVFAIL)
        self.guarded(PROFILE)
        self.assertEqual(self.stub.addresses("api.feeder.example"), ["203.0.113.10"])
        self.assert_connects("203.0.113.10", 80)
        self.assertEqual(self.stub.ask("time.feeder.example").rcode, SERVFAIL)

    def test_permitted_unknown_names(self):
        self.zones["evil.example"] = Zone("203.0.113.99")
        self.guarded(PROFILE, "--unknown-names", "permit")
        self.assertEqual(self.stub.addresses("evil.example"), ["203.0.113.99"])
        self.assertFalse(self.reaches("203.0.113.99", 80))
        self.assertFalse(self.reaches("203.0.113.99", 443))


@guarded.under_both
class Restarts:
    """Who holds the answers is away."""

    def test_dns_is_down_at_start(self):
        """Last good addresses of the run before, and of the evidence."""
        self.zones["api.feeder.example"] = Zone("203.0.113.10", "2001:db8:77::10", ttl=5)
        profile = profile_of([connection("tcp", "host api.feeder.example", 80), connection("tcp", "host log.feeder.example", 8883)],
                             addresses={"log.feeder.example": ["203.0.113.30"], "evil.example": ["203.0.113.66"]})
        guard = self.guarded(profile)
        self.assertEqual(self.stub.addresses("api.feeder.example"), ["203.0.113.10"])
        self.assertEqual(self.stub.addresses("api.feeder.example", AAAA), ["2001:db8:77::10"])
        self.assertEqual(guard.stop().returncode, 0)
        self.resolver.close()
        guard.start()
        for target, port in (("203.0.113.10", 80), ("2001:db8:77::10", 80), ("203.0.113.30", 8883)):
            self.assert_connects(target, port)
        for target, port in (("203.0.113.66", 80), ("203.0.113.66", 8883), ("203.0.113.30", 80), ("203.0.113.10", 8883)):
            self.assertFalse(self.reaches(target, port), target)

    def test_everything_was_killed(self):
        """As a reboot does it: nobody could tidy up."""
        self.zones["api.feeder.example"] = Zone("203.0.113.10", ttl=5)
        guard = self.guarded(PROFILE)
        self.assertEqual(self.stub.addresses("api.feeder.example"), ["203.0.113.10"])
        guard.end()
        self.assert_connects("203.0.113.10", 80)  # the rules stayed
        self.assertFalse(self.reaches("203.0.113.11", 80))
        self.resolver.close()
        guard.start()
        self.assert_connects("203.0.113.10", 80)
        self.assertFalse(self.reaches("203.0.113.11", 80))

    def test_the_gate_is_killed(self):
        self.zones["api.feeder.example"] = Zone("203.0.113.10")
        self.zones["cloud.example"] = Zone("203.0.113.50")
        guard = self.guarded(PROFILE)
        self.assertEqual(self.stub.addresses("api.feeder.example"), ["203.0.113.10"])
        for _ in range(3):
            gate = guard.gate()
            self.assertIsNotNone(gate)
            os.kill(gate, signal.SIGSTOP)
            self.resolver.asked.clear()
            answer = self.stub.ask("evil.example", timeout=0.3)
            self.assertTrue(answer is None or guard.gate() != gate and answer.rcode == NXDOMAIN)
            self.assertTrue(self.stub.ask("cloud.example", timeout=0.3) is None or guard.gate() != gate)
            self.assertNotIn("evil.example", self.resolver.names_asked())
            self.assert_connects("203.0.113.10", 80)
            self.assertFalse(self.reaches("203.0.113.11", 80))
            with contextlib.suppress(ProcessLookupError):  # it may have been ended for not answering
                os.kill(gate, signal.SIGKILL)
            self.assert_connects("203.0.113.10", 80)
            self.assertFalse(self.reaches("203.0.113.11", 80))
            self.assertTrue(harness.wait_until(lambda: guard.gate() not in (None, gate), 20))
            self.assertTrue(harness.wait_until(lambda: self.stub.addresses("cloud.example", timeout=0.5) == ["203.0.113.50"], 20))
            self.assert_connects("203.0.113.50", 443)
            self.assert_connects("203.0.113.10", 80)

    def test_answers_wait_for_nobody(self):
        """An answer that is under way while the gate dies does not get through before it is known."""
        self.zones["cloud.example"] = Zone("203.0.113.50", delay=0.4)
        guard = self.guarded(PROFILE)
        result = []
        asking = threading.Thread(target=lambda: result.append(self.stub.ask("cloud.example", timeout=1)))
        asking.start()
        self.assertTrue(harness.wait_until(lambda: self.resolver.asked, 2))
        os.kill(guard.gate(), signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(guard.gate(), signal.SIGKILL)
        asking.join()
        if result[0] is not None and result[0].rcode == 0:  # only if the next gate knows it
            self.assert_connects("203.0.113.50", 443)

    def test_the_reader_is_killed(self):
        self.zones["api.feeder.example"] = Zone("203.0.113.10")
        guard = self.guarded(PROFILE)
        for _ in range(2):
            for pid in guard.processes("rtguard-reader"):
                os.kill(pid, signal.SIGKILL)
            self.assertTrue(harness.wait_until(
                lambda: self.stub.addresses("api.feeder.example", timeout=0.5) == ["203.0.113.10"], 20))
            self.assert_connects("203.0.113.10", 80)
            self.assertEqual(self.stub.ask("evil.example").rcode, NXDOMAIN)


@guarded.under_both
class LocalCache:
    """dnsmasq on the appliance, asked at 127.0.0.1, as many devices have it."""

    def test_dnsmasq(self):
        self.zones["api.feeder.example"] = Zone(alias="edge.cdn.example", ttl=60)
        self.zones["edge.cdn.example"] = Zone("203.0.113.10", "2001:db8:77::10", ttl=2)
        self.guarded(PROFILE)
        dnsmasq = self.appliance.popen(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", "--user=root",
            "--bind-interfaces", "--listen-address=127.0.0.1", f"--server={ROUTER}", stderr=subprocess.DEVNULL)
        self.stack.callback(world.stop_process, dnsmasq)
        local = resolver.Stub(self.appliance, "127.0.0.1")
        self.assertTrue(harness.wait_until(lambda: local.addresses("api.feeder.example", timeout=0.3), 5))
        for _ in range(10):
            self.assertEqual(local.addresses("api.feeder.example"), ["203.0.113.10"])
            self.assert_connects("203.0.113.10", 80)
            self.assertEqual(local.addresses("api.feeder.example", AAAA), ["2001:db8:77::10"])
            self.assert_connects("2001:db8:77::10", 80)
            time.sleep(0.3)
        self.assertEqual(local.ask("evil.example").rcode, NXDOMAIN)
        self.assertNotIn("evil.example", self.resolver.names_asked())


@guarded.under_both
class Libc:
    """The C library's own resolver, both families in one go over one socket."""

    def test_getent(self):
        self.zones["api.feeder.example"] = Zone("203.0.113.10", "2001:db8:77::10")
        self.guarded(PROFILE)
        self.appliance.must("sh", "-c", "printf 'hosts: dns\\n' >/run/nsswitch.conf && mount --bind /run/nsswitch.conf /etc/nsswitch.conf")
        begin = time.monotonic()
        done = self.appliance.run("getent", "ahosts", "api.feeder.example")
        self.assertIn("203.0.113.10", done.stdout)
        self.assertIn("2001:db8:77::10", done.stdout)
        self.assertNotEqual(self.appliance.run("getent", "ahosts", "evil.example").returncode, 0)
        self.assertLess(time.monotonic() - begin, 3)  # no time-out was waited for
        self.assert_connects("203.0.113.10", 80)


if __name__ == "__main__":
    guarded.main()

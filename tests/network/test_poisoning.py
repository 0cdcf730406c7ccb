#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Forged answers of every kind, from the local network and from afar: none makes an address reachable, none is in a set of
the kernel, and where it can be told, none comes to who asked."""
import random
import socket
import struct
import time

import guarded
import packets
import resolver
import world
from guarded import connection, profile_of
from packets import ip, udp
from resolver import Zone, address_record, record, wire_name
from world import APPLIANCE, APPLIANCE6, NEIGHBOUR, ROUTER, ROUTER6

guarded.need()

GOOD, FORGED, FORGED6 = "203.0.113.10", "198.51.100.66", "2001:db8:bad::66"
NAME = "api.feeder.example"
PROFILE = profile_of([connection("tcp", f"host {NAME}", 80), connection("tcp", "host log.feeder.example", 80),
                      connection("tcp", "role lan", 7), connection("udp", "role multicast", 5353),
                      connection("udp", "role multicast", 5355)])


@guarded.under_both
class Poisoning:
    def setUp(self):
        super().setUp()
        self.zones[NAME] = Zone(GOOD)
        self.zones["log.feeder.example"] = Zone("203.0.113.30")
        self.attackers = [packets.Sender(self.world.neighbour), packets.Sender(self.world.here, "lan")]
        for attacker in self.attackers:
            self.stack.callback(attacker.close)

    def forge(self, answer, source, target, sport, dport):
        """The datagram by itself, by both attackers: the neighbour lies about its address."""
        protocol, data = udp(source, target, sport, dport, answer)
        for attacker in self.attackers:
            attacker.send(packets.Probe("forged", [ip(source, target, protocol, data, random.randrange(65536))], b"", target))

    def assert_nothing_learnt(self, *addresses):
        addresses = addresses or (FORGED, FORGED6)
        for target in addresses:
            self.assertFalse(self.reaches(target, 80), f"{target} can be reached")
        self.assert_in_no_set(*addresses)

    def race(self, forge, expect_clean=True):
        """Asks for NAME; forge(question, peer) is called once the question is at the resolver and before it answers. Returns
        what the asker was told."""
        def meddle(_resolver, question, peer, _socket):
            if question.name == NAME:
                forge(question, peer)
                time.sleep(0.1)
            return False
        self.resolver.meddle = meddle
        answer = self.stub.ask(NAME)
        self.resolver.meddle = None
        if expect_clean:
            self.assertIsNotNone(answer)
            self.assertEqual(answer.addresses, [GOOD])
            self.assert_connects(GOOD, 80)
        self.assert_nothing_learnt()
        return answer

    def forged(self, question, **changes):
        return question.answer([address_record(NAME, FORGED, 60), address_record(NAME, FORGED6, 60)], **changes)

    def test_wrong_id(self):
        self.guarded(PROFILE)
        self.race(lambda question, peer: [
            self.forge(self.forged(question, number=(question.id + step) & 0xffff), ROUTER, APPLIANCE, 53, peer[1])
            for step in (1, 2, 3, 0x8000)])

    def test_wrong_port(self):
        self.guarded(PROFILE)
        self.race(lambda question, peer: [self.forge(self.forged(question), ROUTER, APPLIANCE, 53, peer[1] + step)
                                          for step in (1, -1, 100)])

    def test_wrong_source(self):
        self.guarded(PROFILE)
        self.race(lambda question, peer: [self.forge(self.forged(question), source, APPLIANCE, 53, peer[1])
                                          for source in (NEIGHBOUR, "198.51.100.53", "10.77.0.99")])

    def test_wrong_source_port(self):
        self.guarded(PROFILE)
        self.race(lambda question, peer: [self.forge(self.forged(question), ROUTER, APPLIANCE, sport, peer[1])
                                          for sport in (5353, 54, 1053, 853)])

    def test_wrong_family(self):
        self.guarded(PROFILE)
        self.race(lambda question, peer: self.forge(self.forged(question), ROUTER6, APPLIANCE6, 53, peer[1]))

    def test_wrong_question(self):
        """Another name, type or class in the question that an answer repeats."""
        self.guarded(PROFILE)
        self.race(lambda question, peer: [self.forge(self.forged(question, section=section), ROUTER, APPLIANCE, 53, peer[1])
                                          for section in (wire_name("log.feeder.example") + b"\0\1\0\1",
                                                          wire_name("x." + NAME) + b"\0\1\0\1", wire_name(NAME) + b"\0\x1c\0\1",
                                                          wire_name(NAME) + b"\0\1\0\3", wire_name(NAME) + b"\0\xff\0\1", b"")])

    def test_unasked(self):
        self.guarded(PROFILE)
        self.assertEqual(self.stub.addresses(NAME), [GOOD])
        with self.stub.open() as waiting:
            waiting.bind((APPLIANCE, 45000))
            waiting.settimeout(0.3)
            for number in range(50):
                question = resolver.Question(resolver.question_bytes(number, NAME, resolver.A), "udp")
                self.forge(self.forged(question), ROUTER, APPLIANCE, 53, 45000)
            self.assertRaises(OSError, waiting.recv, 512)
        self.assert_nothing_learnt()

    def test_late_duplicate(self):
        """The same transaction, answered once more with something else, at once and later, by who sees the question too."""
        self.guarded(PROFILE)
        seen = []
        self.resolver.meddle = lambda _resolver, question, peer, _socket: seen.append((question, peer))
        self.assertEqual(self.stub.addresses(NAME), [GOOD])
        question, peer = seen[0]
        other = resolver.Question(question.raw, "udp")
        for section in (wire_name("log.feeder.example") + b"\0\1\0\1", wire_name(NAME) + b"\0\x1c\0\1"):
            self.forge(self.forged(other, section=section), ROUTER, APPLIANCE, 53, peer[1])
        self.forge(self.forged(other, number=question.id ^ 1), ROUTER, APPLIANCE, 53, peer[1])
        self.assert_nothing_learnt()

    def test_question_seen_by_nobody(self):
        """A question for a name that is not permitted never gets out: answers to it are to nothing."""
        self.zones["evil.example"] = Zone(FORGED)
        self.guarded(PROFILE)
        with self.stub.open() as asker:
            asker.bind((APPLIANCE, 45001))
            asker.sendto(resolver.question_bytes(77, "evil.example", resolver.A), (ROUTER, 53))
            question = resolver.Question(resolver.question_bytes(77, "evil.example", resolver.A), "udp")
            self.forge(question.answer([address_record("evil.example", FORGED, 60)]), ROUTER, APPLIANCE, 53, 45001)
            self.forge(question.answer([address_record(NAME, FORGED, 60)]), ROUTER, APPLIANCE, 53, 45001)
        self.assert_nothing_learnt()

    def told(self, *records, additional=(), **changes):
        """What the asker gets when the resolver itself answers with these records."""
        def meddle(_resolver, question, peer, sock):
            sock.sendto(question.answer(records, additional=additional, **changes), peer)
            return True
        self.resolver.meddle = meddle
        answer = self.stub.ask(NAME, timeout=1)
        self.resolver.meddle = None
        return answer

    def test_extra_records(self):
        """What an answer says of names that were not asked for opens nothing; what it says of the one that was does."""
        self.guarded(PROFILE)
        self.told(address_record(NAME, GOOD, 60), address_record("log.feeder.example", FORGED, 60),
                  address_record("evil.example", "198.51.100.67", 60), additional=[address_record(NAME, "198.51.100.68", 60)])
        self.assert_nothing_learnt(FORGED, "198.51.100.67", "198.51.100.68")
        self.assert_connects(GOOD, 80)

    def test_alias_astray(self):
        """A CNAME whose own name nobody asked for, one that ends nowhere, one that turns in circles."""
        self.guarded(PROFILE)
        self.told(record("other.example", resolver.CNAME, 60, wire_name("evil.example")), address_record("evil.example", FORGED, 60))
        self.assert_nothing_learnt()
        self.told(record(NAME, resolver.CNAME, 60, wire_name("a.example")), address_record("b.example", FORGED, 60))
        self.assert_nothing_learnt()
        self.told(record(NAME, resolver.CNAME, 60, wire_name("a.example")),
                  record("a.example", resolver.CNAME, 60, wire_name(NAME)), address_record("evil.example", FORGED, 60))
        self.assert_nothing_learnt()

    def test_rebinding(self):
        """Public names at addresses that are not public."""
        self.guarded(PROFILE)
        private = ("127.0.0.1", "10.77.0.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
                   "224.0.0.251", "255.255.255.255")
        for target in private:
            answer = self.told(address_record(NAME, target, 60))
            self.assertFalse(answer and answer.addresses, target)
        for target in ("::1", "fd77::3", "fe80::1", "::", "ff02::fb", "::ffff:10.77.0.3", "::ffff:127.0.0.1"):
            def meddle(_resolver, question, peer, sock, target=target):
                sock.sendto(question.answer([address_record(NAME, target, 60)]), peer)
                return True
            self.resolver.meddle = meddle
            answer = self.stub.ask(NAME, resolver.AAAA, timeout=1)
            self.resolver.meddle = None
            self.assertFalse(answer and answer.addresses, target)
        for target in ("10.77.0.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "fd77::3"):
            self.assertFalse(self.reaches(target, 80), target)
        answer = self.told(address_record(NAME, GOOD, 60), address_record(NAME, "10.77.0.3", 60))
        self.assertNotIn("10.77.0.3", answer.addresses if answer else [])
        self.assertFalse(self.reaches("10.77.0.3", 80))

    def test_broken_answers(self):
        """Bytes at random in an answer to a real question: what it opens is what it says in good form, or nothing."""
        self.guarded(PROFILE)
        chosen = random.Random(7)
        for _ in range(150):
            def meddle(_resolver, question, peer, sock):
                data = bytearray(question.answer([address_record(NAME, GOOD, 60), address_record("evil.example", FORGED, 60)]))
                for _ in range(chosen.randrange(1, 6)):
                    data[chosen.randrange(2, len(data) - 30)] = chosen.randrange(256)
                sock.sendto(bytes(data[:chosen.randrange(12, len(data) + 1)]), peer)
                return True
            self.resolver.meddle = meddle
            with self.stub.open() as asker:
                asker.sendto(resolver.question_bytes(chosen.randrange(65536), NAME, resolver.A), (ROUTER, 53))
                time.sleep(0.01)
        self.resolver.meddle = None
        self.assert_nothing_learnt()
        self.assertEqual(self.stub.addresses(NAME), [GOOD])  # and it still works
        self.assert_connects(GOOD, 80)

    def test_multicast_names(self):
        """mDNS and LLMNR say nothing of the internet."""
        self.guarded(PROFILE)
        with self.appliance.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            asker.bind(("0.0.0.0", 45353))
            for group, port in (("224.0.0.251", 5353), ("224.0.0.252", 5355)):
                question = resolver.question_bytes(0, NAME, resolver.A)
                asker.sendto(question, (group, port))
                answer = self.forged(resolver.Question(question, "udp"))
                self.forge(answer, NEIGHBOUR, APPLIANCE, port, 45353)
                self.forge(answer, NEIGHBOUR, group, port, port)
                self.forge(answer, NEIGHBOUR, APPLIANCE, 53, 45353)
        time.sleep(0.2)
        self.assert_nothing_learnt()

    def test_forged_over_tcp(self):
        """A stream from port 53 that nobody opened."""
        self.guarded(PROFILE)
        question = resolver.Question(resolver.question_bytes(9, NAME, resolver.A), "tcp")
        answer = self.forged(question)
        for source in (ROUTER, NEIGHBOUR):
            protocol, data = packets.tcp(source, APPLIANCE, 53, 45002, struct.pack("!H", len(answer)) + answer, flags=0x18)
            for attacker in self.attackers:
                attacker.send(packets.Probe("forged", [ip(source, APPLIANCE, protocol, data)], b"", APPLIANCE))
        time.sleep(0.2)
        self.assert_nothing_learnt()

    def test_flood(self):
        """Ten thousand forged answers while a real question is out: none counts, and names work again right after."""
        self.guarded(PROFILE)
        with self.stub.open() as asker:
            asker.bind((APPLIANCE, 45003))
            asker.settimeout(2)
            number, peer = 0x4242, 45003
            self.resolver.meddle = lambda _resolver, question, _peer, _socket: self.flood(question, number, peer)
            asker.sendto(resolver.question_bytes(number, NAME, resolver.A), (ROUTER, 53))
            try:  # where the queue was full it is lost; the client asks again
                self.assertIn(resolver.Answer(asker.recv(4096), 0).addresses, ([GOOD], []))
            except TimeoutError:
                pass
            self.resolver.meddle = None
        self.assert_nothing_learnt()
        self.assertTrue(world.harness.wait_until(lambda: self.stub.addresses(NAME, timeout=1) == [GOOD], 10))
        self.assert_connects(GOOD, 80)

    def flood(self, question, number, peer):
        source = "10.77.0.99"
        datagrams = []
        for step in range(500):
            answer = self.forged(question, number=(number + 1 + step) & 0xffff)
            protocol, data = udp(ROUTER, APPLIANCE, 53, peer, answer)
            datagrams.append(ip(ROUTER, APPLIANCE, protocol, data, step))
            protocol, data = udp(source, APPLIANCE, 53, peer, answer)
            datagrams.append(ip(source, APPLIANCE, protocol, data, step))
        for _ in range(10):
            self.attackers[0].send(packets.Probe("forged", datagrams, b"", APPLIANCE))
        return False


if __name__ == "__main__":
    guarded.main()

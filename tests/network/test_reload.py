#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules come, change and go under traffic: no packet that may pass is lost, none that may not gets through, and what
others filter stays as it is."""
import itertools
import re
import threading
import time

import guarded
import packets
import world
from guarded import connection, listener, profile_of
from packets import Probe, ip, tcp, udp
from world import APPLIANCE, APPLIANCE6, harness

guarded.need()

ALLOWED, ALLOWED6, STRANGER, STRANGER6 = "203.0.113.10", "2001:db8:77::10", "198.51.100.200", "2001:db8:bad::1"
PEERS = 10000
RATE = 1200  # packets a second


def crowd(peers, step):
    """A profile with so many further peers, others for each step."""
    entries = [connection(protocol, f"address {target}/{length}", 80) for protocol in ("tcp", "udp")
               for target, length in ((ALLOWED, 32), (ALLOWED6, 128))]
    entries += [connection("tcp", f"address 93.{100 + step}.{n >> 8}.{n & 255}/32", 8883) for n in range(peers // 2)]
    entries += [connection("tcp", f"address 2001:db8:{100 + step}::{n + 1:x}/128", 8883) for n in range(peers // 2)]
    return profile_of(entries, [listener("tcp", 8080)])


class Traffic:
    """New connections all the time, numbered: UDP and TCP, IPv4 and IPv6, to who may be reached and who may not."""
    KINDS = [(what, kind, target) for what, four, six in (("yes", ALLOWED, ALLOWED6), ("no", STRANGER, STRANGER6))
             for kind in (tcp, udp) for target in (four, six)]

    def __init__(self, case):
        self.capture = case.world.capture
        self.sender = case.sender
        self.seen = set()
        self.sent = 0
        self.over = False

    def __enter__(self):
        self.capture.drain()
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.watch)]
        for thread in self.threads:
            thread.start()
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self.over = True
        for thread in self.threads:
            thread.join()
        self.note(self.capture.settle(0.3))

    def send(self):
        begin = time.monotonic()
        for number in itertools.count():
            if self.over:
                break
            for index, (what, kind, target) in enumerate(self.KINDS):
                source = APPLIANCE6 if ":" in target else APPLIANCE
                protocol, data = kind(source, target, 10000 + (number * 8 + index) % 50000, 80, b"%s %08d" % (what.encode(), number))
                self.sender.send(Probe(what, [ip(source, target, protocol, data, number & 0xffff)], b"", target))
            self.sent = number + 1
            time.sleep(max(0, begin + self.sent * len(self.KINDS) / RATE - time.monotonic()))

    def watch(self):
        while not self.over:
            self.note(self.capture.drain())
            time.sleep(0.02)

    def note(self, found):
        for _, packet in found:
            match = re.search(rb"(yes|no) (\d{8})$", packet)
            if match:
                protocol = packet[6] if packet[0] >> 4 == 6 else packet[9]
                self.seen.add((match[1].decode(), protocol, packet[0] >> 4, int(match[2])))

    def numbers(self, what, protocol, version):
        return sorted(number for kind, *rest, number in self.seen if kind == what and rest == [protocol, version])


STREAMS = [(protocol, version) for protocol in (packets.TCP, packets.UDP) for version in (4, 6)]


@guarded.under_both
class Reload:
    PORTS = ()

    def assert_all_passed(self, traffic):
        for stream in STREAMS:
            got = traffic.numbers("yes", *stream)
            self.assertEqual(sorted(set(range(traffic.sent)) - set(got)), [], f"lost, of {traffic.sent}: {stream}")
        self.assertGreater(traffic.sent, 50)

    def test_reload(self):
        guard = self.guarded(crowd(PEERS, 0))
        with Traffic(self) as traffic:
            for step in (1, 2, 0, 1):
                guard.reload(crowd(PEERS, step))
                self.assertTrue(self.peer_is_in(step))
        self.assert_all_passed(traffic)
        for stream in STREAMS:
            self.assertEqual(traffic.numbers("no", *stream), [], stream)

    def peer_is_in(self, step):
        text = world.sets_of(self.appliance)
        return f"93.{100 + step}.0.7" in text and f"93.{100 + (step + 1) % 3}.0.7" not in text

    def test_sizes(self):
        """From few peers to many and back."""
        guard = self.guarded(crowd(2, 0))
        with Traffic(self) as traffic:
            for step, peers in enumerate((PEERS, 2, PEERS // 10)):
                guard.reload(crowd(peers, step))
        self.assert_all_passed(traffic)
        for stream in STREAMS:
            self.assertEqual(traffic.numbers("no", *stream), [], stream)

    def test_start_and_stop(self):
        """Once something is refused it stays refused until the end of the rules, and then stays permitted."""
        with Traffic(self) as traffic:
            guard = self.guarded(crowd(PEERS, 0))
            began = traffic.sent
            time.sleep(0.5)
            ending = traffic.sent
            guard.stop()
            time.sleep(0.5)
        self.assert_all_passed(traffic)
        for stream in STREAMS:
            missing = sorted(set(range(traffic.sent)) - set(traffic.numbers("no", *stream)))
            self.assertEqual(missing, list(range(missing[0], missing[-1] + 1)), stream)
            self.assertLessEqual(missing[0], began)
            self.assertGreaterEqual(missing[-1], ending - 1)

    def test_start_beside_another_firewall(self):
        """What others refuse is refused before, while, and after."""
        self.foreign()
        with Traffic(self) as traffic:
            guard = self.guarded(crowd(100, 0))
            guard.reload(crowd(PEERS, 1))
            guard.stop()
        self.assert_all_passed(traffic)
        for stream in STREAMS:
            self.assertEqual(traffic.numbers("no", *stream), [], stream)

    def foreign(self):
        for command, target in (("iptables-legacy", STRANGER), ("ip6tables-legacy", STRANGER6)):
            self.appliance.must(command, "-N", "theirs")
            self.appliance.must(command, "-A", "theirs", "-d", target, "-m", "comment", "--comment", "theirs: \"not\" there", "-j", "DROP")
            self.appliance.must(command, "-A", "OUTPUT", "-j", "theirs")
            self.appliance.must(command, "-A", "INPUT", "-p", "tcp", "--dport", "2222", "-j", "REJECT")
            self.appliance.must(command, "-t", "mangle", "-A", "OUTPUT", "-j", "MARK", "--set-mark", "0x7")
        self.appliance.must("ipset", "create", "theirs", "hash:ip", "timeout", "0")
        self.appliance.must("ipset", "add", "theirs", "192.0.2.9")
        self.appliance.must("nft", "-f", "-", input="""
table inet theirs {
	set some { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.7 } }
	chain out { type filter hook output priority filter; policy accept;
		ip daddr @some drop
		ip daddr 198.51.100.201 counter drop
		tcp dport 4444 reject
	}
	chain in { type filter hook input priority -300; policy accept;
		meta mark 0x9 accept
	}
}
table ip rtguard-but-not-ours {
	chain some {
		ip daddr 192.0.2.3 drop
	}
}
""")

    def theirs(self):
        """Of the tables, what is not ours; and without what moves: counters of chains."""
        text = re.sub(r"\[\d+:\d+\]", "[]", world.tables_of(self.appliance))
        text = re.sub(r"packets \d+ bytes \d+", "", text)
        text = re.sub(r"^table inet rtguard(-pause)? \{.*?^\}\n", "", text, flags=re.MULTILINE | re.DOTALL)
        return [line for line in text.splitlines() if not re.search(r"RTGUARD-|\brtguard-[ab][46x]-", line)]

    def test_foreign_tables(self):
        self.foreign()
        before, whole = self.theirs(), re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+", "", world.tables_of(self.appliance))
        guard = self.guarded(crowd(100, 0))
        self.assertEqual(self.theirs(), before)
        self.assertNotEqual(re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+", "", world.tables_of(self.appliance)), whole)
        guard.reload(crowd(50, 1))
        self.assertEqual(self.theirs(), before)
        for name in ("rtguard-gate", "rtguard-reader"):
            for pid in guard.processes(name):
                world.os.kill(pid, 9)
            self.assertTrue(harness.wait_until(lambda: guard.processes("rtguard-gate") and guard.processes("rtguard-reader"), 20))
            self.assertEqual(self.theirs(), before)
        guard.end()
        self.assertEqual(self.theirs(), before)
        guard.start()
        self.assertEqual(self.theirs(), before)
        self.assertEqual(guard.stop().returncode, 0)
        self.assertEqual(re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+", "", world.tables_of(self.appliance)), whole)

    def test_counters_of_others(self):
        """What others have counted is not forgotten."""
        self.foreign()
        for _ in range(5):
            self.reaches(STRANGER, 80)
        self.assertIn("[5:", self.counted())
        guard = self.guarded(crowd(100, 0))
        guard.reload(crowd(50, 1))
        guard.stop()
        self.assertIn("[5:", self.counted())

    def counted(self):
        return "\n".join(line for line in self.appliance.must("iptables-legacy-save", "-c").splitlines() if "-A theirs" in line)

    def test_stop_removes_everything(self):
        before = world.tables_of(self.appliance)
        self.assertNotIn("rtguard", before)
        guard = self.guarded(crowd(100, 0))
        self.assertIn("rtguard", world.tables_of(self.appliance))
        self.assertEqual(guard.stop().returncode, 0)
        self.assertNotIn("rtguard", world.tables_of(self.appliance).lower())

    def test_taking_over(self):
        """The supervisor is killed, the rules stay; the next one takes them over under traffic."""
        guard = self.guarded(crowd(100, 0))
        with Traffic(self) as traffic:
            guard.end()
            time.sleep(0.5)
            guard.start()
            time.sleep(0.3)
        self.assert_all_passed(traffic)
        for stream in STREAMS:
            self.assertEqual(traffic.numbers("no", *stream), [], stream)


if __name__ == "__main__":
    guarded.main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows that are older than the rules: those that the profile has go on, the others end."""
import socket
import time

import guarded
from guarded import connection, listener, profile_of
from world import APPLIANCE, APPLIANCE6, ROUTER

guarded.need()

LEARNT, LEARNT6, STRANGER, STRANGER6 = "203.0.113.10", "2001:db8:77::10", "198.51.100.200", "2001:db8:bad::1"
PROFILE = profile_of([connection("tcp", f"address {LEARNT}/32", 80), connection("tcp", f"address {LEARNT6}/128", 80),
                      connection("udp", f"address {LEARNT}/32", 123)], [listener("tcp", 8080), listener("tcp", 8081)])
OTHER = profile_of([connection("tcp", f"address {STRANGER}/32", 80)])


class Flow:
    """A connection, and whether it still carries anything."""

    def __init__(self, sock, other=None):
        self.sock = sock
        self.other = other
        self.count = 0

    def lives(self):
        self.count += 1
        word = b"are you there? %d" % self.count
        try:
            self.sock.settimeout(0.4)
            self.sock.send(word)
            if self.other:
                self.other.settimeout(0.4)
                if self.other.recv(100) != word:
                    return False
                self.other.send(word)
            while True:
                got = self.sock.recv(100)
                if got.endswith(word):
                    return True
                if not got:
                    return False
        except OSError:
            return False


@guarded.under_both
class Established:
    def outbound(self, target, port, kind=socket.SOCK_STREAM):
        sock = self.appliance.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, kind)
        self.stack.callback(sock.close)
        sock.settimeout(2)
        sock.connect((target, port))
        if kind == socket.SOCK_STREAM:
            self.assertEqual(sock.recv(5), b"hello")
        flow = Flow(sock)
        self.assertTrue(flow.lives())
        return flow

    def inbound(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = self.appliance.socket(family, socket.SOCK_STREAM)
        server.bind((address, port))
        server.listen()
        client = self.world.neighbour.socket(family, socket.SOCK_STREAM)
        client.settimeout(2)
        client.connect((address, port))
        accepted, _ = server.accept()
        for sock in (server, client, accepted):
            self.stack.callback(sock.close)
        flow = Flow(client, accepted)
        self.assertTrue(flow.lives())
        return flow

    def track(self):
        """Connection tracking sees what is there before anybody filters, as where another firewall runs."""
        self.appliance.must("nft", "-f", "-", input="""
table inet watcher {
	chain out {
		type filter hook output priority 10; policy accept;
		ct state new counter
	}
}
""")

    def flows(self):
        keep = {
            "learnt": self.outbound(LEARNT, 80), "learnt, IPv6": self.outbound(LEARNT6, 80),
            "learnt, UDP": self.outbound(LEARNT, 123, socket.SOCK_DGRAM), "listener": self.inbound(APPLIANCE, 8080),
            "listener, IPv6": self.inbound(APPLIANCE6, 8081),
        }
        cut = {
            "stranger": self.outbound(STRANGER, 80), "stranger, IPv6": self.outbound(STRANGER6, 80),
            "other port": self.outbound(LEARNT, 443), "stranger, UDP": self.outbound(STRANGER, 123, socket.SOCK_DGRAM),
            "UDP, other port": self.outbound(LEARNT, 443, socket.SOCK_DGRAM), "no listener": self.inbound(APPLIANCE, 2222),
            "no listener, IPv6": self.inbound(APPLIANCE6, 2222),
        }
        return keep, cut

    def assert_judged(self, keep, cut):
        time.sleep(0.2)
        self.assertEqual({what: flow.lives() for what, flow in keep.items()}, dict.fromkeys(keep, True))
        self.assertEqual({what: flow.lives() for what, flow in cut.items()}, dict.fromkeys(cut, False))
        self.assertEqual({what: flow.lives() for what, flow in keep.items()}, dict.fromkeys(keep, True))

    def test_tracked(self):
        self.track()
        keep, cut = self.flows()
        self.guarded(PROFILE)
        self.assert_judged(keep, cut)

    def test_untracked(self):
        """The kernel began to track connections when the rules came."""
        keep, cut = self.flows()
        self.guarded(PROFILE)
        self.assert_judged(keep, cut)

    def test_untracked_and_our_side_speaks_first(self):
        """Nobody has noted who opened a connection that is older than connection tracking itself."""
        flows = [self.inbound(APPLIANCE, 8080), self.inbound(APPLIANCE6, 8081), self.inbound(APPLIANCE, 2222),
                 self.inbound(APPLIANCE6, 2222)]
        for flow in flows:
            flow.sock, flow.other = flow.other, flow.sock
            self.assertTrue(flow.lives())
        self.guarded(PROFILE)
        time.sleep(0.2)
        self.assertEqual([flow.lives() for flow in flows], [True, True, False, False])

    def test_reload(self):
        """The same for what the profile before permitted and the next does not."""
        guard = self.guarded(OTHER)
        old = self.outbound(STRANGER, 80)
        guard.reload(PROFILE)
        time.sleep(0.2)
        self.assertFalse(old.lives())
        new = self.outbound(LEARNT, 80)
        guard.reload(PROFILE)
        self.assertTrue(new.lives())

    def test_stop(self):
        guard = self.guarded(PROFILE)
        flow = self.outbound(LEARNT, 80)
        guard.stop()
        self.assertTrue(flow.lives())
        self.assertIsNotNone(self.connect(STRANGER, 80))
        self.assertIsNotNone(self.connect(ROUTER, 80))


if __name__ == "__main__":
    guarded.main()

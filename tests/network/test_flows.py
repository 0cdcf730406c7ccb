#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What passes and what does not: tables of packets, sent through the appliance's kernel under each backend and looked for
at the other end. The tables are the expectation for both, so that they agree with each other too. Before the rules and
after them every packet of the tables arrives: what is missing in between was refused by them."""
import guarded
import packets
import resolver
import world
from guarded import connection, listener, profile_of
from packets import GRE, IPIP, IPV6, echo, packed, sctp, tcp, udp, udplite
from world import APPLIANCE, APPLIANCE6, NEIGHBOUR, NEIGHBOUR6, ROUTER, ROUTER6

guarded.need()

API, API6 = "203.0.113.10", "2001:db8:77::10"
TIME, LOG, UPDATE = "203.0.113.20", "203.0.113.30", "203.0.113.40"
FIXED, FIXED6, FARM = "198.51.100.70", "2001:db8:99::70", "198.51.100.133"
STRANGER, STRANGER6 = "198.51.100.200", "2001:db8:bad::1"

FEEDER = profile_of(
    [
        connection("tcp", "host api.feeder.example", 80),
        connection("tcp", "host log.feeder.example", 8883),
        connection("tcp", "host update.feeder.example", 443),
        connection("udp", "host time.feeder.example", 123),
        connection("tcp", f"address {FIXED}/32", 9000),
        connection("tcp", f"address {FIXED6}/128", 9000),
        connection("tcp", "address 198.51.100.128/28", 9443),
        connection("udp-lite", f"address {FIXED}/32", 700),
        connection("sctp", f"address {FIXED}/32", 5060),
        connection("50", "address 198.51.100.80/32"),
        connection("icmp", "role gateway", 8),
        connection("icmpv6", "role gateway", 128),
        connection("udp", "role multicast", 5353),
        connection("udp", "role broadcast", 6666),
    ],
    [listener("tcp", 8080), listener("udp", 5683), listener("tcp", 8081, family=["ipv4"]),
     listener("tcp", 8082, address=APPLIANCE, family=["ipv4"])])

CLASSES = profile_of([
    connection("udp", "role internet", "high"),
    connection("tcp", "role internet", "high"),
    connection("tcp", "role lan", "any"),
    connection("udp", "role lan", 7000, local_port=7001),
    connection("tcp", "address 203.0.113.0/24", "ephemeral"),
    connection("icmp", "role internet", 8),
])


def zones():
    return {
        "api.feeder.example": resolver.Zone(alias="edge7.cdn.example", ttl=60),
        "edge7.cdn.example": resolver.Zone(API, API6, ttl=5),
        "time.feeder.example": resolver.Zone(TIME),
        "log.feeder.example": resolver.Zone(LOG),
        "update.feeder.example": resolver.Zone(UPDATE),
        "evil.example": resolver.Zone(API, API6, STRANGER),
    }


def routed(number):
    """An IPv6 routing header of that type with no segment left."""
    return 43, bytes([0, number, 0, 0, 0, 0, 0])



OPTIONS = b"\0\1\4" + bytes(4)  # a length of 0 and PadN of four bytes (RFC 8200 section 4.2)


class Tables:
    """Packets of the appliance, for FEEDER."""

    def permitted(self):
        make = self.prober.make
        return [
            make("api", tcp, API, 80),
            make("api, IPv6", tcp, API6, 80),
            make("log", tcp, LOG, 8883),
            make("update", tcp, UPDATE, 443),
            make("time", udp, TIME, 123),
            make("fixed address", tcp, FIXED, 9000),
            make("fixed address, IPv6", tcp, FIXED6, 9000),
            make("prefix", tcp, FARM, 9443),
            make("prefix, first of it", tcp, "198.51.100.128", 9443),
            make("prefix, last of it", tcp, "198.51.100.143", 9443),
            make("UDP-Lite", udplite, FIXED, 700),
            make("SCTP", sctp, FIXED, 5060),
            self.prober.protocol("ESP", 50, "198.51.100.80", b"\0\0\0\1\0\0\0\1"),
            make("ping of the gateway", echo, ROUTER),
            make("ping of the gateway, IPv6", echo, ROUTER6),
            make("multicast", udp, "224.0.0.251", 5353),
            make("multicast, IPv6", udp, "ff02::fb", 5353),
            make("broadcast", udp, "255.255.255.255", 6666),
            make("broadcast of the network", udp, "10.77.0.255", 6666),
            make("a listener's datagram to a neighbour", udp, NEIGHBOUR, 40000, sport=5683),
            make("a listener's datagram to a neighbour, IPv6", udp, NEIGHBOUR6, 40000, sport=5683),
            self.prober.protocol("IGMP", 2, "224.0.0.22", b"\x22\0\0\0\0\0\0\0"),
            make("multicast listener report", echo, "ff02::16", icmp=143, hops=1),
            make("neighbour solicitation", echo, NEIGHBOUR6, icmp=135, hops=255),
            self.prober.fragments("api in fragments", tcp, API, 80, [32, 64], nodefrag=False),
            self.prober.fragments("api in fragments, IPv6", tcp, API6, 80, [32, 64], nodefrag=False),
            self.prober.extended("api behind destination options", tcp, API6, 80, [(60, OPTIONS)]),
        ]

    def forbidden(self):
        make, inside, fragments, extended = \
            self.prober.make, self.prober.inside, self.prober.fragments, self.prober.extended
        found = []
        # every allowed peer at another port, and by another protocol
        for target, port in ((API, 443), (API, 81), (API6, 443), (LOG, 8884), (UPDATE, 80), (TIME, 123), (FIXED, 9001),
                             (FIXED6, 9001), (FARM, 9442), (FIXED, 5060), (FIXED, 700)):
            found.append(make(f"TCP {port}", tcp, target, port))
        for target, port in ((API, 80), (API6, 80), (API, 443), (API6, 443), (UPDATE, 443), (TIME, 124), (FIXED, 9000),
                             (FIXED6, 9000), (FARM, 9443), (TIME, 53), (FIXED, 700), (FIXED, 5060)):
            found.append(make(f"UDP {port}", udp, target, port))
        for target, port in ((API, 80), (API6, 80), (FIXED, 9000), (FIXED, 701), (FIXED6, 9000)):
            found += [make(f"UDP-Lite {port}", udplite, target, port), make(f"SCTP {port}", sctp, target, port)]
        # other hosts at allowed ports, right beside what is allowed too
        for target in (STRANGER, STRANGER6, "203.0.113.11", "198.51.100.127", "198.51.100.144", "2001:db8:77::11", NEIGHBOUR,
                       NEIGHBOUR6, ROUTER, ROUTER6):
            for port in (80, 8883, 443, 9000, 9443):
                found.append(make(f"TCP {port}", tcp, target, port))
            for port in (123, 443, 5353, 6666, 1900, 51820):
                found.append(make(f"UDP {port}", udp, target, port))
        # resolvers that are none; and what is no DNS
        for target in (STRANGER, STRANGER6, API, NEIGHBOUR, NEIGHBOUR6):
            found += [make("UDP 53 to a stranger", udp, target, 53), make("TCP 53 to a stranger", tcp, target, 53),
                      make("TCP 853 to a stranger", tcp, target, 853)]
        for target in (ROUTER, ROUTER6):
            found += [make("UDP 53 that is no DNS", udp, target, 53), make("TCP 853 to the resolver", tcp, target, 853)]
        # from ports that look like answers
        for target in (STRANGER, STRANGER6):
            found += [make("from port 53", udp, target, 40000, sport=53), make("from port 80", tcp, target, 40000, sport=80),
                      make("from port 8080", tcp, target, 40000, sport=8080), make("from port 68", udp, target, 67, sport=68),
                      make("a listener's datagram to the internet", udp, target, 40000, sport=5683),
                      make("ACK without a connection", tcp, target, 80, flags=0x10),
                      make("SYN ACK without a question", tcp, target, 80, flags=0x12),
                      make("FIN alone", tcp, target, 80, flags=0x01), make("no flags", tcp, target, 80, flags=0),
                      make("RST", tcp, target, 80, flags=0x04)]
        # ICMP as a tunnel, of every type that a host may send
        for target in (API, STRANGER, NEIGHBOUR):
            found += [make(f"ICMP type {icmp}", echo, target, icmp=icmp) for icmp in (0, 8, 13, 15, 17, 30, 42)]
        for target in (API6, STRANGER6, NEIGHBOUR6):
            found += [make(f"ICMPv6 type {icmp}", echo, target, icmp=icmp) for icmp in (128, 129, 139, 140, 144, 200)]
        found += [make(f"ICMP type {icmp} to the gateway", echo, ROUTER, icmp=icmp) for icmp in (0, 13, 17)]
        found += [make(f"ICMPv6 type {icmp} to the gateway", echo, ROUTER6, icmp=icmp) for icmp in (129, 139)]
        found += [make("neighbour discovery to afar", echo, STRANGER6, icmp=135), make("router discovery to afar", echo, API6, icmp=133)]
        # packets in packets, and protocols that nobody learnt
        for target, inner in ((API, API), (API6, API6), (STRANGER, API), (STRANGER6, API6), (FIXED, FIXED)):
            found += [inside("IP in IP", IPIP, target, API, 80), inside("IPv6 in IP", IPV6, target, API6, 80),
                      inside("GRE", GRE, target, inner, 80, b"\0\0\x08\0"),
                      self.prober.protocol("ESP", 50, target, b"\0\0\0\1\0\0\0\1"),
                      self.prober.protocol("AH", 51, target, b"\6\4\0\0\0\0\0\1\0\0\0\1" + bytes(12)),
                      self.prober.protocol("EtherIP", 97, target, b"\x30\0"),
                      self.prober.protocol("OSPF", 89, target), self.prober.protocol("L2TP", 115, target, bytes(8)),
                      self.prober.protocol("DCCP", 33, target, bytes(20)), self.prober.protocol("no. 253", 253, target)]
        # fragments: put together by the kernel, and sent as they are
        found += [fragments("fragments", tcp, STRANGER, 80, [32, 64], False),
                  fragments("fragments", udp, STRANGER, 80, [8, 64], False),
                  fragments("fragments, other port", tcp, API, 443, [32, 64], False),
                  fragments("fragments, IPv6", tcp, STRANGER6, 80, [32, 64], False),
                  fragments("fragments, other port, IPv6", tcp, API6, 443, [32, 64], False),
                  fragments("raw fragments", tcp, STRANGER, 80, [32, 64], True),
                  fragments("tiny first fragment", tcp, STRANGER, 80, [8], True),
                  fragments("tiny first fragment, other port", tcp, API, 443, [8], True),
                  fragments("second fragment alone", udp, API, 80, [8], True, only=[1]),
                  fragments("second fragment alone, TCP", tcp, API, 80, [24], True, only=[1]),
                  fragments("second fragment alone, stranger", udp, STRANGER, 80, [64], True, only=[1]),
                  fragments("overlapping fragments", udp, STRANGER, 80, [24, 48], True, overlap=8),
                  fragments("overlapping fragments, other port", udp, API, 443, [24, 48], True, overlap=16),
                  fragments("overlapping fragments, other order", udp, API, 443, [24, 48], True, overlap=16, only=[2, 1, 0]),
                  fragments("fragments of a ping", echo_to_port, STRANGER, 0, [32, 64], False)]
        # IPv6 extension headers before what is not allowed
        for target, port in ((STRANGER6, 80), (API6, 443)):
            found += [extended("hop-by-hop options", tcp, target, port, [(0, OPTIONS)]),
                      extended("destination options", tcp, target, port, [(60, OPTIONS)]),
                      extended("three headers", tcp, target, port, [(0, OPTIONS), (60, OPTIONS), (44, bytes(6) + b"\7")]),
                      extended("routing header", tcp, target, port, [routed(4)]),
                      extended("atomic fragment", tcp, target, port, [(44, bytes(6) + b"\7")]),
                      extended("destination options, UDP", udp, target, port, [(60, OPTIONS)])]
        # IPv4 options
        found += [self.prober.optioned("loose source route", STRANGER, 80, b"\x83\x07\x04" + packed(API) + b"\0"),
                  self.prober.optioned("options, other port", API, 443, b"\1\1\1\0")]
        # multicast and broadcast at other ports
        found += [make("multicast, other port", udp, "224.0.0.251", 5354), make("SSDP", udp, "239.255.255.250", 1900),
                  make("multicast, IPv6, other port", udp, "ff02::fb", 5354),
                  make("broadcast, other port", udp, "255.255.255.255", 6667),
                  make("broadcast of the network, other port", udp, "10.77.0.255", 6667),
                  make("ping of a group", echo, "224.0.0.1"), make("ping of all nodes", echo, "ff02::1")]
        return found


@guarded.under_both
class Feeder(Tables):
    """A profile as the demo appliance has it, and a few entries of every other kind."""

    def resolve(self):
        for name in ("api", "time", "log", "update"):
            for kind in (resolver.A, resolver.AAAA):
                answer = self.stub.ask(f"{name}.feeder.example", kind)
                self.assertIsNotNone(answer, f"no answer for {name}")
                self.assertEqual(answer.rcode, 0)

    def test_out(self):
        self.zones.update(zones())
        permitted, forbidden = self.permitted(), self.forbidden()
        probes = permitted + forbidden
        self.assert_arrivals([True] * len(probes), self.arrivals(probes), probes)
        self.appliance.must("conntrack", "--flush")
        guard = self.guarded(FEEDER)
        self.assert_arrivals([False] * 5, self.arrivals(self.permitted()[:5]), permitted[:5])  # no answer has named them yet
        self.resolve()
        permitted, forbidden = self.permitted(), self.forbidden()
        probes = permitted + forbidden
        self.assert_arrivals([True] * len(permitted) + [False] * len(forbidden), self.arrivals(probes), probes)
        # the denied name at the allowed name's address
        self.assertEqual(self.stub.ask("evil.example").rcode, resolver.NXDOMAIN)
        self.assertNotIn("evil.example", self.resolver.names_asked())
        self.assertFalse(self.reaches(API, 443))
        self.assertTrue(self.reaches(API, 80))
        self.assertEqual(guard.stop().returncode, 0)
        probes = self.permitted() + self.forbidden()
        self.assert_arrivals([True] * len(probes), self.arrivals(probes), probes)

    def test_first_packet(self):
        """Real connections: one SYN each."""
        self.zones.update(zones())
        self.guarded(FEEDER)
        self.resolve()
        self.world.servers("tcp:9000", "tcp:9443")
        peers = [(API, 80), (API6, 80), (LOG, 8883), (UPDATE, 443), (FIXED, 9000), (FIXED6, 9000), (FARM, 9443)]
        self.world.capture.settle(0.05)
        for target, port in peers:
            self.assert_connects(target, port)
        seen = [packet for _, packet in self.world.capture.settle()]
        for target, port in peers:
            self.assertEqual(len([packet for packet in seen if is_syn(packet, target, port)]), 1, (target, port))
        for target, port in ((API, 443), (LOG, 80), (STRANGER, 80), (STRANGER6, 80)):
            self.assertIsNone(self.connect(target, port, 0.3))

    def test_datagrams_are_answered(self):
        self.zones.update(zones())
        self.guarded(FEEDER)
        self.resolve()
        with self.appliance.socket(world.socket.AF_INET, world.socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            sock.sendto(b"what time is it?", (TIME, 123))
            self.assertEqual(sock.recvfrom(100), (b"what time is it?", (TIME, 123)))

    def test_loopback_is_free(self):
        self.guarded(FEEDER)
        for family, address in ((world.socket.AF_INET, "127.0.0.1"), (world.socket.AF_INET, APPLIANCE),
                                (world.socket.AF_INET6, "::1"), (world.socket.AF_INET6, APPLIANCE6)):
            with self.appliance.socket(family, world.socket.SOCK_STREAM) as server, \
                    self.appliance.socket(family, world.socket.SOCK_STREAM) as client, \
                    self.appliance.socket(family, world.socket.SOCK_DGRAM) as datagram:
                server.bind((address, 4321))
                server.listen()
                client.settimeout(1)
                client.connect((address, 4321))
                datagram.bind((address, 4321))
                datagram.settimeout(1)
                datagram.sendto(b"self", (address, 4321))
                self.assertEqual(datagram.recv(10), b"self")

    def test_in(self):
        prober = packets.Prober(NEIGHBOUR, NEIGHBOUR6)
        strangers = packets.Prober(STRANGER, STRANGER6)
        permitted, forbidden = [], []
        for by, whence in ((prober, "neighbour"), (strangers, "internet")):
            for target in (APPLIANCE, APPLIANCE6):
                permitted += [by.make(f"{whence}: TCP 8080", tcp, target, 8080), by.make(f"{whence}: UDP 5683", udp, target, 5683)]
                forbidden += [by.make(f"{whence}: TCP {port}", tcp, target, port) for port in (22, 23, 80, 8083, 5683, 123, 65535)]
                forbidden += [by.make(f"{whence}: UDP {port}", udp, target, port)
                              for port in (53, 67, 68, 123, 161, 1900, 5353, 8080, 40000)]
                forbidden += [by.make(f"{whence}: from port 53", udp, target, 40000, sport=53),
                              by.make(f"{whence}: from port 80", tcp, target, 40000, sport=80, flags=0x12),
                              by.make(f"{whence}: ACK", tcp, target, 40000, flags=0x10),
                              by.make(f"{whence}: SCTP", sctp, target, 8080), by.make(f"{whence}: UDP-Lite", udplite, target, 5683),
                              by.make(f"{whence}: ping", echo, target), by.inside(f"{whence}: GRE", GRE, target, API, 80, b"\0\0\x08\0"),
                              by.inside(f"{whence}: IP in IP", IPIP, target, API, 80),
                              by.inside(f"{whence}: IPv6 in IP", IPV6, target, API6, 80),
                              by.protocol(f"{whence}: ESP", 50, target, bytes(8)),
                              by.fragments(f"{whence}: fragments", tcp, target, 22, [32, 64], True),
                              by.fragments(f"{whence}: fragments, UDP", udp, target, 40001, [32, 64], True)]
            permitted += [by.make(f"{whence}: listener of IPv4", tcp, APPLIANCE, 8081),
                          by.make(f"{whence}: listener of one address", tcp, APPLIANCE, 8082),
                          by.fragments(f"{whence}: fragments to a listener", udp, APPLIANCE, 5683, [32, 64], True),
                          by.fragments(f"{whence}: fragments to a listener, IPv6", udp, APPLIANCE6, 5683, [32, 64], True)]
            forbidden += [by.make(f"{whence}: listener of IPv4", tcp, APPLIANCE6, 8081),
                          by.make(f"{whence}: listener of one address", tcp, APPLIANCE6, 8082)]
        probes = permitted + forbidden
        self.inbound(probes, [True] * len(probes))
        self.guarded(FEEDER)
        self.inbound(probes, [True] * len(permitted) + [False] * len(forbidden))

    def inbound(self, probes, expected):
        arrivals = world.Arrivals(self.appliance)
        self.stack.callback(arrivals.close)
        for sender in (packets.Sender(self.world.neighbour), packets.Sender(self.world.here, "lan")):
            neighbours = sender.interface != world.socket.if_nametoindex("lan")
            sender.send_all([probe for probe in probes if probe.what.startswith("neighbour") == neighbours])
            sender.close()
        got = packets.arrived(probes, arrivals.settle())
        arrivals.close()
        self.assert_arrivals(expected, got, probes)

    def test_answers_from_multicast(self):
        """Who asks a group is answered by neighbours, for a while and nobody else."""
        self.guarded(FEEDER)
        with self.appliance.socket(world.socket.AF_INET, world.socket.SOCK_DGRAM) as asker:
            asker.bind((APPLIANCE, 45678))
            asker.settimeout(1)
            answer = packets.Prober(NEIGHBOUR, NEIGHBOUR6).make("answer", udp, APPLIANCE, 45678, sport=5353)
            stranger = packets.Prober(STRANGER, STRANGER6).make("answer", udp, APPLIANCE, 45678, sport=5353)
            near, far = packets.Sender(self.world.neighbour), packets.Sender(self.world.here, "lan")
            near.send(answer)
            self.assertRaises(OSError, asker.recv, 100)  # nobody has asked
            asker.sendto(b"who is there?", ("224.0.0.251", 5353))
            far.send(stranger)
            self.assertRaises(OSError, asker.recv, 100)
            near.send(answer)
            self.assertEqual(asker.recv(100), answer.token)


def echo_to_port(source, target, _sport, _dport, payload=b""):
    return echo(source, target, payload)


def is_syn(packet, target, port):
    header = 40 if packet[0] >> 4 == 6 else (packet[0] & 15) * 4
    place = 24 if packet[0] >> 4 == 6 else 16
    return packet[place:place + len(packed(target))] == packed(target) and packet[6 if header == 40 else 9] == 6 and \
        int.from_bytes(packet[header + 2:header + 4], "big") == port and packet[header + 13] & 0x12 == 0x02


def at_addresses(profile):
    """The same with addresses in the places of names."""
    known = {name: zone.addresses for name, zone in zones().items()}
    known["api.feeder.example"] = known["edge7.cdn.example"]
    connections = [entry if "host" not in entry["peer"] else {**entry, "peer": {"address": f"{target}/{128 if ':' in target else 32}"}}
                   for entry in profile["policy"]["connections"] for target in known.get(entry["peer"].get("host"), ["-"])]
    return {**profile, "policy": {**profile["policy"], "connections": connections}}


@guarded.under_both
class AsText(Tables):
    """The tables by the rules as text, on any kernel: the two backends permit the same."""

    def by_text(self, profile, *options):
        self.stack.enter_context(guarded.Text(self.appliance, self.dir, profile, self.BACKEND, *options))

    def test_out(self):
        self.by_text(at_addresses(FEEDER))
        # compiled away from the machine, any neighbour may be the gateway; and nobody reads what is sent to port 53
        forbidden = [probe for probe in self.forbidden() if probe.what not in ("ICMP type 8", "ICMPv6 type 128") and
                     not (" 53 " in probe.what and probe.target in (NEIGHBOUR, NEIGHBOUR6, ROUTER, ROUTER6))]
        permitted = self.permitted()
        probes = permitted + forbidden
        self.assert_arrivals([True] * len(permitted) + [False] * len(forbidden), self.arrivals(probes), probes)

    def test_classes(self):
        self.by_text(CLASSES)
        permitted, forbidden = classes(self.prober.make)
        probes = permitted + forbidden
        self.assert_arrivals([True] * len(permitted) + [False] * len(forbidden), self.arrivals(probes), probes)

    def test_audit(self):
        """Reports and refuses nothing; but for headers that are cut off, which matches of iptables drop themselves."""
        self.by_text(at_addresses(FEEDER), "--audit")
        probes = [probe for probe in self.permitted() + self.forbidden() if self.BACKEND != "iptables" or
                  probe.what != "AH" and not probe.what.startswith("tiny first fragment")]
        self.assert_arrivals([True] * len(probes), self.arrivals(probes), probes)

    def test_reject(self):
        """Who is refused is told at once; nothing more gets out for it."""
        self.by_text(at_addresses(FEEDER), "--reject")
        for target in (STRANGER, STRANGER6):
            with self.appliance.socket(world.socket.AF_INET6 if ":" in target else world.socket.AF_INET,
                                       world.socket.SOCK_STREAM) as sock:
                sock.settimeout(2)
                self.assertRaises((ConnectionRefusedError, PermissionError), sock.connect, (target, 80))
        forbidden = [probe for probe in self.forbidden() if probe.what not in ("ICMP type 8", "ICMPv6 type 128") and " 53 " not in probe.what]
        self.assert_arrivals([False] * len(forbidden), self.arrivals(forbidden), forbidden)


def classes(make):
    """For CLASSES."""
    permitted = [
        make("high UDP", udp, STRANGER, 1024), make("high UDP", udp, STRANGER6, 65535), make("high TCP", tcp, STRANGER, 1024),
        make("high TCP", tcp, STRANGER6, 40000), make("ephemeral", tcp, API, 32768),
        make("any port of a neighbour", tcp, NEIGHBOUR, 22), make("any port of a neighbour", tcp, NEIGHBOUR6, 1),
        make("any port of the router", tcp, ROUTER, 8443), make("from its port", udp, NEIGHBOUR, 7000, sport=7001),
        make("ping", echo, STRANGER), make("own service port in the farm", tcp, API, 52869),
    ]
    forbidden = [
        make("system port", udp, STRANGER, 1023), make("system port", tcp, STRANGER, 443), make("system port", tcp, STRANGER6, 22),
        make("QUIC", udp, STRANGER, 443), make("QUIC", udp, STRANGER6, 443),
        make("service", tcp, STRANGER, 5555), make("service", tcp, STRANGER, 27017), make("service", tcp, STRANGER6, 8080),
        make("UDP to a neighbour", udp, NEIGHBOUR, 40000), make("from another port", udp, NEIGHBOUR, 7000, sport=7002),
        make("UDP to a neighbour", udp, NEIGHBOUR6, 40000), make("ping of a neighbour", echo, NEIGHBOUR),
        make("ping", echo, STRANGER6), make("multicast", udp, "239.255.255.250", 1900), make("multicast", udp, "ff02::c", 1900),
        make("broadcast", udp, "255.255.255.255", 40000), make("private address afar", udp, "192.168.3.4", 40000),
        make("private address afar", udp, "fd99::1", 40000), make("SCTP", sctp, STRANGER, 40000),
    ]
    return permitted, forbidden


@guarded.under_both
class Classes:
    """Roles and classes of ports."""

    def test_out(self):
        permitted, forbidden = classes(self.prober.make)
        probes = permitted + forbidden
        self.assert_arrivals([True] * len(probes), self.arrivals(probes), probes)
        self.appliance.must("conntrack", "--flush")
        self.guarded(CLASSES)
        self.assert_arrivals([True] * len(permitted) + [False] * len(forbidden), self.arrivals(probes), probes)


if __name__ == "__main__":
    guarded.main()

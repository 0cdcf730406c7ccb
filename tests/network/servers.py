# SPDX-License-Identifier: GPL-2.0-or-later
"""servers.py PROTOCOL:PORT…: echo servers on all addresses of this network namespace, both families, until standard input
ends. TCP says "hello" first, so that a client sees that somebody accepted."""
import selectors
import socket
import struct
import sys

IP_PKTINFO, IPV6_RECVPKTINFO, IPV6_PKTINFO, IPV6_FREEBIND = 8, 49, 50, 78

selector = selectors.DefaultSelector()


def accept(listener):
    connection, _ = listener.accept()
    connection.setblocking(False)
    try:
        connection.send(b"hello")
    except OSError:
        connection.close()
        return
    selector.register(connection, selectors.EVENT_READ, echo)


def echo(connection):
    try:
        data = connection.recv(65536)
        if data:
            connection.send(data)
            return
    except BlockingIOError:
        return
    except OSError:
        pass
    selector.unregister(connection)
    connection.close()


def answer(server):
    """From the address that was asked, whichever it is."""
    try:
        data, ancillary, _, peer = server.recvmsg(65536, 256)
        if server.family == socket.AF_INET:
            index, _, address = struct.unpack("=I4s4s", ancillary[0][2])
            source = [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=I4s4s", 0, address, bytes(4)))]
        else:
            address, index = struct.unpack("=16sI", ancillary[0][2])
            source = [(socket.IPPROTO_IPV6, IPV6_PKTINFO, struct.pack("=16sI", address, 0))]
        server.sendmsg([data], source, 0, peer)
    except OSError:
        pass


def main():
    for word in sys.argv[1:]:
        protocol, port = word.split(":")
        for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            server = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if protocol == "udp" and family == socket.AF_INET:
                server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            if protocol == "udp" and family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                server.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            server.bind((anywhere, int(port)))
            server.setblocking(False)
            if protocol == "tcp":
                server.listen(4096)
            selector.register(server, selectors.EVENT_READ, accept if protocol == "tcp" else answer)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                return
            key.data(key.fileobj)


main()

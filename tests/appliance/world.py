#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance's world: the servers it talks to, and the app that asks it for its status."""
import socket
import sys
import threading
import time

TCP = [("203.0.113.10", 80), ("2001:db8:77::10", 80), ("203.0.113.30", 8883), ("203.0.113.40", 443)]
UDP = [("203.0.113.20", 123)]
STRANGERS = [("198.51.100.66", 443), ("2001:db8:66::66", 443)]  # whom only an intruder calls
DISTANCE = 0.01  # seconds: servers on the internet are not next door


def answer(connection, port):
    with connection:
        connection.settimeout(2)
        try:
            time.sleep(DISTANCE)
            if connection.recv(2048) and port == 80:
                connection.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
        except OSError:
            pass


def serve_tcp(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(128)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, port), daemon=True).start()


def serve_udp(address, port):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))
    while True:
        question, peer = server.recvfrom(512)
        time.sleep(DISTANCE)
        server.sendto(b"\x24" + bytes(47), peer)


def ask_status(address, port):
    while True:
        time.sleep(3)
        try:
            with socket.create_connection((address, port), timeout=2) as connection:
                connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
                connection.recv(2048)
        except OSError:
            pass


for place in TCP + STRANGERS:
    threading.Thread(target=serve_tcp, args=place, daemon=True).start()
for place in UDP:
    threading.Thread(target=serve_udp, args=place, daemon=True).start()
threading.Thread(target=ask_status, args=("10.77.0.2", 8080), daemon=True).start()
threading.Event().wait()

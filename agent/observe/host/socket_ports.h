/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_PORTS_H
#define OBSERVE_HOST_SOCKET_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/host/socket_record.h"

/*
 * Which ports the kernel gives to clients that did not ask for one: the range
 * net.ipv4.ip_local_port_range without net.ipv4.ip_local_reserved_ports.
 */
struct socket_ports {
	uint16_t low;
	uint16_t high;
	uint8_t reserved[65536 / 8]; /* one bit for each port */
};

/* "32768\t60999" and "8080,9148-9150". What can't be read leaves the kernel's defaults. */
void socket_ports_parse(struct socket_ports *ports, const char *range, const char *reserved);

/* The same, from /proc/sys. */
void socket_ports_read(struct socket_ports *ports);

bool socket_port_is_ephemeral(const struct socket_ports *ports, uint16_t port);

/* Whether the socket waits for peers: TCP and SCTP listen; UDP and UDP-Lite are bound, not
 * connected, and not on a port that the kernel gives to clients. */
bool socket_is_listener(const struct socket_ports *ports, const struct socket_record *record);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_ports.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* net/ipv4/af_inet.c inet_init_net() */
#define DEFAULT_LOW  32768
#define DEFAULT_HIGH 60999

void socket_ports_parse(struct socket_ports *ports, const char *range, const char *reserved)
{
	unsigned int low, high;
	int used;

	*ports = (struct socket_ports){.low = DEFAULT_LOW, .high = DEFAULT_HIGH};
	if (sscanf(range, "%5u %5u", &low, &high) == 2 && low <= high && high <= UINT16_MAX) {
		ports->low = (uint16_t)low;
		ports->high = (uint16_t)high;
	}
	for (; sscanf(reserved, "%5u%n", &low, &used) == 1; reserved++) {
		reserved += used;
		high = low;
		if (sscanf(reserved, "-%5u%n", &high, &used) == 1)
			reserved += used;
		for (unsigned int port = low; port <= high && port <= UINT16_MAX; port++)
			ports->reserved[port / 8] |= (uint8_t)(1U << port % 8);
		if (*reserved != ',')
			break;
	}
}

/* The first line of the file without its end; "" when it can't be read. */
static void read_line(const char *path, char *line, size_t size)
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	if (!file || !fgets(line, (int)size, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

void socket_ports_read(struct socket_ports *ports)
{
	char range[64];
	char reserved[8192];

	read_line("/proc/sys/net/ipv4/ip_local_port_range", range, sizeof(range));
	read_line("/proc/sys/net/ipv4/ip_local_reserved_ports", reserved, sizeof(reserved));
	socket_ports_parse(ports, range, reserved);
}

bool socket_port_is_ephemeral(const struct socket_ports *ports, uint16_t port)
{
	return port >= ports->low && port <= ports->high &&
	       !(ports->reserved[port / 8] & 1U << port % 8);
}

bool socket_is_listener(const struct socket_ports *ports, const struct socket_record *record)
{
	if (!record->local_port || record->remote_port)
		return false;
	switch (record->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_SCTP:
		return record->state == TCP_LISTEN;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return record->state == TCP_CLOSE &&
		       !socket_port_is_ephemeral(ports, record->local_port);
	default:
		return false;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_proc.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/cleanup.h"

#define LINES_LIMIT 1000000

/* Local addresses of one SCTP endpoint that are read. */
#define SCTP_ADDRESSES 16

struct place {
	const char *path;
	uint8_t family; /* 0: addresses in text, SCTP's own layout */
	uint8_t protocol;
};

static const struct place places[][2] = {
	[SOCKET_PROC_TCP] = {{"/proc/net/tcp", 4, IPPROTO_TCP}, {"/proc/net/tcp6", 6, IPPROTO_TCP}},
	[SOCKET_PROC_UDP] = {{"/proc/net/udp", 4, IPPROTO_UDP}, {"/proc/net/udp6", 6, IPPROTO_UDP}},
	[SOCKET_PROC_UDPLITE] = {{"/proc/net/udplite", 4, IPPROTO_UDPLITE},
				 {"/proc/net/udplite6", 6, IPPROTO_UDPLITE}},
	[SOCKET_PROC_SCTP] = {{"/proc/net/sctp/eps", 0, IPPROTO_SCTP}},
	[SOCKET_PROC_PING] = {{"/proc/net/icmp", 4, IPPROTO_ICMP},
			      {"/proc/net/icmp6", 6, IPPROTO_ICMPV6}},
	[SOCKET_PROC_RAW] = {{"/proc/net/raw", 4, IPPROTO_RAW}, {"/proc/net/raw6", 6, IPPROTO_RAW}},
};

static void read_line(const struct place *place, const char *line, socket_record_fn found,
		      void *context)
{
	struct socket_record records[SCTP_ADDRESSES];
	int count;

	if (place->family)
		count = socket_record_parse_line(line, place->family, place->protocol,
						 &records[0]) < 0
				? 0
				: 1;
	else
		count = socket_record_parse_sctp_line(line, records, SCTP_ADDRESSES);
	for (int i = 0; i < count; i++)
		found(context, &records[i]);
}

int socket_proc_read(enum socket_proc_table table, socket_record_fn found, void *context)
{
	int result = -ENOENT;

	for (size_t i = 0; i < array_length(places[table]) && places[table][i].path; i++) {
		_cleanup_(fclosep) FILE *file = fopen(places[table][i].path, "re");
		char line[512];

		if (!file)
			continue;
		result = 0;
		for (size_t read = 0; read < LINES_LIMIT && fgets(line, sizeof(line), file); read++)
			read_line(&places[table][i], line, found, context);
	}
	return result;
}

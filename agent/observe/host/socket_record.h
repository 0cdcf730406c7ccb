/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_RECORD_H
#define OBSERVE_HOST_SOCKET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* One socket as the kernel tells it, whether by sock_diag or by /proc/net. */
struct socket_record {
	uint8_t protocol; /* IPPROTO_* */
	uint8_t state;	  /* TCP_LISTEN, TCP_CLOSE, … of netinet/tcp.h, for every protocol */
	uint8_t family;	  /* 4 or 6: the socket's own, also where its addresses are v4-mapped */
	bool v6_only;
	bool v6_only_known;	 /* IPv6 sockets: whether v6_only was told */
	struct ip_address local; /* family 4 with bytes 0: any IPv4; family 6 with bytes 0: any */
	struct ip_address remote;
	uint16_t local_port;
	uint16_t remote_port; /* 0: not connected */
	uint32_t inode;	      /* 0: nobody holds it any more */
	uint64_t cookie;      /* unique while the machine runs; 0: unknown */
};

typedef void (*socket_record_fn)(void *context, const struct socket_record *record);

/* Reads one struct inet_diag_msg (linux/inet_diag.h) with its attributes, which is what follows the
 * netlink header. protocol: what was asked for; a message that names its own wins. Returns 0 or
 * -EBADMSG. */
int socket_record_parse(const void *bytes, size_t size, uint8_t protocol,
			struct socket_record *ret_record);

/* Reads one line of /proc/net/{tcp,udp,udplite,icmp,raw} (family 4) or its 6 (family 6). Returns 0
 * or -EBADMSG, also for the heading. */
int socket_record_parse_line(const char *line, uint8_t family, uint8_t protocol,
			     struct socket_record *ret_record);

/* Reads one line of /proc/net/sctp/eps, of which every local address becomes one record. Returns
 * how many were filled (at most limit), or -EBADMSG. */
int socket_record_parse_sctp_line(const char *line, struct socket_record *records, size_t limit);

#endif

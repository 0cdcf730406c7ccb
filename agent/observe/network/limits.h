/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_LIMITS_H
#define OBSERVE_NETWORK_LIMITS_H

#include "base/clock.h"

/*
 * How much the tracker remembers, and for how long. The sizes are what keeps the inspector small
 * (all tables full: about 4 MiB) while a device's busiest minute fits; whatever is pushed out is
 * counted.
 */
enum {
	FLOWS_MAX = 8192,      /* five-tuples; a busy gateway's few minutes, 170 bytes each */
	QUERIES_MAX = 512,     /* UDP queries awaiting answers; a LAN's chatter in 10 s */
	QUESTIONS_MAX = 512,   /* DNS questions; a browser asks some dozens a second */
	ADDRESSES_MAX = 4096,  /* named addresses; a day of a talkative device is in the hundreds */
	WAITING_MAX = 224,     /* flows waiting for a server name, up to STREAM_SIZE bytes each */
	DNS_STREAMS_MAX = 16,  /* DNS over TCP, two directions; with WAITING_MAX 1 MiB in all */
	FRAGMENTED_MAX = 32,   /* datagrams being put together, up to FRAGMENTED_SIZE each */
	ROLES_MAX = 64,	       /* a station has a few resolvers and one or two gateways */
	NEIGHBOURS_MAX = 256,  /* hardware addresses and their IPv4 addresses, from ARP */
	DHCP_REQUESTS_MAX = 8, /* transactions of the station's own */
};

enum {
	STREAM_SIZE = 4096,	/* a ClientHello with post-quantum keys is below 2 KiB */
	FRAGMENTED_SIZE = 8192, /* resolvers cap UDP answers at 4 KiB or less (RFC 6891, 6.2.5) */
	QUIC_DATAGRAMS_MAX = 4, /* a client's first flight; later ones carry no ClientHello */
};

/* A UDP five-tuple silent this long is new when it speaks again: what conntrack grants a stream
 * that went both ways (nf_conntrack_udp_timeout_stream, 120 s; 180 s up to Linux 4.19). */
#define FLOW_IDLE_NS (180 * NS_PER_S)

/* Answers to a query by multicast come within seconds (SSDP's MX is at most 5 s, UPnP 1.1 1.3.2).
 */
#define QUERY_ANSWER_NS (10 * NS_PER_S)

/* Ports below are given to services, not to clients (RFC 6335, 6). */
#define SYSTEM_PORTS_END 1024

/* How long a connection's naming waits for the client's first bytes. */
#define NAME_WAIT_NS (5 * NS_PER_S)

/* A question without an answer is reported after the first of these (resolv.conf's default timeout)
 * and its answer is no longer believed after the second. */
#define QUESTION_WAIT_NS (5 * NS_PER_S)
#define QUESTION_LIFE_NS (30 * NS_PER_S)

/* A name stays with its address for a day although most TTLs are a minute: devices keep using
 * addresses far beyond the TTL, and an unnamed connection is worse than one named by an old answer.
 * A newer answer takes the address over at once. */
#define NAME_LIFE_NS (24 * 3600 * NS_PER_S)

/* Linux' own patience with fragments (net.ipv4.ipfrag_time). */
#define FRAGMENT_LIFE_NS (30 * NS_PER_S)

/* A DHCP client gives up a transaction after about a minute (RFC 2131, 4.1: 4+8+16+32 s). */
#define DHCP_LIFE_NS (60 * NS_PER_S)

/* The same role of the same peer is told again at most this often. */
#define ROLE_REPEAT_NS (600 * NS_PER_S)

/* Packets of several queues may be out of order by less than this; beyond, the clock was set back.
 */
#define CLOCK_STEP_NS NS_PER_S

#endif

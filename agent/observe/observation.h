/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_OBSERVATION_H
#define OBSERVE_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/*
 * The one type in which everything that was seen travels: from the inspector (which parses packets
 * without privileges) and from the process and socket watchers to whoever learns, enforces or
 * reports. An observation is a fact about one moment; it knows nothing of profiles.
 *
 * The network kinds hold no pointers and cross the inspector's channel as they are. The process
 * kinds point at memory that is valid during the call only.
 */

/* A longest host name in text, RFC 1035 section 2.3.4, and its NUL. */
#define NAME_SIZE 254

/* Whose behaviour: all zero is this host, anything else a bridged (or recorded) device. */
struct station {
	struct mac_address mac;
};

enum observation_kind {
	/* network, from the inspector */
	OBSERVATION_START = 1,	/* first packet of a flow that the station opens; for attribution */
	OBSERVATION_CONNECTION, /* the same flow once its peer's name is settled; exactly one each
				 */
	OBSERVATION_SERVICE,	/* the station answered a flow that a peer opened */
	OBSERVATION_NAME,	/* an address in an answer to a question of the station's */
	OBSERVATION_ROLE,	/* a peer showed itself as resolver, gateway, … */
	OBSERVATION_CAPTURE,	/* counters since the capture began, and whether it broke off */
	/* processes and sockets, on this host */
	OBSERVATION_EXECUTION, /* a program ran, or was found running */
	OBSERVATION_SCRIPT,    /* an interpreter ran a script */
	OBSERVATION_LIBRARY,   /* machine code that was mapped or opened, not started */
	OBSERVATION_READ,      /* an interpreter or a multi-call binary opened a file of data */
	OBSERVATION_LISTENER,  /* a socket waits for peers */
	OBSERVATION_LOSS,      /* process or socket events were lost */
};

/* How a peer got its name, the surest first. */
enum name_source {
	NAME_FROM_NONE,
	NAME_FROM_DNS,	/* an answer to the station's own question */
	NAME_FROM_TLS,	/* server_name of a ClientHello, RFC 6066 section 3 */
	NAME_FROM_QUIC, /* the same in a QUIC Initial, RFC 9001 */
};

/* One flow that the station opened. */
struct observed_flow {
	uint64_t id; /* unique while the inspector lives; START and CONNECTION share it */
	struct ip_address local;
	struct ip_address remote;
	uint8_t protocol;  /* IPPROTO_*: TCP, UDP, UDPLITE, SCTP, ICMP, ICMPV6, or any other number
			    */
	uint8_t icmp_type; /* for ICMP and ICMPv6 */
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t name_source;  /* enum name_source */
	uint16_t asked_port;  /* UDP: this answers a datagram that the peer sent to that port, by
				 unicast  or to a group, at most ten seconds ago (SSDP, mDNS, TFTP);
				 0: it does not */
	bool link_broadcast;  /* sent to the link's broadcast address */
	bool announces;	      /* an SSDP NOTIFY: subscribers' event URLs will be called */
	uint32_t ttl_s;	      /* of the DNS answer that named it */
	char name[NAME_SIZE]; /* lower case, no final dot, "" while unknown */
};

/* Whether a flow is the IP stack's own doing and says nothing of the device: group membership
 * (IGMP, MLD), neighbour and router discovery. */
bool flow_is_stack(const struct observed_flow *flow);

/* A port of the station's that answered. */
struct observed_service {
	struct ip_address local;
	struct ip_address remote;
	uint8_t protocol;
	uint16_t local_port;
};

/* One address of one answer. */
struct observed_name {
	struct ip_address address; /* family 0: asked for, and no address in the answer */
	uint32_t ttl_s;
	char name[NAME_SIZE]; /* as asked, not the end of the CNAME chain */
};

enum peer_role {
	PEER_ROLE_NONE,
	PEER_ROLE_RESOLVER,    /* answered the station's DNS questions, or DHCP/RA announced it */
	PEER_ROLE_GATEWAY,     /* DHCP router option, router advertisement, or ARP of the MAC that
				  carries public traffic */
	PEER_ROLE_DHCP_SERVER, /* sent a DHCP offer or acknowledgement */
	PEER_ROLE_LAN,
	PEER_ROLE_MULTICAST,
	PEER_ROLE_BROADCAST,
};

struct observed_role {
	struct ip_address address;
	uint8_t role; /* enum peer_role: RESOLVER, GATEWAY, DHCP_SERVER; BROADCAST for the directed
			 broadcast address of the station's own subnet */
	bool announced; /* by DHCP or a router advertisement; else shown by what it did */
};

struct observed_capture {
	uint64_t packets; /* handed to the decoder since the capture began */
	uint64_t bytes;
	uint64_t dropped;   /* by the kernel or the interface */
	uint64_t undecoded; /* truncated or malformed, counted and left alone */
	uint64_t evicted;   /* flows, questions and names pushed out of full tables */
	bool interrupted;   /* there is a gap: interface gone, or inspector restarted */
};

/* How a program was seen. */
enum execution_source {
	EXECUTION_EVENT,   /* fanotify: hashed through the event's descriptor */
	EXECUTION_RUNNING, /* was there before learning began, or found by a sweep */
};

struct observed_execution {
	int32_t pid;
	const char *path;	/* as the kernel names the file; a label */
	const uint8_t *sha256;	/* 32 bytes; NULL: could not be read, see unreadable */
	const char *unreadable; /* why there is no checksum, or NULL */
	const char *user;	/* name or number of the effective user; NULL: unknown */
	const char *parent;	/* path of the parent's program; NULL: unknown */
	const char *const
		*arguments;   /* argv after argv[0] for interpreters and multi-call binaries,
				 NULL-terminated; NULL: not such a program, or unknown */
	const char *applet;   /* base name of argv[0] of a multi-call binary; else NULL */
	bool pins_arguments;  /* an interpreter or a multi-call binary */
	uint64_t boot_age_ns; /* time since boot when it was started */
	uint8_t source;	      /* enum execution_source */
	bool reads_watched;   /* all that it opens will be told */
};

struct observed_script {
	const char *path;
	const uint8_t *sha256;
	const char *interpreter; /* path of the interpreter's executable */
};

struct observed_library {
	const char *path;
	const uint8_t *sha256;
	const char *program; /* path of who mapped or opened it; NULL: unknown */
};

/* Neither machine code nor, by its name or first bytes, a script; perhaps only written to. */
struct observed_read {
	const char *path;
	const char *program; /* path of who opened it */
	bool is_new;	     /* it was created since the watch began */
};

struct observed_listener {
	uint8_t protocol;
	struct ip_address address; /* unspecified: any */
	bool dual_stack;	   /* an IPv6 socket that takes IPv4 too */
	uint16_t port;
	const char *program; /* path; NULL: unknown */
};

struct observed_loss {
	const char *source; /* "fanotify", "process connector", "socket events" */
	uint64_t seen;	    /* events so far, from all sources of that name */
	uint64_t lost;	    /* events known to be lost so far; 0 keeps the counters fresh */
};

struct observation {
	enum observation_kind kind;
	struct station station;
	uint64_t time_ns; /* since 1970: the packet's, or when the event was read */
	union {
		struct observed_flow flow; /* START, CONNECTION */
		struct observed_service service;
		struct observed_name name;
		struct observed_role role;
		struct observed_capture capture;
		struct observed_execution execution;
		struct observed_script script;
		struct observed_library library;
		struct observed_read read;
		struct observed_listener listener;
		struct observed_loss loss;
	};
};

typedef void (*observation_fn)(void *context, const struct observation *observation);

#endif

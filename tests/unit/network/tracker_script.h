/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_TRACKER_SCRIPT_H
#define TESTS_TRACKER_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "observe/network/tracker.h"

/*
 * Hand-made packets into a tracker, and what it says of them as lines of text:
 *
 *	start tcp 198.51.100.1:443
 *	connection tcp www.example.com:443 dns
 *	connection udp 192.168.1.9:50000 asked 1900
 *	service tcp 80 for 192.168.1.9
 *	name www.example.com 198.51.100.1 60
 *	name gone.example.com none 0
 *	role resolver 192.168.1.1 announced
 */
#define STATION	 "192.168.1.2"
#define RESOLVER "192.168.1.1"
#define PUBLIC	 "198.51.100.1" /* RFC 5737 documentation addresses are public to the scope table */

#define EPOCH_NS (UINT64_C(1700000000) * NS_PER_S)

#define SCRIPT_FLOWS_MAX 4096 /* ids are checked up to here */

struct script {
	struct tracker *tracker;
	uint64_t now_ns;
	struct text lines;
	bool skip_starts; /* only one of the two lines of a flow */
	size_t count;	  /* of observations */
	bool is_silent;	  /* counts only */
	size_t starts;
	size_t connections;
	uint64_t last_id;
	bool is_open[SCRIPT_FLOWS_MAX]; /* by id: started, and not settled yet */
	uint8_t buffer[8192];
};

extern const struct mac_address station_mac;
extern const struct mac_address gateway_mac;

void script_begin(struct script *script); /* TRACK_MAC of station_mac */
void script_begin_as(struct script *script, const struct tracker_config *config);
void script_end(struct script *script);

/* Compares the lines since the last call and forgets them. */
void script_expect(struct script *script, const char *lines);

/* Flows that started and are not settled. */
size_t script_open_flows(const struct script *script);

void script_wait(struct script *script, double seconds); /* the clock only */
void script_packet(struct script *script, const struct packet *packet);

/* "192.168.1.2:40000" or "[2001:db8::1]:443"; without port: none. Ethernet addresses follow from
 * the IP addresses. */
struct packet packet_between(uint8_t protocol, const char *source, const char *destination);
struct packet packet_tcp(const char *source, const char *destination, uint8_t flags,
			 uint32_t sequence);
struct packet packet_icmp(const char *source, const char *destination, uint8_t type);

/* Feeds one packet. */
void script_udp(struct script *script, const char *source, const char *destination);
void script_tcp(struct script *script, const char *source, const char *destination, uint8_t flags,
		uint32_t sequence);
void script_icmp(struct script *script, const char *source, const char *destination, uint8_t type);

/* DNS messages. Addresses: separated by spaces, "" for none; alias: "" or what the name is a CNAME
 * of. Return the size. */
size_t dns_make_question(uint8_t *bytes, uint16_t id, const char *name, uint16_t type);
size_t dns_make_answer(uint8_t *bytes, uint16_t id, const char *name, uint16_t type,
		       const char *alias, const char *addresses, uint32_t ttl_s);

/* One UDP question from STATION:port to RESOLVER and its answer. */
void script_ask(struct script *script, uint16_t port, uint16_t id, const char *name);
void script_answer(struct script *script, uint16_t port, uint16_t id, const char *name,
		   const char *addresses);
void script_resolve(struct script *script, const char *name, const char *addresses);

/* A ClientHello in one TLS record. Returns the size. */
size_t tls_make_hello(uint8_t *bytes, const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_DNS_WATCH_H
#define OBSERVE_NETWORK_DNS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/network/names.h"
#include "observe/network/packet.h"

/*
 * DNS as it crosses the wire: port 53 over UDP (fragments put together) and over TCP (streams cut
 * into messages), handed to the table of names. Multicast DNS (5353), LLMNR (5355) and NetBIOS
 * (137) are not looked at: anyone in the local network can answer those, so they name nothing.
 */
struct dns_watch;

/* An answer of this resolver counted. */
typedef void (*dns_watch_resolver_fn)(void *context, const struct ip_address *resolver);

/* names stays the caller's. Returns 0 or -ENOMEM. */
int dns_watch_new(struct names *names, dns_watch_resolver_fn resolver, void *context,
		  struct dns_watch **ret_watch);
void dns_watch_free(struct dns_watch *watch);

/* A UDP or TCP packet that the station sent or received; other ports are left alone. On loopback
 * the same packet is both. */
void dns_watch_sent(struct dns_watch *watch, const struct packet *packet, uint64_t now_ns);
void dns_watch_received(struct dns_watch *watch, const struct packet *packet, uint64_t now_ns);

uint64_t dns_watch_evicted(const struct dns_watch *watch);

#endif

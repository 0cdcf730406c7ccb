/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_NAMES_H
#define OBSERVE_NETWORK_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/network/dns_message.h"

/*
 * Which name led to an address: the station's outstanding DNS questions and the addresses that
 * answers to them gave. An answer counts only for the question it belongs to (asking and answering
 * address, asking port, transport, id, name and type all the same) and only the first one does: who
 * cannot see the question cannot name an address.
 *
 * A public name never names a private address (rebinding), and no name ever names loopback,
 * multicast or nothing; the name itself is reported all the same.
 */
struct names;

/* A name that was asked for is settled: with an address that the answer gave, or (NULL) without.
 * Called from inside the functions below. */
typedef void (*names_report_fn)(void *context, const char *name, const struct ip_address *address,
				uint32_t ttl_s);

/* Who asks whom. All bytes of it are compared. */
struct names_path {
	struct ip_address client;
	struct ip_address resolver;
	uint16_t client_port;
	uint8_t transport; /* IPPROTO_UDP or IPPROTO_TCP; the resolver's port is 53 */
	uint8_t reserved;  /* zero */
};

/* Returns 0 or -ENOMEM. */
int names_new(names_report_fn report, void *context, struct names **ret_names);
void names_free(struct names *names);

void names_question(struct names *names, const struct names_path *path,
		    const struct dns_message *message, uint64_t now_ns);

/* Returns 0 when the answer counts, -EALREADY when it repeats the one that counted, -ENOENT when it
 * answers nothing that was asked, or something else than the first answer did: then it changed
 * nothing and is counted as forged. */
int names_answer(struct names *names, const struct names_path *path,
		 const struct dns_message *message, uint64_t now_ns);

/* Whether anything is being asked of this address. Takes a walk over the questions. */
bool names_is_asked(const struct names *names, const struct ip_address *resolver);

/* The name of an address, or NULL. Valid until the next call with these names. */
const char *names_find(struct names *names, const struct ip_address *address, uint64_t now_ns,
		       uint32_t *ret_ttl_s);

/* Reports questions that waited too long and forgets the old ones. */
void names_expire(struct names *names, uint64_t now_ns);

/* Reports every question without an answer and forgets them all. */
void names_forget_questions(struct names *names);

/* Whether a name can only mean something in the local network: a single label, or below one of the
 * suffixes that are kept for it (local, lan, home.arpa, …). */
bool name_is_local(const char *name);

uint64_t names_forged(const struct names *names);
uint64_t names_evicted(const struct names *names);

#endif

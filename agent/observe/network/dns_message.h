/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_DNS_MESSAGE_H
#define OBSERVE_NETWORK_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "observe/observation.h"

/* RFC 1035, RFC 3596 (AAAA), RFC 9460 (SVCB, HTTPS). Wire parsing is libc's resolver parser
 * (ns_initparse and friends); this file turns it into fixed structures with the checks on top. */

#define DNS_ALIASES_MAX	  16
#define DNS_ADDRESSES_MAX 256 /* a datagram of 4096 bytes has room for 250 A records */

struct dns_address {
	struct ip_address address;
	uint32_t ttl_s; /* the smallest on the way: CNAMEs and the address record */
	bool hint;	/* from ipv4hint/ipv6hint of an HTTPS or SVCB record */
};

struct dns_message {
	uint16_t id;
	bool is_response;
	bool truncated;
	uint8_t opcode;
	uint8_t rcode;
	uint16_t question_type;	  /* of the only question; ns_t_* */
	char question[NAME_SIZE]; /* lower case, no final dot */
	/* Addresses of the records that the CNAME chain leads to from the question; records about
	 * other names are left out: they answer nothing that was asked. */
	size_t address_count;
	struct dns_address addresses[DNS_ADDRESSES_MAX];
	bool addresses_left_out; /* there were more than DNS_ADDRESSES_MAX */
};

/*
 * Returns 0 for a query or response with exactly one question of class IN whose name is a valid
 * host name (letters, digits, hyphen, underscore; also "*" never), -EBADMSG for anything malformed
 * (compression loops, lengths beyond the message, counts without records), -ENOMSG for well-formed
 * messages that are not of interest (no question, several, other class, other opcode than QUERY,
 * names that are not host names).
 */
int dns_message_parse(const uint8_t *bytes, size_t size, struct dns_message *ret_message);

#endif

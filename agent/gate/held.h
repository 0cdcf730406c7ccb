/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_HELD_H
#define GATE_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/network/dns_message.h"
#include "observe/observation.h"

/*
 * What the reader, which parses packets without privileges, tells the gate, which decides: one
 * record for each packet of a queue (NFQUEUE) or of the log (NFLOG). Of one fixed size, no
 * pointers; the reader may have been taken over by what it read, so everything is held against a
 * closed list on arrival (held_is_valid).
 */
enum held_kind {
	HELD_QUESTION = 1, /* to a resolver, whole */
	HELD_ANSWER,	   /* of one, whole; TCP: the segment that completes it */
	HELD_PART,	   /* TCP to or from port 53 without a whole message: handshake, length
			      prefix, middle of an answer; harmless */
	HELD_UNREADABLE,   /* to or from port 53, and no DNS message, or one in pieces that cannot
			      be followed, or in a packet as no resolver needs it (IP options, IPv6
			      extension headers, fragments, bytes behind the message) */
	HELD_FLOW,	   /* first packet of a connection whose program has to be known */
	HELD_REFUSED,	   /* from the log: a rule refused it; nobody waits */
	HELD_KIND_COUNT,
};

/* Messages in one packet (TCP); with more it is HELD_UNREADABLE. */
#define HELD_PER_PACKET 32

enum held_way { HELD_OUT, HELD_IN, HELD_FORWARD, HELD_WAY_COUNT };

struct held {
	uint32_t kind;
	uint32_t packet; /* its number in its queue; HELD_REFUSED: 0 */
	uint32_t mark;	 /* that it has */
	uint8_t queue;	 /* enum rule_queue */
	uint8_t way;	 /* enum held_way */
	uint8_t rcode;	 /* answers */
	bool truncated;	 /* answers: TC */
	bool over_tcp;
	bool left_out; /* more addresses than fit */
	bool edns;     /* the message has an OPT record (RFC 6891): its answer needs one, too */
	/* The next record is about the same packet, which holds several messages: it may go on when
	 * there is nothing against any of them. Only QUESTION and ANSWER over TCP. */
	bool more;
	uint16_t dns_id;
	uint16_t question_type;
	uint16_t address_count;
	/* local and remote as seen from this host; name: the question, lower case; protocol, ports,
	 * icmp_type; nothing else. HELD_FORWARD: local is the source. Of QUESTION and ANSWER the
	 * remote port is 53; of the others the addresses may be missing (family 0) */
	struct observed_flow flow;
	char asked[NAME_SIZE]; /* the question as it was written: answers repeat its letters */
	struct dns_address addresses[DNS_ADDRESSES_MAX];
};

#define HELD_PER_MESSAGE 16 /* records in one message of the channel */

/* Whether bytes from another process are a record: every value in range, every text ended and a
 * host name, every address of the family it says. */
bool held_is_valid(const struct held *held);

#endif

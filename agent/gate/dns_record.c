/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/dns_record.h"

#include <arpa/nameser.h>
#include <string.h>
#include <sys/types.h>

#include "base/hostname.h"
#include "observe/network/dns_message.h"

/* The question as it was written: letters may stand in upper and lower case, and an answer has to
 * repeat them (draft-vixie-dnsext-dns0x20). A host name is the same in text as on the wire. */
static bool read_asked(const uint8_t *message, size_t size, char asked[NAME_SIZE])
{
	char text[NS_MAXDNAME];
	size_t length;

	if (ns_name_uncompress(message, message + size, message + NS_HFIXEDSZ, text, sizeof(text)) <
	    0)
		return false;
	length = strlen(text);
	if (length >= HOSTNAME_SIZE)
		return false;
	memset(asked, 0, NAME_SIZE);
	memcpy(asked, text, length);
	return true;
}

static bool has_opt(ns_msg *wire)
{
	int count = ns_msg_count(*wire, ns_s_ar);
	ns_rr record;

	for (int i = 0; i < count; i++)
		if (ns_parserr(wire, ns_s_ar, i, &record) == 0 && ns_rr_type(record) == ns_t_opt)
			return true;
	return false;
}

/* Other records would leave unseen. */
static bool is_bare(const ns_msg *wire, bool edns)
{
	return ns_msg_count(*wire, ns_s_an) == 0 && ns_msg_count(*wire, ns_s_ns) == 0 &&
	       ns_msg_count(*wire, ns_s_ar) == edns;
}

bool dns_record_read(const uint8_t *message, size_t size, struct held *held)
{
	bool is_answer = held->way == HELD_IN;
	char asked[NAME_SIZE];
	struct dns_message parsed;
	ns_msg wire;
	bool edns;

	if (dns_message_parse(message, size, &parsed) < 0 || parsed.is_response != is_answer ||
	    ns_initparse(message, (int)size, &wire) < 0 || !read_asked(message, size, asked))
		return false;
	edns = has_opt(&wire);
	if (!is_answer && (!is_bare(&wire, edns) || parsed.truncated || parsed.rcode))
		return false;
	held->kind = is_answer ? HELD_ANSWER : HELD_QUESTION;
	held->rcode = parsed.rcode;
	held->truncated = parsed.truncated;
	held->left_out = parsed.addresses_left_out;
	held->edns = edns;
	held->more = false;
	held->dns_id = parsed.id;
	held->question_type = parsed.question_type;
	memcpy(held->asked, asked, sizeof(asked));
	memcpy(held->flow.name, parsed.question, sizeof(parsed.question));
	held->address_count = (uint16_t)parsed.address_count;
	memcpy(held->addresses, parsed.addresses, sizeof(held->addresses));
	return true;
}

void dns_record_clear(struct held *held, enum held_kind kind)
{
	held->kind = kind;
	held->rcode = 0;
	held->truncated = false;
	held->left_out = false;
	held->edns = false;
	held->more = false;
	held->dns_id = 0;
	held->question_type = 0;
	held->address_count = 0;
	memset(held->asked, 0, sizeof(held->asked));
	memset(held->flow.name, 0, sizeof(held->flow.name));
	memset(held->addresses, 0, sizeof(held->addresses));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/held.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hostname.h"
#include "rules/program.h"

#define RCODE_MAX 15 /* RFC 1035 section 4.1.1: four bits */

/* A bool with another value than 0 or 1 must not even be read as one. */
static bool bools_are_valid(const struct held *held)
{
	const bool *const bools[] = {
		&held->truncated,      &held->over_tcp, &held->left_out,
		&held->edns,	       &held->more,	&held->flow.link_broadcast,
		&held->flow.announces,
	};

	for (size_t i = 0; i < array_length(bools); i++) {
		uint8_t byte;

		memcpy(&byte, bools[i], sizeof(byte));
		if (byte > 1)
			return false;
	}
	return !held->flow.link_broadcast && !held->flow.announces;
}

static bool address_is_valid(const struct ip_address *address)
{
	static const uint8_t zero[sizeof(address->bytes)];
	size_t used = address->family == 4 ? 4 : address->family == 6 ? 16 : 0;

	if (address->family != 0 && used == 0)
		return false;
	return memcmp(address->bytes + used, zero, sizeof(zero) - used) == 0;
}

static bool addresses_are_valid(const struct held *held)
{
	if (held->address_count > DNS_ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < held->address_count; i++) {
		const struct dns_address *address = &held->addresses[i];
		uint8_t hint;

		memcpy(&hint, &address->hint, sizeof(hint));
		if (hint > 1 || address->address.family == 0 ||
		    !address_is_valid(&address->address) || address->ttl_s > INT32_MAX)
			return false;
	}
	return true;
}

static bool flow_is_valid(const struct observed_flow *flow)
{
	return flow->id == 0 && flow->name_source == NAME_FROM_NONE && flow->asked_port == 0 &&
	       flow->ttl_s == 0 && address_is_valid(&flow->local) &&
	       address_is_valid(&flow->remote) && flow->local.family == flow->remote.family;
}

/* The question in both ways of writing. */
static bool names_are_valid(const struct held *held)
{
	size_t size = strnlen(held->asked, sizeof(held->asked));
	char asked[HOSTNAME_SIZE];

	return size < sizeof(held->asked) &&
	       strnlen(held->flow.name, sizeof(held->flow.name)) == size &&
	       hostname_is_valid(held->flow.name) &&
	       hostname_normalise(held->asked, size, asked) == 0 &&
	       strcmp(asked, held->flow.name) == 0;
}

static bool has_no_message(const struct held *held)
{
	return held->rcode == 0 && !held->truncated && !held->left_out && !held->edns &&
	       !held->more && held->dns_id == 0 && held->question_type == 0 &&
	       held->address_count == 0 && held->flow.name[0] == '\0' && held->asked[0] == '\0';
}

static bool is_message(const struct held *held, enum held_way way)
{
	uint8_t protocol = held->over_tcp ? IPPROTO_TCP : IPPROTO_UDP;

	return held->way == way && held->flow.protocol == protocol &&
	       held->flow.local.family != 0 && held->flow.remote_port == NS_DEFAULTPORT &&
	       (held->over_tcp || !held->more) && names_are_valid(held);
}

static bool check_question(const struct held *held)
{
	return is_message(held, HELD_OUT) && held->rcode == 0 && !held->truncated &&
	       !held->left_out && held->address_count == 0;
}

static bool check_answer(const struct held *held)
{
	return is_message(held, HELD_IN) && held->rcode <= RCODE_MAX && addresses_are_valid(held);
}

static bool check_part(const struct held *held)
{
	return has_no_message(held) && held->over_tcp && held->flow.protocol == IPPROTO_TCP &&
	       held->flow.local.family != 0;
}

static bool check_unreadable(const struct held *held)
{
	return has_no_message(held) && held->over_tcp == (held->flow.protocol == IPPROTO_TCP);
}

static bool check_flow(const struct held *held)
{
	return has_no_message(held) && !held->over_tcp;
}

static bool check_refused(const struct held *held)
{
	return has_no_message(held) && !held->over_tcp && held->packet == 0;
}

/* Which records there are, and the queue that they come from. */
static const struct {
	bool (*check)(const struct held *held);
	enum rule_queue queue;
} kinds[HELD_KIND_COUNT] = {
	[HELD_QUESTION] = {check_question, RULE_QUEUE_NAMES},
	[HELD_ANSWER] = {check_answer, RULE_QUEUE_NAMES},
	[HELD_PART] = {check_part, RULE_QUEUE_NAMES},
	[HELD_UNREADABLE] = {check_unreadable, RULE_QUEUE_NAMES},
	[HELD_FLOW] = {check_flow, RULE_QUEUE_FLOWS},
	[HELD_REFUSED] = {check_refused, 0},
};

bool held_is_valid(const struct held *held)
{
	if (held->kind >= HELD_KIND_COUNT || !kinds[held->kind].check)
		return false;
	return held->way < HELD_WAY_COUNT && held->queue == kinds[held->kind].queue &&
	       bools_are_valid(held) && flow_is_valid(&held->flow) && kinds[held->kind].check(held);
}

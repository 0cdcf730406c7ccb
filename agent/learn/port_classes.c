/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/port_classes.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "profiles/peer_place.h"
#include "profiles/port.h"

/* Measured, and on plateaus: docs/learning.md. */
#define OPEN_MEMBERS 3	/* fewer say nothing about a class */
#define OPEN_SHARE   10 /* open when at least one new member in so many samples is to be expected */

void good_turing_add(struct good_turing *estimate, uint64_t samples)
{
	estimate->samples |= samples;
	estimate->distinct++;
	estimate->seen_once += __builtin_popcountll(samples) == 1;
}

bool good_turing_is_open(const struct good_turing *estimate, unsigned int at_least)
{
	uint32_t samples = (uint32_t)__builtin_popcountll(estimate->samples);

	return estimate->distinct >= OPEN_MEMBERS * at_least && samples >= 2 &&
	       estimate->seen_once * OPEN_SHARE >= samples;
}

void good_turing_keep(const struct good_turing *estimate, struct draft *draft)
{
	if (!draft)
		return;
	draft->distinct = estimate->distinct;
	draft->seen_once = estimate->seen_once;
	draft->samples = (uint32_t)__builtin_popcountll(estimate->samples);
}

/* What ports are counted for. */
enum tally_kind {
	TALLY_SOCKET,  /* group: local port; of public peers without a name */
	TALLY_SOCKETS, /* the same over all local ports */
	TALLY_FARMS,   /* item: prefix of such a peer */
	TALLY_PLACE,   /* group: enum profile_role */
	TALLY_SAME,    /* group: enum profile_role; ports used at both ends */
};

struct tally {
	uint32_t kind;
	uint32_t group;
	uint64_t item;
	uint64_t samples;
};

struct tallies {
	struct tally *items;
	size_t count;
	size_t capacity;
};

static int add(struct tallies *tallies, const struct contact *contact, enum tally_kind kind,
	       uint32_t group, uint64_t item)
{
	if (array_reserve(&tallies->items, &tallies->capacity, tallies->count,
			  sizeof(struct tally)) < 0)
		return -ENOMEM;
	tallies->items[tallies->count++] = (struct tally){
		.kind = kind,
		.group = group,
		.item = item,
		.samples = contact->value->samples,
	};
	return 0;
}

static uint64_t farm_number(const struct ip_address *address)
{
	size_t kept = peer_farm_prefix_length(address) / 8;
	uint64_t number = address->family;

	for (size_t i = 0; i < kept; i++)
		number = number << 8 | address->bytes[i];
	return number;
}

static int add_public(struct tallies *tallies, const struct contact *contact)
{
	int result = add(tallies, contact, TALLY_SOCKETS, 0, contact->port);

	if (result == 0 && contact->local_port)
		result = add(tallies, contact, TALLY_SOCKET, contact->local_port, contact->port);
	if (result == 0)
		result = add(tallies, contact, TALLY_FARMS, 0, farm_number(&contact->address));
	return result;
}

bool contact_is_symmetric(const struct contact *contact)
{
	return contact->protocol == IPPROTO_UDP && (contact->flags & CONTACT_SAME_PORT) &&
	       contact->port >= PORT_HIGH_FIRST &&
	       (contact->place == ROLE_LAN || contact->place == ROLE_BROADCAST);
}

static int collect(const struct contacts *contacts, const struct port_set *answers,
		   struct tallies *tallies)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < contacts->count; i++) {
		const struct contact *contact = &contacts->items[i];
		bool below_high = contact->local_port && contact->local_port < PORT_HIGH_FIRST;

		if (contact->protocol != IPPROTO_UDP || contact->port < PORT_HIGH_FIRST ||
		    contact_is_answer(contact, answers))
			continue;
		if (contact_is_symmetric(contact))
			result = add(tallies, contact, TALLY_SAME, contact->place, contact->port);
		else if (contact->place != ROLE_INTERNET)
			result = add(tallies, contact, TALLY_PLACE, contact->place, contact->port);
		else if (!contact->name && !below_high)
			result = add_public(tallies, contact);
	}
	return result;
}

static int compare_groups(const struct tally *a, const struct tally *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->group == b->group ? 0 : a->group < b->group ? -1 : 1;
}

static int compare_tallies(const void *left, const void *right)
{
	const struct tally *a = left;
	const struct tally *b = right;
	int order = compare_groups(a, b);

	return order ? order : a->item == b->item ? 0 : a->item < b->item ? -1 : 1;
}

static void merge_equal(struct tallies *tallies)
{
	size_t kept = 0;

	if (tallies->count > 0)
		qsort(tallies->items, tallies->count, sizeof(struct tally), compare_tallies);
	for (size_t i = 0; i < tallies->count; i++) {
		if (kept > 0 && compare_tallies(&tallies->items[kept - 1], &tallies->items[i]) == 0)
			tallies->items[kept - 1].samples |= tallies->items[i].samples;
		else
			tallies->items[kept++] = tallies->items[i];
	}
	tallies->count = kept;
}

static struct good_turing estimate_of(const struct tally *tallies, size_t count)
{
	struct good_turing estimate = {0};

	for (size_t i = 0; i < count; i++)
		good_turing_add(&estimate, tallies[i].samples);
	return estimate;
}

/* All sockets together: wanted only when no single one was open (groups come in the order of their
 * kinds). */
struct all_sockets {
	bool found;
	struct good_turing all;
};

static void settle(const struct tally *group, size_t count, struct all_sockets *sockets,
		   struct draft_set *set)
{
	struct good_turing estimate = estimate_of(group, count);
	struct draft_key key = draft_role(IPPROTO_UDP, ROLE_INTERNET, PORT_HIGH, 0);

	switch (group->kind) {
	case TALLY_SOCKET:
		if (!good_turing_is_open(&estimate, 1))
			return;
		key.local_port = (uint16_t)group->group;
		sockets->found = true;
		break;
	case TALLY_SOCKETS:
		sockets->all = estimate;
		return;
	case TALLY_FARMS:
		if (sockets->found || count < 2 || !good_turing_is_open(&sockets->all, 2))
			return;
		estimate = sockets->all;
		break;
	case TALLY_PLACE:
		if (!good_turing_is_open(&estimate, 1))
			return;
		key.role = (uint8_t)group->group;
		break;
	default:
		if (count < OPEN_MEMBERS)
			return;
		key.role = (uint8_t)group->group;
		key.port_kind = PORT_SAME;
		break;
	}
	good_turing_keep(&estimate, draft_set_add(set, &key));
}

int add_port_classes(const struct contacts *contacts, const struct port_set *answers,
		     struct draft_set *set)
{
	struct tallies tallies = {0};
	struct all_sockets sockets = {0};
	int result = collect(contacts, answers, &tallies);
	size_t end;

	if (result == 0)
		merge_equal(&tallies);
	for (size_t begin = 0; result == 0 && begin < tallies.count; begin = end) {
		for (end = begin + 1;
		     end < tallies.count &&
		     compare_groups(&tallies.items[begin], &tallies.items[end]) == 0;)
			end++;
		settle(tallies.items + begin, end - begin, &sockets, set);
	}
	free(tallies.items);
	return result;
}

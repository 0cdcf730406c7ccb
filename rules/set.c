/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of a set. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/program.h"

#define PREFIX_LENGTHS 129 /* 0 to 128 */

static int compare_members(const void *left, const void *right)
{
	const struct rule_member *a = left;
	const struct rule_member *b = right;
	int order = ip_compare(&a->address, &b->address);

	if (order == 0)
		order = (int)a->prefix_length - (int)b->prefix_length;
	if (order == 0)
		order = (int)a->protocol - (int)b->protocol;
	if (order == 0)
		order = (int)a->port - (int)b->port;
	return order ? order : (int)a->last_port - (int)b->last_port;
}

int rule_set_add(struct rule_set *set, const struct rule_member *member)
{
	if (array_reserve(&set->members, &set->member_capacity, set->member_count,
			  sizeof(*set->members)) < 0)
		return -ENOMEM;
	set->members[set->member_count++] = *member;
	return 0;
}

static void keep_longer_timeout(struct rule_member *kept, const struct rule_member *other)
{
	if (!other->timeout_s || (kept->timeout_s && other->timeout_s > kept->timeout_s))
		kept->timeout_s = other->timeout_s;
}

static void join_equal(struct rule_set *set)
{
	size_t kept = 0;

	for (size_t i = 1; i < set->member_count; i++) {
		if (compare_members(&set->members[kept], &set->members[i]) == 0)
			keep_longer_timeout(&set->members[kept], &set->members[i]);
		else
			set->members[++kept] = set->members[i];
	}
	set->member_count = kept + 1;
}

/* Sorted by their first port, with the same timeout or none at all. */
static void join_ports(struct rule_set *set)
{
	size_t kept = 0;

	for (size_t i = 1; i < set->member_count; i++) {
		struct rule_member *last = &set->members[kept];
		const struct rule_member *member = &set->members[i];

		if ((uint32_t)last->last_port + 1 < member->port) {
			set->members[++kept] = *member;
			continue;
		}
		if (member->last_port > last->last_port)
			last->last_port = member->last_port;
		keep_longer_timeout(last, member);
	}
	set->member_count = kept + 1;
}

static void cut_prefix(struct rule_member *member, unsigned int length)
{
	for (unsigned int bit = length; bit < 128; bit++)
		member->address.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	member->prefix_length = (uint8_t)length;
}

/* Whether a wider prefix of the same protocol and ports is among the members, which are sorted. */
static bool lies_in_another(const struct rule_member *members, size_t count,
			    const struct rule_member *member, const bool *lengths)
{
	for (unsigned int length = 0; length < member->prefix_length; length++) {
		struct rule_member wider = *member;

		if (!lengths[length])
			continue;
		cut_prefix(&wider, length);
		if (bsearch(&wider, members, count, sizeof(wider), compare_members))
			return true;
	}
	return false;
}

/* Intervals of nftables may not overlap. Such sets have no timeouts. What lies in a prefix stands
 * behind it, so the array may shrink while it is searched: its kept part stays sorted. */
static void join_prefixes(struct rule_set *set)
{
	bool lengths[PREFIX_LENGTHS] = {false};
	size_t kept = 0;

	for (size_t i = 0; i < set->member_count; i++) {
		struct rule_member member = set->members[i];

		if (lies_in_another(set->members, kept, &member, lengths))
			continue;
		lengths[member.prefix_length] = true;
		set->members[kept++] = member;
	}
	set->member_count = kept;
}

void rule_set_sort(struct rule_set *set)
{
	if (!set->member_count)
		return;
	qsort(set->members, set->member_count, sizeof(*set->members), compare_members);
	join_equal(set);
	if (set->kind == SET_PORT)
		join_ports(set);
	else if (set->kind == SET_PREFIX || set->kind == SET_PREFIX_PORT)
		join_prefixes(set);
}

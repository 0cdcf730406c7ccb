/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/nftables_members.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include <netlink/attr.h>

#include "base/cleanup.h"
#include "rules/render.h"

#define PER_TRANSACTION 256 /* members; less than the socket's room where nobody may enlarge it */
#define PER_MESSAGE	256 /* a list of elements has 64 KiB, an element less than 100 bytes */
#define ATTEMPTS	4

/* What a set is looked up by: fields of a concatenation begin at multiples of four bytes. */
struct key {
	uint8_t bytes[16 + 4 + 4];
	int size;
};

static const struct family {
	unsigned int family;
	uint8_t number;
	char letter;
	uint8_t address_size;
} FAMILIES[] = {
	{RULE_IPV4, 4, '4', 4},
	{RULE_IPV6, 6, '6', 16},
};

static bool has_ports(const struct rule_set *set)
{
	return set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT;
}

static void put_port(uint8_t *place, uint16_t port)
{
	place[0] = (uint8_t)(port >> 8);
	place[1] = (uint8_t)port;
}

static struct key address_key(const struct rule_set *set, const struct family *family,
			      const struct rule_member *member)
{
	struct key key = {.size = family->address_size};

	memcpy(key.bytes, member->address.bytes, family->address_size);
	if (has_ports(set)) {
		key.bytes[key.size] = member->protocol;
		put_port(key.bytes + key.size + 4, member->port);
		key.size += 8;
	}
	return key;
}

static struct key port_key(uint16_t port)
{
	struct key key = {.size = 2};

	put_port(key.bytes, port);
	return key;
}

/* The last address of a prefix. */
static void fill_prefix(struct key *key, unsigned int length, unsigned int address_size)
{
	for (unsigned int i = 0; i < address_size; i++) {
		unsigned int kept = length > i * 8 ? length - i * 8 : 0;

		if (kept < 8)
			key->bytes[i] |= (uint8_t)(0xffu >> kept);
	}
}

/* The one after it; false when there is none. */
static bool next_key(struct key *key)
{
	for (int i = key->size - 1; i >= 0; i--)
		if (++key->bytes[i])
			return true;
	return false;
}

/* ---- elements ---- */

enum element_flags { ELEMENT_END = NFT_SET_ELEM_INTERVAL_END };

struct element {
	struct key key;
	const struct key *last; /* of a range in a concatenation; NULL: none */
	uint32_t flags;
	uint32_t timeout_s;
};

static int put_key(struct nl_msg *message, int type, const struct key *key)
{
	struct nlattr *nest = nla_nest_start(message, type | NLA_F_NESTED);

	if (!nest || nla_put(message, NFTA_DATA_VALUE, key->size, key->bytes) < 0)
		return -ENOMEM;
	nla_nest_end(message, nest);
	return 0;
}

static int put_element(struct nl_msg *message, const struct element *element)
{
	struct nlattr *nest = nla_nest_start(message, NFTA_LIST_ELEM | NLA_F_NESTED);
	uint64_t timeout_ms = htobe64((uint64_t)element->timeout_s * 1000);

	if (!nest || put_key(message, NFTA_SET_ELEM_KEY, &element->key) < 0 ||
	    (element->last && put_key(message, NFTA_SET_ELEM_KEY_END, element->last) < 0) ||
	    (element->flags &&
	     nla_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(element->flags)) < 0) ||
	    (element->timeout_s &&
	     nla_put(message, NFTA_SET_ELEM_TIMEOUT, sizeof(timeout_ms), &timeout_ms) < 0))
		return -ENOMEM;
	nla_nest_end(message, nest);
	return 0;
}

/* A prefix, or a range of ports, in a set without concatenation is where it begins and where it is
 * over. */
static int put_border_pair(struct nl_msg *message, const struct key *first, const struct key *last)
{
	struct element begin = {.key = *first};
	struct element end = {.key = *last, .flags = ELEMENT_END};
	int result = put_element(message, &begin);

	if (result == 0 && next_key(&end.key))
		result = put_element(message, &end);
	return result;
}

static int put_ports(struct nl_msg *message, const struct rule_set *set,
		     const struct rule_member *member, uint32_t timeout_s)
{
	const struct key last = port_key(member->last_port);
	struct element element = {.key = port_key(member->port), .timeout_s = timeout_s};
	int result = 0;

	if (render_set_has_intervals(set))
		return put_border_pair(message, &element.key, &last);
	for (unsigned int port = member->port; port <= member->last_port && result == 0; port++) {
		element.key = port_key((uint16_t)port);
		result = put_element(message, &element);
	}
	return result;
}

/* timeouts: whether they are said; who takes members out has none. */
static int put_member(struct nl_msg *message, const struct rule_set *set,
		      const struct family *family, const struct rule_member *member, bool timeouts)
{
	struct element element = {.timeout_s = timeouts ? member->timeout_s : 0};
	struct key last;

	if (set->kind == SET_PORT)
		return put_ports(message, set, member, element.timeout_s);
	element.key = address_key(set, family, member);
	if (!render_set_has_intervals(set))
		return put_element(message, &element);
	last = element.key;
	fill_prefix(&last, member->prefix_length, family->address_size);
	if (set->kind == SET_PREFIX)
		return put_border_pair(message, &element.key, &last);
	element.last = &last;
	return put_element(message, &element);
}

/* ---- messages ---- */

static struct nl_msg *about_set(unsigned int type, int flags, const struct rule_set *set,
				const struct family *family)
{
	struct nl_msg *message = nftables_message(type, flags);
	char name[RENDER_SET_NAME_SIZE];

	render_nftables_set_name(set, family->letter, name);
	if (message && (nla_put_string(message, NFTA_SET_ELEM_LIST_TABLE, RENDER_PREFIX) < 0 ||
			nla_put_string(message, NFTA_SET_ELEM_LIST_SET, name) < 0)) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

static bool belongs(const struct rule_set *set, const struct family *family,
		    const struct rule_member *member)
{
	return set->kind == SET_PORT || member->address.family == family->number;
}

static int put_list(struct nl_msg *message, const struct rule_set *set, const struct family *family,
		    const struct rule_member *members, size_t count, bool timeouts)
{
	struct nlattr *list = nla_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	int result = list ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && result == 0; i++)
		if (belongs(set, family, &members[i]))
			result = put_member(message, set, family, &members[i], timeouts);
	if (result == 0)
		nla_nest_end(message, list);
	return result;
}

static int add_list(struct nftables_link *link, struct nftables_batch *batch, unsigned int type,
		    const struct rule_set *set, const struct family *family,
		    const struct rule_member *members, size_t count)
{
	bool adds = type == NFT_MSG_NEWSETELEM;

	for (size_t i = 0; i < count; i += PER_MESSAGE) {
		size_t part = count - i < PER_MESSAGE ? count - i : PER_MESSAGE;
		struct nl_msg *message = about_set(type, adds ? NLM_F_CREATE : 0, set, family);
		int result;

		if (!message)
			return -ENOMEM;
		result = put_list(message, set, family, members + i, part, adds);
		if (result < 0) {
			nlmsg_free(message);
			return result;
		}
		result = nftables_batch_add(link, batch, message);
		if (result < 0)
			return result;
	}
	return 0;
}

/* ---- transactions ---- */

/* ENFILE is the kernel's word for a full set (nft_add_set_elem()). What was lost on the way, and
 * members that ran out between two messages (-ENOENT), are tried once more: all of it can be done
 * twice. */
static int commit(struct nftables_link *link,
		  int (*fill)(struct nftables_link *link, struct nftables_batch *batch,
			      const void *what),
		  const void *what, uint32_t *transactions)
{
	int result = 0;

	for (int i = 0; i < ATTEMPTS; i++) {
		struct nftables_batch batch = {0};
		bool any;

		result = fill(link, &batch, what);
		any = batch.messages.length > 0;
		if (result == 0)
			result = nftables_batch_commit(link, &batch);
		nftables_batch_free(&batch);
		if (result == 0 && any)
			(*transactions)++;
		if (result != -ENOBUFS && result != -ETIMEDOUT && result != -ENOENT)
			break;
	}
	return result == -ENFILE ? -ENOSPC : result;
}

struct part {
	const struct rule_set *set;
	const struct rule_member *members;
	size_t count;
	bool take_out;
};

static bool any_belongs(const struct part *part, const struct family *family)
{
	for (size_t i = 0; i < part->count; i++)
		if (belongs(part->set, family, &part->members[i]))
			return true;
	return false;
}

/* Before Linux 6.12 adding what is there leaves its time as it is, and before 6.3 deleting what is
 * not there is an error. So: in (if it is not), out, and in again; packets see one change, from
 * the member that was there to the one that is. */
static int fill_part(struct nftables_link *link, struct nftables_batch *batch, const void *what)
{
	const struct part *part = what;
	const struct rule_set *set = part->set;
	bool again = !part->take_out && set->has_timeouts;
	const struct {
		bool done;
		unsigned int type;
	} steps[] = {
		{true, NFT_MSG_NEWSETELEM},
		{part->take_out || again, NFT_MSG_DELSETELEM},
		{again, NFT_MSG_NEWSETELEM},
	};
	int result = 0;

	for (size_t i = 0; i < array_length(FAMILIES); i++) {
		if (set->kind == SET_PORT ? i > 0
					  : !(set->families & FAMILIES[i].family) ||
						    !any_belongs(part, &FAMILIES[i]))
			continue;
		for (size_t j = 0; j < array_length(steps) && result == 0; j++)
			if (steps[j].done)
				result = add_list(link, batch, steps[j].type, set, &FAMILIES[i],
						  part->members, part->count);
	}
	return result;
}

/* Each once: the second time that something is taken out it is not there. */
static int change(struct nftables_link *link, const struct rule_set *set,
		  const struct rule_member *members, size_t count, bool take_out,
		  uint32_t *transactions)
{
	struct rule_set different = {.kind = set->kind};
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = rule_set_add(&different, &members[i]);
	rule_set_sort(&different);
	for (size_t i = 0; i < different.member_count && result == 0; i += PER_TRANSACTION) {
		size_t left = different.member_count - i;
		struct part part = {
			.set = set,
			.members = different.members + i,
			.count = left < PER_TRANSACTION ? left : PER_TRANSACTION,
			.take_out = take_out,
		};

		result = commit(link, fill_part, &part, transactions);
	}
	free(different.members);
	return result;
}

int nftables_members_add(struct nftables_link *link, const struct rule_set *set,
			 const struct rule_member *members, size_t count, uint32_t *transactions)
{
	return change(link, set, members, count, false, transactions);
}

int nftables_members_remove(struct nftables_link *link, const struct rule_set *set,
			    const struct rule_member *members, size_t count, uint32_t *transactions)
{
	return change(link, set, members, count, true, transactions);
}

static int fill_whole(struct nftables_link *link, struct nftables_batch *batch, const void *what)
{
	const struct rule_set *set = what;
	const struct part part = {.set = set, .members = set->members, .count = set->member_count};

	for (size_t i = 0; i < array_length(FAMILIES); i++) {
		struct nl_msg *everything;
		int result;

		if (set->kind == SET_PORT ? i > 0 : !(set->families & FAMILIES[i].family))
			continue;
		/* without a list: all */
		everything = about_set(NFT_MSG_DELSETELEM, 0, set, &FAMILIES[i]);
		result = nftables_batch_add(link, batch, everything);
		if (result == 0 && any_belongs(&part, &FAMILIES[i]))
			result = add_list(link, batch, NFT_MSG_NEWSETELEM, set, &FAMILIES[i],
					  set->members, set->member_count);
		if (result < 0)
			return result;
	}
	return 0;
}

int nftables_members_replace(struct nftables_link *link, const struct rule_set *set,
			     uint32_t *transactions)
{
	return commit(link, fill_whole, set, transactions);
}

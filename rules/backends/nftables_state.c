/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/nftables_state.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include <netlink/attr.h>

#include "base/cleanup.h"
#include "base/crc32.h"
#include "rules/render.h"

/* One kind of thing that the kernel lists: which attributes tell one from another. */
struct listing {
	unsigned int request;
	bool whole;	      /* a list; else the one thing that is asked for */
	unsigned int table;   /* the attribute with the table's name */
	unsigned int told[6]; /* 0: no more */
	unsigned int most;    /* attribute number */
};

static const struct listing LISTINGS[] = {
	[PART_TABLE] = {NFT_MSG_GETTABLE,
			false,
			NFTA_TABLE_NAME,
			{NFTA_TABLE_HANDLE, NFTA_TABLE_FLAGS},
			NFTA_TABLE_MAX},
	[PART_CHAINS] = {NFT_MSG_GETCHAIN,
			 true,
			 NFTA_CHAIN_TABLE,
			 {NFTA_CHAIN_HANDLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY,
			  NFTA_CHAIN_TYPE, NFTA_CHAIN_FLAGS},
			 NFTA_CHAIN_MAX},
	[PART_RULES] = {NFT_MSG_GETRULE,
			true,
			NFTA_RULE_TABLE,
			{NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_USERDATA},
			NFTA_RULE_MAX},
	[PART_SETS] = {NFT_MSG_GETSET,
		       true,
		       NFTA_SET_TABLE,
		       {NFTA_SET_HANDLE, NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_KEY_LEN},
		       NFTA_SET_MAX},
};

#define ATTRIBUTES_MOST 32 /* more than any of the above */
_Static_assert(NFTA_RULE_MAX < ATTRIBUTES_MOST && NFTA_SET_MAX < ATTRIBUTES_MOST &&
		       NFTA_CHAIN_MAX < ATTRIBUTES_MOST && NFTA_TABLE_MAX < ATTRIBUTES_MOST &&
		       NFTA_SET_ELEM_MAX < ATTRIBUTES_MOST,
	       "tables of attributes");

static int parse(const struct nlmsghdr *message, unsigned int most,
		 struct nlattr *attributes[ATTRIBUTES_MOST])
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)message, sizeof(struct nfgenmsg),
			   attributes, (int)most, NULL) < 0
		       ? -EPROTO
		       : 0;
}

static bool is_text(const struct nlattr *attribute, const char *text)
{
	size_t size = strlen(text) + 1;

	return attribute && nla_len(attribute) == (int)size &&
	       memcmp(nla_data(attribute), text, size) == 0;
}

static uint32_t sum_attribute(uint32_t sum, const struct nlattr *attribute)
{
	return attribute ? crc32_update(sum, nla_data(attribute), (size_t)nla_len(attribute)) : sum;
}

struct reading {
	const struct listing *listing;
	uint32_t sum;
	size_t count;
};

static int read_item(void *context, const struct nlmsghdr *message)
{
	struct reading *reading = context;
	const struct listing *listing = reading->listing;
	struct nlattr *attributes[ATTRIBUTES_MOST];
	int result = parse(message, listing->most, attributes);

	/* lists of older kernels are of all tables */
	if (result < 0 || !is_text(attributes[listing->table], RENDER_PREFIX))
		return result;
	for (size_t i = 0; i < array_length(listing->told) && listing->told[i]; i++)
		reading->sum = sum_attribute(reading->sum, attributes[listing->told[i]]);
	reading->count++;
	return 0;
}

static int read_part(struct nftables_link *link, enum nftables_part part,
		     struct nftables_state *state)
{
	struct reading reading = {.listing = &LISTINGS[part]};
	struct nl_msg *request =
		nftables_message(reading.listing->request, reading.listing->whole ? NLM_F_DUMP : 0);
	int result;

	if (request && nla_put_string(request, (int)reading.listing->table, RENDER_PREFIX) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	result = nftables_ask(link, request, read_item, &reading);
	state->sums[part] = reading.sum;
	state->counts[part] = reading.count;
	return result;
}

/* ---- members ---- */

/* Elements come in the order of the kernel's hash: their sums are added up. */
static int read_members(void *context, const struct nlmsghdr *message)
{
	struct nftables_state *state = context;
	struct nlattr *attributes[ATTRIBUTES_MOST];
	struct nlattr *element;
	int left;
	int result = parse(message, NFTA_SET_ELEM_LIST_MAX, attributes);

	if (result < 0 || !attributes[NFTA_SET_ELEM_LIST_ELEMENTS])
		return result;
	nla_for_each_nested(element, attributes[NFTA_SET_ELEM_LIST_ELEMENTS], left)
	{
		struct nlattr *parts[ATTRIBUTES_MOST];
		uint32_t sum = 0;

		if (nla_parse_nested(parts, NFTA_SET_ELEM_MAX, element, NULL) < 0)
			return -EPROTO;
		sum = sum_attribute(sum, parts[NFTA_SET_ELEM_KEY]);
		sum = sum_attribute(sum, parts[NFTA_SET_ELEM_KEY_END]);
		sum = sum_attribute(sum, parts[NFTA_SET_ELEM_FLAGS]);
		state->sums[PART_MEMBERS] += sum;
		state->counts[PART_MEMBERS]++;
	}
	return 0;
}

static int read_set(struct nftables_link *link, const struct rule_set *set, char family,
		    struct nftables_state *state)
{
	struct nl_msg *request = nftables_message(NFT_MSG_GETSETELEM, NLM_F_DUMP);
	char name[RENDER_SET_NAME_SIZE];

	render_nftables_set_name(set, family, name);
	if (request && (nla_put_string(request, NFTA_SET_ELEM_LIST_TABLE, RENDER_PREFIX) < 0 ||
			nla_put_string(request, NFTA_SET_ELEM_LIST_SET, name) < 0)) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return nftables_ask(link, request, read_members, state);
}

int nftables_state_read(struct nftables_link *link, const struct rule_set *sets, size_t set_count,
			struct nftables_state *ret_state)
{
	struct nftables_state state = {0};
	int result = 0;

	for (enum nftables_part part = PART_TABLE; part <= PART_SETS && result == 0; part++)
		result = read_part(link, part, &state);
	for (size_t i = 0; i < set_count && result == 0; i++) {
		if (sets[i].has_timeouts)
			continue;
		if (sets[i].kind == SET_PORT || sets[i].families & RULE_IPV4)
			result = read_set(link, &sets[i], '4', &state);
		if (result == 0 && sets[i].kind != SET_PORT && sets[i].families & RULE_IPV6)
			result = read_set(link, &sets[i], '6', &state);
	}
	if (result == 0)
		*ret_state = state;
	return result;
}

enum nftables_part nftables_state_compare(const struct nftables_state *a,
					  const struct nftables_state *b)
{
	enum nftables_part part = PART_TABLE;

	while (part < PART_COUNT && a->sums[part] == b->sums[part] &&
	       a->counts[part] == b->counts[part])
		part++;
	return part;
}

const char *nftables_part_name(enum nftables_part part)
{
	static const char *const names[PART_COUNT] = {
		[PART_TABLE] = "table", [PART_CHAINS] = "chains",	    [PART_RULES] = "rules",
		[PART_SETS] = "sets",	[PART_MEMBERS] = "members of sets",
	};

	return part < PART_COUNT ? names[part] : "nothing";
}

/* ---- counters ---- */

struct counting {
	nftables_count_fn each;
	void *context;
};

static bool read_packets(struct nlattr *data, uint64_t *ret_packets)
{
	struct nlattr *attributes[NFTA_COUNTER_MAX + 1];
	uint64_t packets;

	if (!data || nla_parse_nested(attributes, NFTA_COUNTER_MAX, data, NULL) < 0 ||
	    !attributes[NFTA_COUNTER_PACKETS] ||
	    nla_len(attributes[NFTA_COUNTER_PACKETS]) != (int)sizeof(packets))
		return false;
	memcpy(&packets, nla_data(attributes[NFTA_COUNTER_PACKETS]), sizeof(packets));
	*ret_packets = be64toh(packets);
	return true;
}

static int read_counters(void *context, const struct nlmsghdr *message)
{
	const struct counting *counting = context;
	struct nlattr *attributes[ATTRIBUTES_MOST];
	const struct nlattr *chain;
	struct nlattr *expression;
	int left;
	int result = parse(message, NFTA_RULE_MAX, attributes);

	if (result < 0 || !is_text(attributes[NFTA_RULE_TABLE], RENDER_PREFIX) ||
	    !attributes[NFTA_RULE_EXPRESSIONS])
		return result;
	chain = attributes[NFTA_RULE_CHAIN];
	if (!chain || nla_len(chain) < 1 ||
	    ((const char *)nla_data(chain))[nla_len(chain) - 1] != '\0')
		return -EPROTO;
	nla_for_each_nested(expression, attributes[NFTA_RULE_EXPRESSIONS], left)
	{
		struct nlattr *parts[NFTA_EXPR_MAX + 1];
		uint64_t packets;

		if (nla_parse_nested(parts, NFTA_EXPR_MAX, expression, NULL) < 0)
			return -EPROTO;
		if (is_text(parts[NFTA_EXPR_NAME], "counter") &&
		    read_packets(parts[NFTA_EXPR_DATA], &packets))
			counting->each(counting->context, nla_data(chain), packets);
	}
	return 0;
}

int nftables_state_counts(struct nftables_link *link, nftables_count_fn each, void *context)
{
	struct counting counting = {each, context};
	struct nl_msg *request = nftables_message(NFT_MSG_GETRULE, NLM_F_DUMP);

	if (request && nla_put_string(request, NFTA_RULE_TABLE, RENDER_PREFIX) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return nftables_ask(link, request, read_counters, &counting);
}

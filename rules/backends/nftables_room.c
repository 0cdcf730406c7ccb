/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/nftables_room.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include <netlink/attr.h>

#include "base/text.h"
#include "rules/render.h"

#define ATTRIBUTES_MOST 32
_Static_assert(NFTA_CHAIN_MAX < ATTRIBUTES_MOST && NFTA_SET_MAX < ATTRIBUTES_MOST,
	       "tables of attributes");

struct room {
	const struct rule_program *program;
	struct text flushed; /* in this order */
	struct text sets;
	struct text chains;
};

static const char *text_of(const struct nlattr *attribute)
{
	return attribute && nla_len(attribute) > 0 &&
			       memchr(nla_data(attribute), '\0', (size_t)nla_len(attribute))
		       ? nla_data(attribute)
		       : "";
}

static int parse(const struct nlmsghdr *message, unsigned int most,
		 struct nlattr *attributes[ATTRIBUTES_MOST])
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)message, sizeof(struct nfgenmsg),
			   attributes, (int)most, NULL) < 0
		       ? -EPROTO
		       : 0;
}

static bool is_queue_of(const struct rule_program *program, const char *name)
{
	char queue[RENDER_SET_NAME_SIZE];

	for (unsigned int i = 0; i < RULE_QUEUE_COUNT * 2; i++) {
		render_nftables_queue_chain(program->first_queue + i / 2, i % 2, queue);
		if (strcmp(queue, name) == 0)
			return true;
	}
	return false;
}

static bool is_hook_of(const struct rule_program *program, const char *name)
{
	uint16_t chain = rule_program_find_chain(program, name);

	return chain != RULE_NONE && program->chains[chain].hook != HOOK_NONE;
}

static int take_chain(void *context, const struct nlmsghdr *message)
{
	struct room *room = context;
	struct nlattr *attributes[ATTRIBUTES_MOST];
	const char *name;
	int result = parse(message, NFTA_CHAIN_MAX, attributes);

	if (result < 0 || strcmp(text_of(attributes[NFTA_CHAIN_TABLE]), RENDER_PREFIX) != 0)
		return result;
	name = text_of(attributes[NFTA_CHAIN_NAME]);
	if (is_queue_of(room->program, name))
		return 0;
	text_printf(&room->flushed, "flush chain inet " RENDER_PREFIX " %s\n", name);
	if (!attributes[NFTA_CHAIN_HOOK] || !is_hook_of(room->program, name))
		text_printf(&room->chains, "delete chain inet " RENDER_PREFIX " %s\n", name);
	return 0;
}

static int take_set(void *context, const struct nlmsghdr *message)
{
	struct room *room = context;
	struct nlattr *attributes[ATTRIBUTES_MOST];
	int result = parse(message, NFTA_SET_MAX, attributes);
	uint32_t flags;

	if (result < 0 || strcmp(text_of(attributes[NFTA_SET_TABLE]), RENDER_PREFIX) != 0)
		return result;
	flags = attributes[NFTA_SET_FLAGS] ? ntohl(nla_get_u32(attributes[NFTA_SET_FLAGS])) : 0;
	/* those go with their rules */
	if (!(flags & NFT_SET_ANONYMOUS))
		text_printf(&room->sets, "delete set inet " RENDER_PREFIX " %s\n",
			    text_of(attributes[NFTA_SET_NAME]));
	return 0;
}

static int list(struct nftables_link *link, unsigned int request, int table, nftables_each_fn take,
		struct room *room)
{
	struct nl_msg *message = nftables_message(request, NLM_F_DUMP);

	if (message && nla_put_string(message, table, RENDER_PREFIX) < 0) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return nftables_ask(link, message, take, room);
}

static void write_part(const struct text *part, FILE *stream)
{
	if (part->bytes)
		(void)fwrite(part->bytes, 1, part->length, stream);
}

int nftables_room_write(struct nftables_link *link, const struct rule_program *program,
			FILE *stream)
{
	struct room room = {.program = program};
	int result = list(link, NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, take_chain, &room);

	if (result == 0)
		result = list(link, NFT_MSG_GETSET, NFTA_SET_TABLE, take_set, &room);
	if (result == -ENOENT)
		result = 0;
	if (room.flushed.broken || room.sets.broken || room.chains.broken)
		result = -ENOMEM;
	if (result == 0) {
		write_part(&room.flushed, stream);
		write_part(&room.chains, stream);
		write_part(&room.sets, stream);
	}
	text_free(&room.flushed);
	text_free(&room.sets);
	text_free(&room.chains);
	return result;
}

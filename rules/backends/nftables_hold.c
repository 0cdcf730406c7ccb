/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/nftables_hold.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "backends/nftables_text.h"
#include "rules/render.h"

#define PROBE_TABLE RENDER_PREFIX "-probe"
#define TARGET	    "NFQUEUE"
#define REVISION    3 /* struct xt_NFQ_info_v3 */

/* As the kernel wants what it shares with iptables: a multiple of 8 bytes (XT_ALIGN). */
union target {
	struct xt_NFQ_info_v3 queue;
	uint64_t align;
};

static int put_target(struct nl_msg *message, unsigned int number, bool passes_unheard)
{
	const union target target = {.queue = {
					     .queuenum = (uint16_t)number,
					     .queues_total = 1,
					     .flags = passes_unheard ? NFQ_FLAG_BYPASS : 0,
				     }};
	struct nlattr *list = nla_nest_start(message, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
	struct nlattr *element =
		list ? nla_nest_start(message, NFTA_LIST_ELEM | NLA_F_NESTED) : NULL;
	struct nlattr *data;

	if (!element || nla_put_string(message, NFTA_EXPR_NAME, "target") < 0)
		return -ENOMEM;
	data = nla_nest_start(message, NFTA_EXPR_DATA | NLA_F_NESTED);
	if (!data || nla_put_string(message, NFTA_TARGET_NAME, TARGET) < 0 ||
	    nla_put_u32(message, NFTA_TARGET_REV, htonl(REVISION)) < 0 ||
	    nla_put(message, NFTA_TARGET_INFO, sizeof(target), &target) < 0)
		return -ENOMEM;
	nla_nest_end(message, data);
	nla_nest_end(message, element);
	nla_nest_end(message, list);
	return 0;
}

static struct nl_msg *about_chain(unsigned int type, int flags, const char *table,
				  const char *chain)
{
	struct nl_msg *message = nftables_message(type, flags);

	if (message && (nla_put_string(message, NFTA_RULE_TABLE, table) < 0 ||
			nla_put_string(message, NFTA_RULE_CHAIN, chain) < 0)) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

/* The target becomes the chain's only rule. */
static int add_target(struct nftables_link *link, struct nftables_batch *batch, const char *table,
		      unsigned int number, bool passes_unheard)
{
	char chain[RENDER_SET_NAME_SIZE];
	struct nl_msg *message;
	int result;

	render_nftables_queue_chain(number, passes_unheard, chain);
	/* without a handle: all that are in it */
	result = nftables_batch_add(link, batch, about_chain(NFT_MSG_DELRULE, 0, table, chain));
	if (result < 0)
		return result;
	message = about_chain(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table, chain);
	if (!message)
		return -ENOMEM;
	if (put_target(message, number, passes_unheard) < 0) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return nftables_batch_add(link, batch, message);
}

static int fill(struct nftables_link *link, const char *table, unsigned int first_queue)
{
	struct nftables_batch batch = {0};
	int result = 0;

	for (unsigned int i = 0; i < RULE_QUEUE_COUNT * 2 && result == 0; i++)
		result = add_target(link, &batch, table, first_queue + i / 2, i % 2);
	if (result == 0)
		result = nftables_batch_commit(link, &batch);
	nftables_batch_free(&batch);
	return result;
}

int nftables_hold_make(struct nftables_link *link, const struct rule_program *program,
		       struct error *error)
{
	char chain[RENDER_SET_NAME_SIZE];
	char text[512] = "add table inet " RENDER_PREFIX "\n";
	int result;

	for (unsigned int i = 0; i < RULE_QUEUE_COUNT * 2; i++) {
		size_t length = strlen(text);

		render_nftables_queue_chain(program->first_queue + i / 2, i % 2, chain);
		(void)snprintf(text + length, sizeof(text) - length,
			       "add chain inet " RENDER_PREFIX " %s\n", chain);
	}
	result = nftables_text_run(text, false, error);
	if (result < 0)
		return result;
	result = fill(link, RENDER_PREFIX, program->first_queue);
	if (result < 0)
		return error_set(error, -result,
				 "nftables: packets cannot be held by target " TARGET ": %s",
				 strerror(-result));
	return 0;
}

/* ---- which ---- */

/* Tried in a table that nothing enters. */
static bool has_target(void)
{
	struct nftables_link link = NFTABLES_LINK_INIT;
	char chain[RENDER_SET_NAME_SIZE];
	char text[128];
	struct nftables_batch batch = {0};
	bool has = false;

	render_nftables_queue_chain(0, false, chain);
	(void)snprintf(text, sizeof(text), "table inet " PROBE_TABLE " {\nchain %s {\ndrop\n}\n}\n",
		       chain);
	if (nftables_link_open(&link) < 0)
		return false;
	if (nftables_text_run(text, false, NULL) == 0) {
		has = add_target(&link, &batch, PROBE_TABLE, 0, false) == 0 &&
		      nftables_batch_commit(&link, &batch) == 0;
		(void)nftables_table_delete(&link, PROBE_TABLE);
	}
	nftables_batch_free(&batch);
	nftables_link_close(&link);
	return has;
}

enum nftables_hold nftables_hold_probe(void)
{
	if (nftables_text_run("table inet " PROBE_TABLE " {\nchain out {\n type filter hook output "
			      "priority 0; policy accept;\n queue num 1\n}\n}\n",
			      true, NULL) == 0)
		return HOLD_BY_VERDICT;
	return has_target() ? HOLD_BY_TARGET : HOLD_NOT;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_targets.h"

#include <stdio.h>

#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>

#define REPORT_BYTES 256 /* of each reported packet: its headers */

void iptc_target_hold(struct iptc_entry *entry, const struct iptc_setting *setting,
		      const struct rule *rule)
{
	struct xt_NFQ_info_v3 *queue = iptc_entry_target(entry, setting->family, TARGET_NFQUEUE);

	queue->queuenum = (uint16_t)(setting->program->first_queue + rule->queue);
	queue->queues_total = 1;
	queue->flags = rule->passes_unheard ? NFQ_FLAG_BYPASS : 0;
}

void iptc_target_unmark(struct iptc_entry *entry, const struct iptc_setting *setting)
{
	struct xt_mark_tginfo2 *mark = iptc_entry_target(entry, setting->family, TARGET_MARK);

	mark->mark = 0;
	mark->mask = RENDER_MARK_MASK;
}

void iptc_target_report(struct iptc_entry *entry, const struct iptc_setting *setting,
			const char *prefix)
{
	struct xt_nflog_info *log = iptc_entry_target(entry, setting->family, TARGET_NFLOG);

	log->group = setting->program->log_group;
	log->threshold = XT_NFLOG_DEFAULT_THRESHOLD;
	log->len = REPORT_BYTES;
	log->flags = XT_NFLOG_F_COPY_LEN;
	(void)snprintf(log->prefix, sizeof(log->prefix), "%s", prefix ? prefix : "");
}

void iptc_target_note(struct iptc_entry *entry, const struct iptc_setting *setting,
		      enum iptc_way way, const struct rule *rule)
{
	const struct rule_set *set = &setting->program->sets[rule->set];
	bool source = (way == IPTC_IN) == (rule->side == SIDE_REMOTE);
	bool two = set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT;
	struct xt_set_info_target_v3 *info = iptc_entry_target(entry, setting->family, TARGET_SET);

	info->add_set.index = setting->set_indices[rule->set];
	info->add_set.dim = two ? IPSET_DIM_TWO : IPSET_DIM_ONE;
	if (source)
		info->add_set.flags =
			two ? IPSET_DIM_ONE_SRC | IPSET_DIM_TWO_SRC : IPSET_DIM_ONE_SRC;
	info->del_set.index = IPSET_INVALID_ID;
	info->map_set.index = IPSET_INVALID_ID;
	info->flags = IPSET_FLAG_EXIST;
	info->timeout = rule->seconds;
}

void iptc_target_reject(struct iptc_entry *entry, const struct iptc_setting *setting, bool reset)
{
	void *data = iptc_entry_target(entry, setting->family, TARGET_REJECT);

	if (setting->family->family == RULE_IPV4) {
		struct ipt_reject_info *reject = data;

		reject->with = reset ? IPT_TCP_RESET : IPT_ICMP_ADMIN_PROHIBITED;
	} else {
		struct ip6t_reject_info *reject = data;

		reject->with = reset ? IP6T_TCP_RESET : IP6T_ICMP6_ADM_PROHIBITED;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/iptc_extension.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_dccp.h>
#include <linux/netfilter/xt_hashlimit.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_sctp.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>
#include <linux/netfilter_ipv6/ip6t_hl.h>

#include "base/cleanup.h"
#include "rules/program.h"

#define WHOLE(type) sizeof(type), sizeof(type)

_Static_assert(sizeof(struct ipt_reject_info) == sizeof(struct ip6t_reject_info),
	       "one entry of the table stands for REJECT in both families");

const struct iptc_extension iptc_extensions[IPTC_EXTENSION_COUNT] = {
	[MATCH_TCP] = {"tcp", false, 0, RULE_BOTH_FAMILIES, WHOLE(struct xt_tcp),
		       "CONFIG_NETFILTER_XTABLES"},
	[MATCH_UDP] = {"udp", false, 0, RULE_BOTH_FAMILIES, WHOLE(struct xt_udp),
		       "CONFIG_NETFILTER_XTABLES"},
	[MATCH_SCTP] = {"sctp", false, 0, RULE_BOTH_FAMILIES, WHOLE(struct xt_sctp_info),
			"CONFIG_NETFILTER_XT_MATCH_SCTP"},
	[MATCH_DCCP] = {"dccp", false, 0, RULE_BOTH_FAMILIES, WHOLE(struct xt_dccp_info),
			"CONFIG_NETFILTER_XT_MATCH_DCCP"},
	[MATCH_MULTIPORT] = {"multiport", false, 1, RULE_BOTH_FAMILIES,
			     WHOLE(struct xt_multiport_v1), "CONFIG_NETFILTER_XT_MATCH_MULTIPORT"},
	[MATCH_ICMP] = {"icmp", false, 0, RULE_IPV4, WHOLE(struct ipt_icmp),
			"CONFIG_IP_NF_IPTABLES"},
	[MATCH_ICMP6] = {"icmp6", false, 0, RULE_IPV6, WHOLE(struct ip6t_icmp),
			 "CONFIG_IP6_NF_IPTABLES"},
	[MATCH_CONNTRACK] = {"conntrack", false, 3, RULE_BOTH_FAMILIES,
			     WHOLE(struct xt_conntrack_mtinfo3),
			     "CONFIG_NETFILTER_XT_MATCH_CONNTRACK"},
	[MATCH_ADDRTYPE] = {"addrtype", false, 1, RULE_BOTH_FAMILIES,
			    WHOLE(struct xt_addrtype_info_v1),
			    "CONFIG_NETFILTER_XT_MATCH_ADDRTYPE"},
	[MATCH_TTL] = {"ttl", false, 0, RULE_IPV4, WHOLE(struct ipt_ttl_info),
		       "CONFIG_NETFILTER_XT_MATCH_HL"},
	[MATCH_HL] = {"hl", false, 0, RULE_IPV6, WHOLE(struct ip6t_hl_info),
		      "CONFIG_NETFILTER_XT_MATCH_HL"},
	[MATCH_OWNER] = {"owner", false, 1, RULE_BOTH_FAMILIES, WHOLE(struct xt_owner_match_info),
			 "CONFIG_NETFILTER_XT_MATCH_OWNER"},
	[MATCH_SET] = {"set", false, 4, RULE_BOTH_FAMILIES, WHOLE(struct xt_set_info_match_v4),
		       "CONFIG_NETFILTER_XT_SET"},
	[MATCH_LIMIT] = {"limit", false, 0, RULE_BOTH_FAMILIES, sizeof(struct xt_rateinfo),
			 offsetof(struct xt_rateinfo, prev), "CONFIG_NETFILTER_XT_MATCH_LIMIT"},
	[MATCH_HASHLIMIT] = {"hashlimit", false, 3, RULE_BOTH_FAMILIES,
			     sizeof(struct xt_hashlimit_mtinfo3),
			     offsetof(struct xt_hashlimit_mtinfo3, hinfo),
			     "CONFIG_NETFILTER_XT_MATCH_HASHLIMIT"},
	[MATCH_MARK] = {"mark", false, 1, RULE_BOTH_FAMILIES, WHOLE(struct xt_mark_mtinfo1),
			"CONFIG_NETFILTER_XT_MATCH_MARK"},
	[MATCH_COMMENT] = {"comment", false, 0, RULE_BOTH_FAMILIES, WHOLE(struct xt_comment_info),
			   "CONFIG_NETFILTER_XT_MATCH_COMMENT"},
	[TARGET_MARK] = {"MARK", true, 2, RULE_BOTH_FAMILIES, WHOLE(struct xt_mark_tginfo2),
			 "CONFIG_NETFILTER_XT_TARGET_MARK"},
	[TARGET_SET] = {"SET", true, 3, RULE_BOTH_FAMILIES, WHOLE(struct xt_set_info_target_v3),
			"CONFIG_NETFILTER_XT_SET"},
	[TARGET_NFLOG] = {"NFLOG", true, 0, RULE_BOTH_FAMILIES, WHOLE(struct xt_nflog_info),
			  "CONFIG_NETFILTER_XT_TARGET_NFLOG"},
	[TARGET_NFQUEUE] = {"NFQUEUE", true, 3, RULE_BOTH_FAMILIES, WHOLE(struct xt_NFQ_info_v3),
			    "CONFIG_NETFILTER_XT_TARGET_NFQUEUE"},
	[TARGET_REJECT] = {"REJECT", true, 0, RULE_BOTH_FAMILIES, WHOLE(struct ipt_reject_info),
			   "CONFIG_IP_NF_TARGET_REJECT, CONFIG_IP6_NF_TARGET_REJECT"},
};

const struct iptc_extension *iptc_extension_find(const char *name, bool is_target, uint8_t revision)
{
	for (size_t i = 0; i < IPTC_EXTENSION_COUNT; i++) {
		const struct iptc_extension *extension = &iptc_extensions[i];

		if (extension->is_target == is_target && extension->revision == revision &&
		    strcmp(extension->name, name) == 0)
			return extension;
	}
	return NULL;
}

int iptc_extension_check(const struct iptc_family *family, uint32_t wanted, struct error *error)
{
	_cleanup_(closep) int fd = socket(family->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		return error_set(error, errno, "%s: socket: %s", family->name, strerror(errno));
	for (size_t i = 0; i < IPTC_EXTENSION_COUNT; i++) {
		const struct iptc_extension *extension = &iptc_extensions[i];
		struct xt_get_revision question = {.revision = extension->revision};
		socklen_t size = sizeof(question);

		if (!(wanted & UINT32_C(1) << i) || !(extension->families & family->family))
			continue;
		(void)snprintf(question.name, sizeof(question.name), "%s", extension->name);
		if (getsockopt(fd, family->level,
			       extension->is_target ? family->ask_target : family->ask_match,
			       &question, &size) == 0)
			continue;
		if (errno == EPERM || errno == EACCES)
			return error_set(error, errno, "%s: the kernel's matches: %s", family->name,
					 strerror(errno));
		return error_set(error, EOPNOTSUPP,
				 "the kernel has no %s \"%s\" (revision %u) for %s: it lacks %s",
				 extension->is_target ? "target" : "match", extension->name,
				 extension->revision, family->name, extension->option);
	}
	return 0;
}

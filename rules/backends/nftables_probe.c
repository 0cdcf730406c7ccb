/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/nftables_hold.h"
#include "backends/nftables_text.h"
#include "base/cleanup.h"
#include "base/text.h"

/* Asked of the kernel in a table that is never made. */
#define PROBE	       "rtguard-probe"
#define TABLE(content) "table inet " PROBE " {\n" content "}\n"
#define RULE(rule)                                                                                 \
	TABLE("chain out {\n type filter hook output priority 0; policy accept;\n " rule "\n}\n")
#define SET(content, rule)                                                                         \
	TABLE("set s {\n" content "\n}\nchain out {\n type filter hook output priority 0;\n" rule  \
	      "\n}\n")

static const struct feature {
	const char *text;
	const char *what;
	const char *option;
} FEATURES[] = {
	{TABLE(""), "tables of family inet", "CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET"},
	{RULE("ct state new accept"), "states of connections", "CONFIG_NFT_CT"},
	{RULE("fib daddr type local accept"), "local addresses and broadcasts",
	 "CONFIG_NFT_FIB_INET"},
	{RULE("limit rate 10/second accept"), "rates", "CONFIG_NFT_LIMIT"},
	{RULE("log group 1 snaplen 256"), "reports",
	 "CONFIG_NFT_LOG, CONFIG_NETFILTER_NETLINK_LOG"},
	{RULE("reject with icmpx type admin-prohibited"), "refusals with an answer",
	 "CONFIG_NFT_REJECT_INET"},
	{RULE("counter drop"), "counters", "CONFIG_NFT_COUNTER"},
	{SET("type ipv4_addr; size 9; flags dynamic,timeout;", "update @s { ip daddr timeout 9s }"),
	 "sets that rules put members into", "CONFIG_NF_TABLES_SET"},
	{SET("type ipv6_addr; flags interval; elements = { fe80::/10 }", "ip6 daddr @s accept"),
	 "sets of prefixes", "CONFIG_NF_TABLES_SET"},
	{SET("type ipv4_addr . inet_proto . inet_service; flags interval;"
	     "elements = { 192.0.2.0/24 . tcp . 9 }",
	     "ip daddr . meta l4proto . th dport @s accept"),
	 "prefixes together with ports", "Linux 5.6 or newer"},
};

int nftables_probe(struct error *error)
{
	struct text missing = {0};
	struct error last = {0};
	int result = 0;

	for (size_t i = 0; i < array_length(FEATURES); i++) {
		int tried = nftables_text_run(FEATURES[i].text, true, &last);

		if (tried == 0)
			continue;
		/* nobody is told that an option is missing who may not ask */
		if (tried == -EPERM || tried == -ENOMEM || i == 0) {
			result = tried;
			break;
		}
		text_printf(&missing, "%s%s (%s)", missing.length ? ", " : "", FEATURES[i].what,
			    FEATURES[i].option);
	}
	if (result == 0 && nftables_hold_probe() == HOLD_NOT)
		text_printf(&missing,
			    "%sheld packets (CONFIG_NFT_QUEUE, or CONFIG_NFT_COMPAT and "
			    "CONFIG_NETFILTER_XT_TARGET_NFQUEUE)",
			    missing.length ? ", " : "");
	if (result == -EPERM)
		result = error_set(error, EPERM, "nftables: needs CAP_NET_ADMIN");
	else if (result == -ENOMEM)
		result = error_set(error, ENOMEM, "%s", last.message);
	else if (result < 0)
		result = error_set(error, EOPNOTSUPP, "this kernel lacks %s (%s): %s",
				   FEATURES[0].what, FEATURES[0].option, last.message);
	else if (missing.length || missing.broken)
		result = error_set(error, EOPNOTSUPP, "nftables: this kernel lacks %s",
				   missing.bytes ? missing.bytes : strerror(ENOMEM));
	text_free(&missing);
	return result;
}

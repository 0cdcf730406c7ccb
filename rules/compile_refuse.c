/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is refused, and who hears of it. */
#include <netinet/in.h>

#include "rules/compile_private.h"

/* A flood of refused packets is not to become a flood of messages. */
#define REPORTS_PER_S 50
#define REPORTS_BURST 200

static void report(struct compiler *compiler, uint16_t chain, const struct rule_match *match)
{
	struct rule_match limited = *match;

	limited.rate_per_s = REPORTS_PER_S;
	limited.burst = REPORTS_BURST;
	(void)compile_rule_like(compiler, chain, &limited, RULE_REPORT,
				"tells of what the profile does not have");
}

/* In a chain of its own a packet is told of once, and only its last rule may permit: rules/judge.h.
 */
static void refuse_chain(struct compiler *compiler, uint16_t chain)
{
	const struct rules_options *options = compiler->options;
	struct rule_match tcp = match_all;

	report(compiler, chain, &match_all);
	if (options->report_only) {
		(void)compile_rule(compiler, chain, RULE_PERMIT, "audit: refuses nothing");
		return;
	}
	if (options->reject) {
		match_protocol(&tcp, IPPROTO_TCP);
		(void)compile_rule_like(compiler, chain, &tcp, RULE_REJECT,
					"not in the profile: reset");
		(void)compile_rule(compiler, chain, RULE_REJECT, "not in the profile: prohibited");
	}
	(void)compile_rule(compiler, chain, RULE_DROP, "not in the profile");
}

void compile_refuse(struct compiler *compiler)
{
	uint16_t forward = compiler->chains[HOOK_FORWARD];

	refuse_chain(compiler, compiler->refuse_out);
	refuse_chain(compiler, compiler->refuse_in);
	if (forward == RULE_NONE)
		return;
	compile_refusal(compiler, forward, NULL, "this host passes nothing on");
	refuse_chain(compiler, compiler->refuse_forward);
}

static uint16_t refuse_chain_of(const struct compiler *compiler, uint16_t chain)
{
	if (chain == compiler->chains[HOOK_OUT])
		return compiler->refuse_out;
	return chain == compiler->chains[HOOK_IN] ? compiler->refuse_in : compiler->refuse_forward;
}

void compile_refusal(struct compiler *compiler, uint16_t chain, const struct rule_match *match,
		     const char *comment)
{
	/* Without a match it is the chain's last rule. In its middle, a jump would come back in
	 * audit mode, and tell twice. */
	if (match && compiler->options->report_only) {
		report(compiler, chain, match);
		(void)compile_rule_like(compiler, chain, match, RULE_PERMIT, "audit: %s", comment);
		return;
	}
	compile_rule_like(compiler, chain, match ? match : &match_all, RULE_JUMP, "%s", comment)
		->chain = refuse_chain_of(compiler, chain);
}

void compile_quiet(struct compiler *compiler, uint16_t chain, const struct rule_match *match,
		   const char *comment)
{
	(void)compile_rule_like(compiler, chain, match,
				compiler->options->report_only ? RULE_PERMIT : RULE_DROP, "%s",
				comment);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way out: what the profile lets this host open. agent/enforce/verdict.c says the same of
 * flows that were observed. */
#include <linux/icmpv6.h>
#include <netinet/in.h>

#include "base/cleanup.h"
#include "rules/compile_private.h"

void compile_begin(struct compiler *compiler, uint16_t chain)
{
	static const uint8_t errors[] = {IPPROTO_ICMP, IPPROTO_ICMPV6};
	struct rule *rule;

	rule = compile_rule(compiler, chain, RULE_PERMIT, "of a connection that was permitted");
	rule->match.states = STATE_ESTABLISHED;
	for (size_t i = 0; i < array_length(errors); i++) {
		rule = compile_rule(compiler, chain, RULE_PERMIT, "errors about such a connection");
		rule->match.states = STATE_RELATED;
		match_protocol(&rule->match, errors[i]);
	}
	rule = compile_rule(compiler, chain, RULE_PERMIT, "this host speaks to itself");
	rule->match.loopback = true;
}

/* A group that is asked answers from addresses that nobody knows before: its members are
 * neighbours, and answer to the port from which they were asked. */
static void note_asking(struct compiler *compiler, const struct entry_class *class,
			const struct rule_match *match, unsigned int places, unsigned int families)
{
	struct rule_match asking = *match;
	struct rule *rule;

	asking.places = places;
	asking.families &= families;
	if (!asking.families)
		return;
	if (!asking.has_protocol)
		match_protocol(&asking, IPPROTO_UDP);
	rule = compile_rule_like(compiler, compiler->chains[HOOK_OUT], &asking, RULE_NOTE,
				 "neighbours may answer: %s", class->label);
	rule->set = set_asking(compiler);
	rule->side = SIDE_LOCAL;
	rule->seconds = NOTE_SECONDS;
}

static void permit(struct compiler *compiler, const struct entry_class *class,
		   const struct rule_match *match)
{
	enum class_peers peers = (enum class_peers) class->key.peers;

	if (!match->has_protocol || match->protocol == IPPROTO_UDP) {
		if (peers == CLASS_MULTICAST || (peers == CLASS_ADDRESSES && class->may_be_group))
			note_asking(compiler, class, match, PLACE_MULTICAST, RULE_BOTH_FAMILIES);
		if (peers == CLASS_BROADCAST || peers == CLASS_LAN ||
		    (peers == CLASS_ADDRESSES && class->may_be_group))
			note_asking(compiler, class, match, PLACE_BROADCAST, RULE_IPV4);
	}
	(void)compile_rule_like(compiler, compiler->chains[HOOK_OUT], match, RULE_PERMIT, "%s",
				class->label);
}

static void permit_classes(struct compiler *compiler, bool to_broadcast)
{
	for (size_t i = 0; i < compiler->class_count; i++)
		if ((compiler->classes[i].key.peers <= CLASS_BROADCAST) == to_broadcast)
			class_each_match(compiler, &compiler->classes[i], permit);
}

/* Datagrams that are the effect of a listener: from its port, or to where it was asked from. */
static void permit_answers(struct compiler *compiler)
{
	const struct profile_network *network = compiler->network;
	uint16_t out = compiler->chains[HOOK_OUT];
	uint16_t ports = RULE_NONE;
	bool may_be_asked = false;
	struct rule_match from = match_all;
	struct rule_match to = match_all;

	for (size_t i = 0; i < network->listener_count; i++) {
		const struct profile_listener *listener = &network->listeners[i];

		if (listener->protocol != IPPROTO_UDP)
			continue;
		if (ports == RULE_NONE)
			ports = compile_set(compiler, SET_PORT, false, "answering");
		compile_ports(compiler, ports, listener->port, listener->port);
		may_be_asked |= listener_is_reached(listener);
	}
	if (ports == RULE_NONE)
		return;
	match_protocol(&from, IPPROTO_UDP);
	(void)match_lookup(&from, ports, SIDE_LOCAL, false);
	(void)match_lookup(&from, set_lan(compiler), SIDE_REMOTE, false);
	(void)compile_rule_like(compiler, out, &from, RULE_PERMIT,
				"from UDP listeners of the profile to neighbours");
	if (!may_be_asked)
		return;
	match_protocol(&to, IPPROTO_UDP);
	(void)match_lookup(&to, set_asked(compiler), SIDE_REMOTE, false);
	(void)match_lookup(&to, set_lan(compiler), SIDE_REMOTE, false);
	(void)compile_rule_like(compiler, out, &to, RULE_PERMIT,
				"answers to neighbours who asked a UDP listener");
}

/* As flow_is_stack() in observe/observation.h. */
static void permit_stack(struct compiler *compiler)
{
	static const uint8_t types[] = {
		ICMPV6_MGM_QUERY,
		ICMPV6_MGM_REPORT,
		ICMPV6_MGM_REDUCTION,
		133, /* router solicitation to redirect, RFC 4861 section 4 */
		134,
		135,
		136,
		137,
		ICMPV6_MLD2_REPORT,
	};
	uint16_t out = compiler->chains[HOOK_OUT];
	struct rule *rule;

	rule = compile_rule(compiler, out, RULE_PERMIT, "the IP stack: group membership");
	match_protocol(&rule->match, IPPROTO_IGMP);
	rule->match.places = PLACE_MULTICAST;
	for (size_t i = 0; i < array_length(types); i++) {
		uint16_t link = set_link(compiler);

		rule = compile_rule(compiler, out, RULE_PERMIT,
				    "the IP stack: neighbours, routers, groups");
		match_icmp_type(&rule->match, IPPROTO_ICMPV6, types[i]);
		(void)match_lookup(&rule->match, link, SIDE_REMOTE, false);
	}
}

/* What this host refuses with an error it sends an error for. */
static void permit_resets(struct compiler *compiler)
{
	uint16_t out = compiler->chains[HOOK_OUT];
	struct rule_match related = match_all;
	struct rule_match opening;

	if (!compiler->options->reject || compiler->options->report_only)
		return;
	related.states = STATE_RELATED;
	match_protocol(&related, IPPROTO_TCP);
	opening = related;
	opening.opens = true;
	compile_refusal(compiler, out, &opening, "expected by a helper, not in the profile");
	(void)compile_rule_like(compiler, out, &related, RULE_PERMIT,
				"resets for what was refused");
}

void compile_out(struct compiler *compiler)
{
	uint16_t out = compiler->chains[HOOK_OUT];
	struct rule_match broadcast = match_all;
	struct rule_match late = match_all;

	compile_begin(compiler, out);
	compile_rule(compiler, out, RULE_PERMIT, "to an address of this host")->match.places =
		PLACE_LOCAL;
	permit_classes(compiler, true);
	broadcast.families = RULE_IPV4;
	broadcast.places = PLACE_BROADCAST;
	compile_refusal(compiler, out, &broadcast, "nothing below is said of broadcast addresses");
	permit_classes(compiler, false);
	permit_answers(compiler);
	permit_stack(compiler);
	permit_resets(compiler);
	match_protocol(&late, IPPROTO_TCP);
	late.states = STATE_INVALID;
	compile_quiet(compiler, out, &late, "late segments of connections that are over");
	compile_refusal(compiler, out, NULL, "the end of what the profile permits");
}

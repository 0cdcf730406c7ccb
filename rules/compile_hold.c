/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to wait until somebody has looked at it: names, and first packets whose program counts.
 */
#include <netinet/in.h>

#include "base/cleanup.h"
#include "profiles/port.h"
#include "rules/compile_private.h"

static void hold(struct compiler *compiler, uint16_t chain, const struct rule_match *match,
		 enum rule_queue queue, const char *why, const char *label)
{
	struct rule *rule =
		compile_rule_like(compiler, chain, match, RULE_HOLD, "%s%s", why, label);

	rule->queue = (uint8_t)queue;
	rule->passes_unheard = compiler->options->report_only;
}

static void leave_out(struct rule_match *match, uint16_t set)
{
	if (set != RULE_NONE)
		(void)match_lookup(match, set, SIDE_REMOTE, true);
}

/* What everybody may open need not wait. As far as there is room: the gate finds the same; but for
 * who asked a listener, of which only the rules know. */
static void leave_out_open(struct compiler *compiler, enum class_peers peers,
			   struct rule_match *match)
{
	if (match->has_protocol && !protocol_has_ports(match->protocol))
		return;
	if ((peers == CLASS_LAN || peers == CLASS_ADDRESSES) &&
	    (!match->has_protocol || match->protocol == IPPROTO_UDP))
		leave_out(match, compiler->asked);
	if (peers != CLASS_LAN) /* names stand for hosts of the Internet */
		leave_out(match, rule_program_find_set(compiler->program, "names"));
	leave_out(match, rule_program_find_set(compiler->program, "peers"));
}

static const struct entry_class *open_twin(const struct compiler *compiler,
					   const struct entry_class *class)
{
	for (size_t i = 0; i < compiler->class_count; i++) {
		struct class_key key = compiler->classes[i].key;

		if (key.owner != OWNER_ANY)
			continue;
		key.owner = class->key.owner;
		if (class_keys_equal(&key, &class->key))
			return &compiler->classes[i];
	}
	return NULL;
}

static void hold_class(struct compiler *compiler, const struct entry_class *class,
		       const struct rule_match *match)
{
	const struct entry_class *open = open_twin(compiler, class);
	struct rule_match waiting = *match;

	/* errors belong to a connection; what a helper expects is a connection of its own */
	waiting.states = STATE_NEW | STATE_INVALID | STATE_UNTRACKED;
	if (!match->has_protocol || !protocol_has_types(match->protocol))
		waiting.states |= STATE_RELATED;
	if (open && class->key.port_kind != PORT_SAME && class->key.has_protocol &&
	    open->set != RULE_NONE)
		(void)match_lookup(&waiting, open->set, SIDE_REMOTE, true);
	leave_out_open(compiler, (enum class_peers) class->key.peers, &waiting);
	hold(compiler, compiler->chains[HOOK_HOLD_OUT], &waiting, RULE_QUEUE_FLOWS,
	     class->key.owner == OWNER_HELD ? "whose is it: " : "are its ports the same: ",
	     class->label);
}

void compile_hold(struct compiler *compiler)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	static const enum rule_hook ways[] = {HOOK_HOLD_OUT, HOOK_HOLD_IN};

	for (size_t i = 0; i < array_length(ways); i++) {
		for (size_t j = 0; j < array_length(protocols); j++) {
			struct rule_match match = match_all;

			match_protocol(&match, protocols[j]);
			match_remote_ports(&match, PORT_DNS, PORT_DNS);
			hold(compiler, compiler->chains[ways[i]], &match, RULE_QUEUE_NAMES,
			     ways[i] == HOOK_HOLD_OUT ? "questions for names"
						      : "answers with addresses",
			     "");
		}
	}
	for (size_t i = 0; i < compiler->class_count; i++) {
		const struct entry_class *class = &compiler->classes[i];

		if (class->key.owner == OWNER_HELD || class->key.port_kind == PORT_SAME)
			class_each_match(compiler, class, hold_class);
	}
}

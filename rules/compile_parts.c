/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How rules, matches and sets are put together. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rules/compile_private.h"

const struct rule_match match_all = {
	.families = RULE_BOTH_FAMILIES,
	.lookups = {{.set = RULE_NONE}, {.set = RULE_NONE}, {.set = RULE_NONE}},
};

static void format_comment(char comment[RULE_COMMENT_SIZE], const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static void format_comment(char comment[RULE_COMMENT_SIZE], const char *format, va_list arguments)
{
	int length = vsnprintf(comment, RULE_COMMENT_SIZE, format, arguments);

	if (length >= RULE_COMMENT_SIZE)
		memcpy(comment + RULE_COMMENT_SIZE - 4, "...", 4);
	for (char *letter = comment; *letter; letter++)
		if (*letter < ' ' || *letter > '~' || strchr("\"'`\\", *letter))
			*letter = '?';
}

static struct rule *add_rule(struct compiler *compiler, uint16_t chain, enum rule_verdict verdict)
{
	struct rule *rule = rule_chain_add_rule(&compiler->program->chains[chain]);

	if (!rule) {
		compiler->failure = -ENOMEM;
		rule = &compiler->spare_rule;
	}
	rule->verdict = verdict;
	return rule;
}

struct rule *compile_rule(struct compiler *compiler, uint16_t chain, enum rule_verdict verdict,
			  const char *comment, ...)
{
	struct rule *rule = add_rule(compiler, chain, verdict);
	va_list arguments;

	va_start(arguments, comment);
	format_comment(rule->comment, comment, arguments);
	va_end(arguments);
	return rule;
}

struct rule *compile_rule_like(struct compiler *compiler, uint16_t chain,
			       const struct rule_match *match, enum rule_verdict verdict,
			       const char *comment, ...)
{
	struct rule *rule = add_rule(compiler, chain, verdict);
	va_list arguments;

	rule->match = *match;
	va_start(arguments, comment);
	format_comment(rule->comment, comment, arguments);
	va_end(arguments);
	return rule;
}

uint16_t compile_set(struct compiler *compiler, enum rule_set_kind kind, bool has_timeouts,
		     const char *name, ...)
{
	struct rule_set *set = rule_program_add_set(compiler->program);
	va_list arguments;

	if (!set) {
		compiler->failure = -ENOMEM;
		return RULE_NONE;
	}
	set->kind = kind;
	set->families = RULE_BOTH_FAMILIES;
	set->has_timeouts = has_timeouts;
	va_start(arguments, name);
	(void)vsnprintf(set->name, sizeof(set->name), name, arguments);
	va_end(arguments);
	return (uint16_t)(compiler->program->set_count - 1);
}

void compile_member(struct compiler *compiler, uint16_t set, const struct rule_member *member)
{
	if (set == RULE_NONE || rule_set_add(&compiler->program->sets[set], member) < 0)
		compiler->failure = -ENOMEM;
}

void compile_prefix(struct compiler *compiler, uint16_t set, const struct ip_address *address,
		    unsigned int length, uint8_t protocol, uint16_t port)
{
	struct rule_member member = {.address = *address,
				     .prefix_length = (uint8_t)length,
				     .protocol = protocol,
				     .port = port,
				     .last_port = port};

	if (length > 0) {
		compile_member(compiler, set, &member);
		return;
	}
	/* ipset knows no prefix of no bits */
	member.prefix_length = 1;
	compile_member(compiler, set, &member);
	member.address.bytes[0] = 0x80;
	compile_member(compiler, set, &member);
}

void compile_ports(struct compiler *compiler, uint16_t set, uint16_t first, uint16_t last)
{
	struct rule_member member = {.port = first, .last_port = last};

	compile_member(compiler, set, &member);
}

bool match_lookup(struct rule_match *match, uint16_t set, enum rule_side side, bool absent)
{
	for (size_t i = 0; i < RULE_LOOKUPS; i++) {
		if (match->lookups[i].set != RULE_NONE)
			continue;
		match->lookups[i] =
			(struct rule_lookup){.set = set, .side = (uint8_t)side, .absent = absent};
		return true;
	}
	return false;
}

void match_protocol(struct rule_match *match, uint8_t protocol)
{
	match->has_protocol = true;
	match->protocol = protocol;
	if (protocol == IPPROTO_ICMP)
		match->families &= RULE_IPV4;
	else if (protocol == IPPROTO_ICMPV6)
		match->families &= RULE_IPV6;
}

void match_remote_ports(struct rule_match *match, uint16_t first, uint16_t last)
{
	match->has_remote_ports = true;
	match->remote_ports[0] = first;
	match->remote_ports[1] = last;
}

void match_local_ports(struct rule_match *match, uint16_t first, uint16_t last)
{
	match->has_local_ports = true;
	match->local_ports[0] = first;
	match->local_ports[1] = last;
}

void match_icmp_type(struct rule_match *match, uint8_t protocol, uint8_t type)
{
	match_protocol(match, protocol);
	match->has_icmp_type = true;
	match->icmp_type = type;
}

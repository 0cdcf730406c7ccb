/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "rules/render.h"
#include "rules/render_nftables_rule.h"

static const struct {
	enum rule_family family;
	char letter;
	const char *type;
} FAMILIES[] = {
	{RULE_IPV4, '4', "ipv4_addr"},
	{RULE_IPV6, '6', "ipv6_addr"},
};

/* Held packets wait a step before everybody's filter (NF_IP_PRI_FILTER is 0), so that one that is
 * released goes on to be judged. */
static const struct {
	const char *hook;
	int priority;
} HOOKS[HOOK_COUNT] = {
	[HOOK_HOLD_OUT] = {"output", -1}, [HOOK_OUT] = {"output", 0},
	[HOOK_HOLD_IN] = {"input", -1},	  [HOOK_IN] = {"input", 0},
	[HOOK_FORWARD] = {"forward", 0},
};

#define RATE_ROOM 65535 /* sources that are counted at a time: a new one more is not permitted */

/* ---- sets ---- */

/* Packets put members into it. */
static bool is_noted_into(const struct rule_program *program, uint16_t set)
{
	for (size_t i = 0; i < program->chain_count; i++)
		for (size_t j = 0; j < program->chains[i].rule_count; j++) {
			const struct rule *rule = &program->chains[i].rules[j];

			if (rule->verdict == RULE_NOTE && rule->set == set)
				return true;
		}
	return false;
}

static void write_flags(const struct rule_program *program, uint16_t index, FILE *stream)
{
	const struct rule_set *set = &program->sets[index];
	const char *between = "\t\tflags ";
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{is_noted_into(program, index), "dynamic"},
		{render_set_has_intervals(set), "interval"},
		{set->has_timeouts, "timeout"},
	};

	if (set->has_timeouts && !render_set_has_intervals(set))
		(void)fprintf(stream, "\t\tsize %u\n", render_set_room(set));
	for (size_t i = 0; i < array_length(flags); i++) {
		if (!flags[i].set)
			continue;
		(void)fprintf(stream, "%s%s", between, flags[i].name);
		between = ",";
	}
	if (*between == ',')
		(void)fputc('\n', stream);
}

static void write_element(const struct rule_set *set, const struct rule_member *member,
			  FILE *stream)
{
	char address[IP_TEXT_SIZE];
	char protocol[NFTABLES_PROTOCOL_SIZE];

	ip_format(&member->address, address);
	(void)fputs(address, stream);
	if ((set->kind == SET_PREFIX || set->kind == SET_PREFIX_PORT) &&
	    member->prefix_length < (member->address.family == 4 ? 32 : 128))
		(void)fprintf(stream, "/%u", member->prefix_length);
	if (set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT) {
		nftables_protocol(member->protocol, protocol);
		(void)fprintf(stream, " . %s . %u", protocol, member->port);
	}
	if (member->timeout_s)
		(void)fprintf(stream, " timeout %us", member->timeout_s);
}

static const char *before_element(size_t *count)
{
	return (*count)++ ? ",\n\t\t\t" : "\t\telements = {\n\t\t\t";
}

static void write_elements(const struct rule_set *set, unsigned int family, FILE *stream)
{
	size_t count = 0;

	for (size_t i = 0; i < set->member_count; i++) {
		const struct rule_member *member = &set->members[i];

		if (member->address.family != (family == RULE_IPV4 ? 4 : 6))
			continue;
		(void)fputs(before_element(&count), stream);
		write_element(set, member, stream);
	}
	if (count)
		(void)fputs("\n\t\t}\n", stream);
}

static void write_ranges(const struct rule_set *set, FILE *stream)
{
	size_t count = 0;

	for (size_t i = 0; i < set->member_count; i++) {
		const struct rule_member *member = &set->members[i];

		(void)fprintf(stream, "%s%u", before_element(&count), member->port);
		if (member->last_port > member->port)
			(void)fprintf(stream, "-%u", member->last_port);
	}
	if (count)
		(void)fputs("\n\t\t}\n", stream);
}

/* Ports that come and go stand one by one. */
static void write_ports(const struct rule_set *set, FILE *stream)
{
	size_t count = 0;

	for (size_t i = 0; i < set->member_count; i++) {
		const struct rule_member *member = &set->members[i];

		for (unsigned int port = member->port; port <= member->last_port; port++) {
			(void)fprintf(stream, "%s%u", before_element(&count), port);
			if (member->timeout_s)
				(void)fprintf(stream, " timeout %us", member->timeout_s);
		}
	}
	if (count)
		(void)fputs("\n\t\t}\n", stream);
}

static void write_port_set(const struct rule_program *program, uint16_t index, FILE *stream)
{
	const struct rule_set *set = &program->sets[index];

	(void)fprintf(stream, "\tset %s {\n\t\ttype inet_service\n", set->name);
	write_flags(program, index, stream);
	if (render_set_has_intervals(set))
		write_ranges(set, stream);
	else
		write_ports(set, stream);
	(void)fputs("\t}\n\n", stream);
}

static void write_set(const struct rule_program *program, uint16_t index, FILE *stream)
{
	const struct rule_set *set = &program->sets[index];
	char name[RENDER_SET_NAME_SIZE];

	for (size_t i = 0; i < array_length(FAMILIES); i++) {
		if (!(set->families & FAMILIES[i].family))
			continue;
		render_nftables_set_name(set, FAMILIES[i].letter, name);
		(void)fprintf(stream, "\tset %s {\n\t\ttype %s%s\n", name, FAMILIES[i].type,
			      set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT
				      ? " . inet_proto . inet_service"
				      : "");
		write_flags(program, index, stream);
		write_elements(set, FAMILIES[i].family, stream);
		(void)fputs("\t}\n\n", stream);
	}
}

/* Rates of single sources are kept in a set too. */
static void write_rate_sets(const struct rule_program *program, FILE *stream)
{
	char name[NFTABLES_RATE_NAME_SIZE];

	for (size_t i = 0; i < program->chain_count; i++)
		for (size_t j = 0; j < program->chains[i].rule_count; j++) {
			const struct rule *rule = &program->chains[i].rules[j];
			unsigned int families = render_rule_families(program, rule);

			if (!rule->match.rate_per_s || !rule->match.rate_per_source)
				continue;
			for (size_t k = 0; k < array_length(FAMILIES); k++) {
				if (!(families & FAMILIES[k].family))
					continue;
				nftables_rate_name(&program->chains[i], j, FAMILIES[k].letter,
						   name);
				(void)fprintf(stream,
					      "\tset %s {\n\t\ttype %s\n\t\tsize %d\n"
					      "\t\tflags dynamic,timeout\n\t}\n\n",
					      name, FAMILIES[k].type, RATE_ROOM);
			}
		}
}

/* ---- chains ---- */

static void write_chain(const struct rule_program *program, uint16_t index, bool queues_are_chains,
			FILE *stream)
{
	const struct rule_chain *chain = &program->chains[index];

	(void)fprintf(stream, "\tchain %s {\n", chain->name);
	if (chain->hook != HOOK_NONE)
		(void)fprintf(stream, "\t\ttype filter hook %s priority %d; policy accept;\n",
			      HOOKS[chain->hook].hook, HOOKS[chain->hook].priority);
	for (size_t i = 0; i < chain->rule_count; i++)
		nftables_write_rule(program, index, i, queues_are_chains, stream);
	(void)fputs("\t}\n", stream);
}

void render_nftables_table(const struct rule_program *program, bool queues_are_chains, FILE *stream)
{
	(void)fputs("table inet " RENDER_PREFIX " {\n", stream);
	for (uint16_t i = 0; i < program->set_count; i++)
		if (program->sets[i].kind == SET_PORT)
			write_port_set(program, i, stream);
		else
			write_set(program, i, stream);
	write_rate_sets(program, stream);
	for (uint16_t i = 0; i < program->chain_count; i++) {
		if (i)
			(void)fputc('\n', stream);
		write_chain(program, i, queues_are_chains, stream);
	}
	(void)fputs("}\n", stream);
}

void render_nftables(const struct rule_program *program, FILE *stream)
{
	(void)fputs("add table inet " RENDER_PREFIX "\n"
		    "delete table inet " RENDER_PREFIX "\n",
		    stream);
	render_nftables_table(program, false, stream);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names may be asked for, and what becomes of their addresses. */
#include <stdlib.h>
#include <string.h>

#include "profiles/match.h"
#include "rules/program.h"

static int compare_keys(enum profile_peer_kind a_kind, const char *a_name,
			const struct rule_name *b)
{
	return a_kind != b->kind ? (a_kind < b->kind ? -1 : 1) : strcmp(a_name, b->name);
}

static int compare_names(const void *left, const void *right)
{
	const struct rule_name *a = left;
	const struct rule_name *b = right;
	int order = compare_keys(a->kind, a->name, b);

	if (order == 0)
		order = (int)a->set - (int)b->set;
	if (order == 0)
		order = (int)a->protocol - (int)b->protocol;
	return order ? order : (int)a->port - (int)b->port;
}

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void rule_program_sort_names(struct rule_program *program)
{
	size_t kept = 0;

	if (program->questions.count)
		qsort(program->questions.items, program->questions.count, sizeof(char *),
		      compare_strings);
	if (!program->name_count)
		return;
	qsort(program->names, program->name_count, sizeof(struct rule_name), compare_names);
	for (size_t i = 1; i < program->name_count; i++) {
		if (compare_names(&program->names[kept], &program->names[i]) == 0)
			free(program->names[i].name);
		else
			program->names[++kept] = program->names[i];
	}
	program->name_count = kept + 1;
}

/* The first entry of that kind that is not before the name. */
static size_t lower_bound(const struct rule_program *program, enum profile_peer_kind kind,
			  const char *name)
{
	size_t low = 0;
	size_t high = program->name_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_keys(kind, name, &program->names[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

typedef void (*covering_fn)(void *context, const struct rule_name *entry);

static void each_equal(const struct rule_program *program, enum profile_peer_kind kind,
		       const char *name, covering_fn each, void *context)
{
	for (size_t i = lower_bound(program, kind, name);
	     i < program->name_count && compare_keys(kind, name, &program->names[i]) == 0; i++)
		each(context, &program->names[i]);
}

/* The same entries for which peer_covers_name() holds. */
static void each_covering(const struct rule_program *program, const char *name, covering_fn each,
			  void *context)
{
	each_equal(program, PEER_HOST, name, each, context);
	each_equal(program, PEER_DOMAIN, name, each, context);
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		each_equal(program, PEER_DOMAIN, dot + 1, each, context);
	for (size_t i = lower_bound(program, PEER_PATTERN, "");
	     i < program->name_count && program->names[i].kind == PEER_PATTERN; i++)
		if (name_fits_pattern(name, program->names[i].name))
			each(context, &program->names[i]);
}

static void note_any(void *context, const struct rule_name *entry)
{
	(void)entry;
	*(bool *)context = true;
}

bool rule_program_permits_name(const struct rule_program *program, const char *name)
{
	bool permitted = program->questions.count &&
			 bsearch(&name, program->questions.items, program->questions.count,
				 sizeof(char *), compare_strings);

	if (!permitted)
		each_covering(program, name, note_any, &permitted);
	return permitted;
}

struct membership {
	const struct rule_program *program;
	const struct ip_address *address;
	rule_member_fn each;
	void *context;
};

static void give_member(void *context, const struct rule_name *entry)
{
	const struct membership *membership = context;
	struct rule_member member = {
		.address = *membership->address,
		.prefix_length = membership->address->family == 4 ? 32 : 128,
		.protocol = entry->protocol,
		.port = entry->port,
		.last_port = entry->port,
	};
	unsigned int family = member.address.family == 4 ? RULE_IPV4 : RULE_IPV6;

	/* ICMP has addresses of one family */
	if (entry->set < membership->program->set_count &&
	    membership->program->sets[entry->set].families & family)
		membership->each(membership->context, entry->set, &member);
}

void rule_program_members(const struct rule_program *program, const char *name,
			  const struct ip_address *address, rule_member_fn each, void *context)
{
	struct membership membership = {
		.program = program, .address = address, .each = each, .context = context};

	if (ip_scope(address) == ADDRESS_PUBLIC)
		each_covering(program, name, give_member, &membership);
}

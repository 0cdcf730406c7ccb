/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backends/backend.h"
#include "backends/ip_sets.h"
#include "backends/iptc_applied.h"
#include "backends/iptc_program.h"
#include "backends/iptc_table.h"
#include "backends/set_generations.h"
#include "backends/xtables_lock.h"
#include "base/cleanup.h"

struct backend {
	struct ip_sets *sets;
	uint32_t next_mark;	     /* of the rules that the next apply brings */
	uint32_t mark;		     /* of those in force */
	struct iptc_applied applied; /* nothing before the first apply */
};

/* ---- both families' rules ---- */

struct change {
	struct iptc_rules rules[IPTC_FAMILY_COUNT];
	struct iptc_rules before[IPTC_FAMILY_COUNT];
	bool is_there[IPTC_FAMILY_COUNT]; /* the kernel has the family */
};

static void change_free(struct change *change)
{
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		iptc_rules_free(&change->rules[i]);
		iptc_rules_free(&change->before[i]);
	}
}

static int build_rules(struct ip_sets *sets, const struct rule_program *program,
		       const struct render_instance *instance, struct change *change,
		       struct error *error)
{
	_cleanup_(freep) uint16_t *indices = calloc(program->set_count + 1, sizeof(*indices));

	if (!indices)
		return error_set(error, ENOMEM, "iptables: %s", strerror(ENOMEM));
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		const struct iptc_family *family = &iptc_families[i];
		struct iptc_setting setting = {
			.family = family,
			.program = program,
			.instance = *instance,
			.set_indices = indices,
		};
		int result;

		change->is_there[i] = iptc_family_is_there(family);
		if (!change->is_there[i])
			continue;
		result = set_generations_indices(sets, program, family->family,
						 instance->generation, indices, error);
		if (result == 0)
			result = iptc_program_build(&setting, &change->rules[i], error);
		if (result == 0)
			result = iptc_extension_check(family, change->rules[i].extensions, error);
		if (result < 0)
			return result;
	}
	return 0;
}

/* One family after the other; where the second fails the first goes back to what it was, whose sets
 * are still there. */
static int commit_rules(struct change *change, struct error *error)
{
	int result = 0;
	size_t done = 0;

	for (; done < IPTC_FAMILY_COUNT && result == 0; done++)
		if (change->is_there[done])
			result = iptc_table_replace(&iptc_families[done], &change->rules[done],
						    &change->before[done], error);
	if (result == 0)
		return 0;
	for (size_t i = 0; i + 1 < done; i++) {
		struct error second = {0};

		if (change->is_there[i] &&
		    iptc_table_replace(&iptc_families[i], &change->before[i], NULL, &second) < 0)
			return error_set(error, error ? error->code : -result,
					 "%s; and going back failed: %s",
					 error ? error->message : strerror(-result),
					 second.message);
	}
	return result;
}

static int iptables_apply(struct backend *backend, const struct rule_program *program,
			  struct error *error)
{
	struct render_instance instance = {.release_mark = backend->next_mark};
	char kept = backend->applied.generation;
	struct change change = {0};
	struct iptc_applied applied = {0};
	_cleanup_(closep) int lock = -1;
	char left[SET_LETTERS_SIZE];
	int result = set_generations_sweep(backend->sets, kept, left, error);

	if (result < 0)
		return result;
	instance.generation = set_generations_next(left);
	if (!instance.generation)
		return error_set(error, EBUSY,
				 "ipset: rules of somebody else use sets by every name that ours "
				 "could have, from " RENDER_PREFIX "-a to " RENDER_PREFIX "-z");
	result = set_generations_make(backend->sets, program, instance.generation, error);
	if (result == 0)
		result = build_rules(backend->sets, program, &instance, &change, error);
	if (result == 0)
		result = iptc_applied_new(&applied, program, instance.generation, change.rules,
					  change.is_there, error);
	if (result == 0)
		result = xtables_lock(XTABLES_LOCK_WAIT_MS, &lock, error);
	if (result == 0)
		result = commit_rules(&change, error);
	closep(&lock);
	lock = -1;
	if (result == 0) {
		iptc_applied_free(&backend->applied);
		backend->applied = applied;
		backend->mark = instance.release_mark;
		kept = instance.generation;
	} else {
		iptc_applied_free(&applied);
	}
	/* what is not in force now; a set that somebody else's rule refers to stays */
	(void)set_generations_sweep(backend->sets, kept, left, NULL);
	change_free(&change);
	return result;
}

/* ---- life ---- */

static int iptables_probe(struct error *error)
{
	_cleanup_(ip_sets_closep) struct ip_sets *sets = NULL;
	bool any = false;
	int result = 0;

	for (size_t i = 0; i < IPTC_FAMILY_COUNT && result == 0; i++) {
		const struct iptc_family *family = &iptc_families[i];
		struct xtc_handle *handle;

		if (!iptc_family_is_there(family))
			continue;
		any = true;
		result = iptc_family_open(family, &handle, error);
		if (result < 0)
			break;
		family->free(handle);
		result = iptc_extension_check(family, IPTC_EXTENSIONS_ALL & ~IPTC_EXTENSIONS_RARE,
					      error);
	}
	if (result == 0 && !any)
		result = error_set(error, EOPNOTSUPP, "the kernel has neither IPv4 nor IPv6");
	if (result == 0)
		result = ip_sets_open(&sets, error);
	if (result == 0)
		result = ip_sets_probe(sets, error);
	return result;
}

static int draw_mark(uint32_t *ret_mark, struct error *error)
{
	uint32_t mark = 0;

	while (!(mark & RENDER_MARK_MASK))
		if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark))
			return error_set(error, errno ? errno : EIO, "random numbers: %s",
					 strerror(errno));
	*ret_mark = mark & RENDER_MARK_MASK;
	return 0;
}

static void iptables_close(struct backend *backend)
{
	if (!backend)
		return;
	ip_sets_close(backend->sets);
	iptc_applied_free(&backend->applied);
	free(backend);
}

static void close_backend(struct backend **backend)
{
	iptables_close(*backend);
}

static int iptables_open(struct backend **ret_backend, struct error *error)
{
	_cleanup_(close_backend) struct backend *backend = calloc(1, sizeof(*backend));
	int result;

	if (!backend)
		return error_set(error, ENOMEM, "iptables: %s", strerror(ENOMEM));
	result = draw_mark(&backend->next_mark, error);
	if (result == 0)
		result = ip_sets_open(&backend->sets, error);
	if (result < 0)
		return result;
	/* a predecessor's rules let pass what carries their mark, as long as they are in force */
	backend->mark = backend->next_mark;
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		const struct iptc_family *family = &iptc_families[i];
		struct iptc_rules rules = {0};

		if (!iptc_family_is_there(family) || !iptc_family_has_table(family))
			continue;
		result = iptc_table_read(family, &rules, error);
		if (result < 0)
			return result;
		(void)iptc_rules_find_mark(family, &rules, RENDER_MARK_MASK, &backend->mark);
		iptc_rules_free(&rules);
	}
	*ret_backend = take_pointer(backend);
	return 0;
}

static int iptables_clear(struct error *error)
{
	static const struct iptc_rules nothing;
	_cleanup_(ip_sets_closep) struct ip_sets *sets = NULL;
	_cleanup_(closep) int lock = -1;
	char left[SET_LETTERS_SIZE];
	int result = 0;

	for (size_t i = 0; i < IPTC_FAMILY_COUNT && result == 0; i++) {
		const struct iptc_family *family = &iptc_families[i];

		if (!iptc_family_is_there(family) || !iptc_family_has_table(family))
			continue;
		if (lock < 0)
			result = xtables_lock(XTABLES_LOCK_WAIT_MS, &lock, error);
		if (result == 0)
			result = iptc_table_replace(family, &nothing, NULL, error);
	}
	if (result < 0 || !ip_sets_are_there())
		return result;
	result = ip_sets_open(&sets, error);
	if (result == 0)
		result = set_generations_sweep(sets, '\0', left, error);
	if (result == 0 && left[0])
		result = error_set(error, EBUSY,
				   "sets " RENDER_PREFIX
				   "-%c… stay: somebody else's rules refer to them",
				   left[0]);
	return result;
}

/* ---- members ---- */

typedef int (*member_fn)(struct ip_sets *sets, const char *name, const struct rule_set *kind,
			 const struct rule_member *member, struct error *error);

static int each_member(struct backend *backend, member_fn change, uint16_t set,
		       const struct rule_member *members, size_t count, struct error *error)
{
	const struct rule_set *kind;

	if (set >= backend->applied.set_count)
		return error_set(error, EINVAL, "set %u: the program in force has %zu", set,
				 backend->applied.set_count);
	kind = &backend->applied.sets[set];
	for (size_t i = 0; i < count; i++) {
		unsigned int family = members[i].address.family == 6 ? RULE_IPV6 : RULE_IPV4;
		char name[RENDER_SET_NAME_SIZE];
		int result;

		/* no rule of that family looks into this set: the member would open nothing */
		if (kind->kind != SET_PORT && !(kind->families & family))
			continue;
		render_set_name(kind,
				kind->kind == SET_PORT ? 'x'
				: family == RULE_IPV6  ? '6'
						       : '4',
				backend->applied.generation, name);
		result = change(backend->sets, name, kind, &members[i], error);
		if (result < 0)
			return result;
	}
	return 0;
}

static int iptables_add(struct backend *backend, uint16_t set, const struct rule_member *members,
			size_t count, struct error *error)
{
	return each_member(backend, ip_sets_add, set, members, count, error);
}

static int iptables_remove(struct backend *backend, uint16_t set, const struct rule_member *members,
			   size_t count, struct error *error)
{
	return each_member(backend, ip_sets_remove, set, members, count, error);
}

/* ---- looking ---- */

static int iptables_counts(struct backend *backend, struct backend_counts *ret_counts,
			   struct error *error)
{
	struct backend_counts counts = {0};

	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		const struct iptc_family *family = &iptc_families[i];
		struct iptc_rules rules = {0};
		int result;

		if (!backend->applied.is_there[i])
			continue;
		result = iptc_table_read(family, &rules, error);
		if (result < 0)
			return result;
		iptc_applied_count(&backend->applied, family, &rules, &counts);
		iptc_rules_free(&rules);
	}
	*ret_counts = counts;
	return 0;
}

static int iptables_check(struct backend *backend, struct error *error)
{
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		const struct iptc_family *family = &iptc_families[i];
		struct iptc_rules rules = {0};
		int result;

		if (!iptc_family_is_there(family))
			continue;
		result = iptc_table_read(family, &rules, error);
		if (result == 0)
			result = iptc_applied_check(&backend->applied, i, &rules, error);
		iptc_rules_free(&rules);
		if (result < 0)
			return result;
	}
	return iptc_applied_check_sets(&backend->applied, backend->sets, error);
}

static uint32_t iptables_release_mark(const struct backend *backend)
{
	return backend->mark;
}

const struct backend_type backend_iptables = {
	.name = "iptables",
	.probe = iptables_probe,
	.open = iptables_open,
	.close = iptables_close,
	.apply = iptables_apply,
	.add = iptables_add,
	.remove = iptables_remove,
	.counts = iptables_counts,
	.check = iptables_check,
	.clear = iptables_clear,
	.release_mark = iptables_release_mark,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>

#include "backends/backend.h"
#include "backends/nftables_hold.h"
#include "backends/nftables_link.h"
#include "backends/nftables_members.h"
#include "backends/nftables_room.h"
#include "backends/nftables_state.h"
#include "backends/nftables_text.h"
#include "base/cleanup.h"
#include "rules/render.h"

#define STATE_ATTEMPTS 8 /* others may change their own tables while ours is read */

/* Where a chain's refused packets are counted. */
struct way {
	char name[RULE_SET_NAME_SIZE];
	enum rule_hook hook;
};

struct backend {
	struct nftables_link link;
	enum nftables_hold hold;
	bool holds; /* by target: chains for these queues were made */
	uint16_t first_queue;
	struct rule_set *sets; /* of the program in force; members: only those of intervals */
	size_t set_count;
	struct way *ways;
	size_t way_count;
	bool has_state;
	struct nftables_state state; /* as it was applied */
	bool has_generation;
	uint32_t generation; /* of the kernel, when the state was last known to be as it should */
};

/* ---- what is in force ---- */

static void forget(struct backend *backend)
{
	for (size_t i = 0; i < backend->set_count; i++)
		free(backend->sets[i].members);
	free(backend->sets);
	free(backend->ways);
	backend->sets = NULL;
	backend->set_count = 0;
	backend->ways = NULL;
	backend->way_count = 0;
	backend->has_state = false;
	backend->has_generation = false;
}

/* rule_set_sort() joins what overlaps, so a copy is kept as it was given: what is taken out later
 * may uncover something. */
static int copy_set(struct rule_set *to, const struct rule_set *from)
{
	*to = *from;
	to->members = NULL;
	to->member_count = 0;
	to->member_capacity = 0;
	for (size_t i = 0; i < from->member_count; i++)
		if (rule_set_add(to, &from->members[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int remember(struct backend *backend, const struct rule_program *program)
{
	backend->sets = calloc(program->set_count + 1, sizeof(*backend->sets));
	backend->ways = calloc(program->chain_count + 1, sizeof(*backend->ways));
	if (!backend->sets || !backend->ways)
		return -ENOMEM;
	for (size_t i = 0; i < program->set_count; i++) {
		struct rule_set *set = &backend->sets[backend->set_count++];

		/* what it is made as depends on its members */
		if (program->sets[i].kind == SET_PREFIX_PORT ||
		    render_set_has_intervals(&program->sets[i])) {
			if (copy_set(set, &program->sets[i]) < 0)
				return -ENOMEM;
			continue;
		}
		*set = program->sets[i];
		set->members = NULL;
		set->member_count = 0;
		set->member_capacity = 0;
	}
	for (size_t i = 0; i < program->chain_count; i++) {
		struct way *way = &backend->ways[backend->way_count++];

		memcpy(way->name, program->chains[i].name, sizeof(way->name));
		way->hook = render_chain_hook(program, (uint16_t)i);
	}
	return 0;
}

/* Reads it until nobody changed anything meanwhile. */
static int read_state(struct backend *backend, struct nftables_state *ret_state,
		      uint32_t *ret_generation)
{
	uint32_t before;
	uint32_t after;
	int result = -EINTR;

	for (int i = 0; i < STATE_ATTEMPTS && (result == -EINTR || result == -ENOBUFS); i++) {
		result = nftables_generation(&backend->link, &before);
		if (result == 0)
			result = nftables_state_read(&backend->link, backend->sets,
						     backend->set_count, ret_state);
		if (result == 0)
			result = nftables_generation(&backend->link, &after);
		if (result == 0 && before != after)
			result = -EINTR;
	}
	if (result == 0)
		*ret_generation = after;
	return result;
}

/* What is there now is how it should be. Without it check() has nothing to compare with, and says
 * so. */
static void take_state(struct backend *backend)
{
	backend->has_state = read_state(backend, &backend->state, &backend->generation) == 0;
	backend->has_generation = backend->has_state;
}

/* Members that we changed ourselves; whatever else is not as it was stays a difference. */
static void take_members(struct backend *backend)
{
	struct nftables_state state;
	uint32_t generation;

	if (!backend->has_state || read_state(backend, &state, &generation) < 0)
		return;
	backend->state.sums[PART_MEMBERS] = state.sums[PART_MEMBERS];
	backend->state.counts[PART_MEMBERS] = state.counts[PART_MEMBERS];
}

/* ---- the backend ---- */

static void nftables_close(struct backend *backend)
{
	if (!backend)
		return;
	forget(backend);
	nftables_link_close(&backend->link);
	free(backend);
}

static int nftables_open(struct backend **ret_backend, struct error *error)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	int result;

	if (!backend)
		return error_set(error, ENOMEM, "nftables: %s", strerror(ENOMEM));
	backend->link = (struct nftables_link)NFTABLES_LINK_INIT;
	result = nftables_link_open(&backend->link);
	if (result < 0) {
		free(backend);
		return error_set(error, -result, "netfilter netlink: %s", strerror(-result));
	}
	backend->hold = nftables_hold_probe();
	*ret_backend = backend;
	return 0;
}

/* Chains with a hook stay: taking one away would drop all that waits in queues, everybody's. Where
 * somebody has put something else in their place, or changes the table meanwhile, all of it is
 * made anew. */
static int write_text(struct backend *backend, const struct rule_program *program, bool anew,
		      FILE *stream)
{
	int result = 0;

	if (anew)
		(void)fputs("add table inet " RENDER_PREFIX "\n"
			    "delete table inet " RENDER_PREFIX "\n",
			    stream);
	else
		result = nftables_room_write(&backend->link, program, stream);
	render_nftables_table(program, backend->hold == HOLD_BY_TARGET, stream);
	return result;
}

static int run_text(struct backend *backend, const struct rule_program *program, bool anew,
		    struct error *error)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int result;

	if (!stream)
		return error_set(error, ENOMEM, "nftables: %s", strerror(ENOMEM));
	result = write_text(backend, program, anew, stream);
	if (fclose(stream) != 0)
		result = -ENOMEM;
	if (result < 0)
		return error_set(error, -result, "nftables: %s", strerror(-result));
	return nftables_text_run(text, false, error);
}

/* What the kernel says of a rule that it cannot have is "no such file": what is missing is found by
 * trying each by itself. */
static int explain(int refused, const struct error *reason, struct error *error)
{
	struct error missing = {0};

	if (refused == -EPERM)
		return error_set(error, EPERM, "nftables: needs CAP_NET_ADMIN");
	if ((refused == -ENOENT || refused == -EOPNOTSUPP || refused == -EAFNOSUPPORT) &&
	    nftables_probe(&missing) == -EOPNOTSUPP)
		return error_set(error, EOPNOTSUPP, "%s: %s", missing.message, reason->message);
	return error_set(error, -refused, "%s", reason->message);
}

static int make_holding_chains(struct backend *backend, const struct rule_program *program,
			       struct error *reason)
{
	int result = nftables_hold_make(&backend->link, program, reason);

	backend->holds = result == 0;
	backend->first_queue = program->first_queue;
	return result;
}

/* What others took away is made again, and the program tried once more. */
static int put_in_force(struct backend *backend, const struct rule_program *program,
			struct error *reason)
{
	bool by_target = backend->hold == HOLD_BY_TARGET;
	bool made = false;
	int result = 0;

	if (by_target && (!backend->holds || backend->first_queue != program->first_queue)) {
		result = make_holding_chains(backend, program, reason);
		made = true;
	}
	if (result == 0)
		result = run_text(backend, program, false, reason);
	if (result == 0 || result == -EPERM || result == -ENOMEM || made)
		return result;
	if (!by_target)
		return run_text(backend, program, true, reason);
	if (result != -ENOENT || make_holding_chains(backend, program, reason) < 0)
		return result;
	return run_text(backend, program, false, reason);
}

static int nftables_apply(struct backend *backend, const struct rule_program *program,
			  struct error *error)
{
	struct backend next = {0};
	struct error reason = {0};
	int result = remember(&next, program);

	if (result < 0) {
		forget(&next);
		return error_set(error, ENOMEM, "nftables: %s", strerror(ENOMEM));
	}
	result = put_in_force(backend, program, &reason);
	if (result < 0) {
		forget(&next);
		return explain(result, &reason, error);
	}
	forget(backend);
	backend->sets = next.sets;
	backend->set_count = next.set_count;
	backend->ways = next.ways;
	backend->way_count = next.way_count;
	take_state(backend);
	return 0;
}

/* ---- members ---- */

static int refuse_members(const struct rule_set *set, int result, struct error *error)
{
	switch (result) {
	case -ENOSPC:
		return error_set(error, ENOSPC, "nftables: set %s is full: it has room for %u",
				 set->name, render_set_room(set));
	case -ENOENT:
		return error_set(error, ENOENT,
				 "nftables: set %s is not there: somebody else took table inet "
				 "%s away",
				 set->name, RENDER_PREFIX);
	default:
		return error_set(error, -result, "nftables: set %s: %s", set->name,
				 strerror(-result));
	}
}

static bool is_same(const struct rule_member *a, const struct rule_member *b)
{
	return ip_equal(&a->address, &b->address) && a->prefix_length == b->prefix_length &&
	       a->protocol == b->protocol && a->port == b->port && a->last_port == b->last_port;
}

static void drop_member(struct rule_set *set, const struct rule_member *member)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->member_count; i++)
		if (!is_same(&set->members[i], member))
			set->members[kept++] = set->members[i];
	set->member_count = kept;
}

/* Intervals are replaced as a whole: what is new may join some that were there. */
static int change_intervals(struct backend *backend, struct rule_set *set,
			    const struct rule_member *members, size_t count, bool take_out,
			    uint32_t *transactions)
{
	struct rule_set changed;
	struct rule_set joined = {0};
	int result = copy_set(&changed, set);

	for (size_t i = 0; i < count && result == 0; i++) {
		drop_member(&changed, &members[i]);
		if (!take_out)
			result = rule_set_add(&changed, &members[i]);
	}
	if (result == 0)
		result = copy_set(&joined, &changed);
	if (result == 0) {
		rule_set_sort(&joined);
		result = nftables_members_replace(&backend->link, &joined, transactions);
	}
	free(joined.members);
	if (result < 0) {
		free(changed.members);
		return result;
	}
	free(set->members);
	*set = changed;
	return 0;
}

static int change(struct backend *backend, uint16_t index, const struct rule_member *members,
		  size_t count, bool take_out, struct error *error)
{
	uint32_t transactions = 0;
	struct rule_set *set;
	int result;

	if (index >= backend->set_count)
		return error_set(error, EINVAL, "nftables: there is no set %u in force", index);
	set = &backend->sets[index];
	if (render_set_has_intervals(set))
		result = change_intervals(backend, set, members, count, take_out, &transactions);
	else if (take_out)
		result =
			nftables_members_remove(&backend->link, set, members, count, &transactions);
	else
		result = nftables_members_add(&backend->link, set, members, count, &transactions);
	/* our own changes are no one else's; but the kernel does not count a transaction that
	 * changes nothing, which only one with members that come and go never is */
	backend->generation += transactions;
	if (result < 0 || !set->has_timeouts)
		backend->has_generation = false;
	if (!set->has_timeouts && transactions)
		take_members(backend);
	return result < 0 ? refuse_members(set, result, error) : 0;
}

static int nftables_add(struct backend *backend, uint16_t set, const struct rule_member *members,
			size_t count, struct error *error)
{
	return change(backend, set, members, count, false, error);
}

static int nftables_remove(struct backend *backend, uint16_t set, const struct rule_member *members,
			   size_t count, struct error *error)
{
	return change(backend, set, members, count, true, error);
}

/* ---- what became of it ---- */

struct sum {
	const struct backend *backend;
	struct backend_counts counts;
};

static void add_count(void *context, const char *chain, uint64_t packets)
{
	struct sum *sum = context;

	for (size_t i = 0; i < sum->backend->way_count; i++) {
		const struct way *way = &sum->backend->ways[i];

		if (strcmp(way->name, chain) != 0)
			continue;
		if (way->hook == HOOK_IN || way->hook == HOOK_HOLD_IN)
			sum->counts.refused_in += packets;
		else if (way->hook == HOOK_FORWARD)
			sum->counts.refused_forward += packets;
		else
			sum->counts.refused_out += packets;
	}
}

static int nftables_counts(struct backend *backend, struct backend_counts *ret_counts,
			   struct error *error)
{
	struct sum sum = {.backend = backend};
	int result = -EINTR;

	for (int i = 0; i < STATE_ATTEMPTS && (result == -EINTR || result == -ENOBUFS); i++) {
		sum.counts = (struct backend_counts){0};
		result = nftables_state_counts(&backend->link, add_count, &sum);
	}
	if (result < 0)
		return error_set(error, -result, "nftables: counters of table inet %s: %s",
				 RENDER_PREFIX, strerror(-result));
	*ret_counts = sum.counts;
	return 0;
}

static int nftables_check(struct backend *backend, struct error *error)
{
	struct nftables_state state;
	enum nftables_part part;
	uint32_t generation;
	int result = nftables_generation(&backend->link, &generation);

	if (!backend->has_state)
		return error_set(error, ESTALE, "nftables: nothing was applied from here");
	if (result == 0 && backend->has_generation && generation == backend->generation)
		return 0;
	result = read_state(backend, &state, &generation);
	if (result == -ENOENT)
		return error_set(error, ESTALE, "nftables: table inet %s was taken away",
				 RENDER_PREFIX);
	if (result < 0)
		return error_set(error, -result, "nftables: table inet %s: %s", RENDER_PREFIX,
				 strerror(-result));
	part = nftables_state_compare(&state, &backend->state);
	if (part != PART_COUNT)
		return error_set(error, ESTALE, "nftables: somebody changed table inet %s: its %s",
				 RENDER_PREFIX, nftables_part_name(part));
	backend->generation = generation;
	backend->has_generation = true;
	return 0;
}

/* -ENOENT: there is none; the others: this kernel cannot have any. */
static bool is_clear(int result)
{
	return result == 0 || result == -ENOENT || result == -EOPNOTSUPP ||
	       result == -EPROTONOSUPPORT || result == -EAFNOSUPPORT;
}

static int nftables_clear(struct error *error)
{
	struct nftables_link link = NFTABLES_LINK_INIT;
	int result = nftables_link_open(&link);

	for (int i = 0; i < STATE_ATTEMPTS; i++) {
		if (result == 0)
			result = nftables_table_delete(&link, RENDER_PREFIX);
		if (result != -ENOBUFS && result != -ETIMEDOUT)
			break;
		result = 0;
	}
	nftables_link_close(&link);
	if (is_clear(result))
		return 0;
	return error_set(error, -result, "nftables: table inet %s cannot be taken away: %s",
			 RENDER_PREFIX, strerror(-result));
}

/* Judging has a hook of its own behind the one that holds. */
static uint32_t nftables_release_mark(const struct backend *backend)
{
	(void)backend;
	return 0;
}

const struct backend_type backend_nftables = {
	.name = "nftables",
	.probe = nftables_probe,
	.open = nftables_open,
	.close = nftables_close,
	.apply = nftables_apply,
	.add = nftables_add,
	.remove = nftables_remove,
	.counts = nftables_counts,
	.check = nftables_check,
	.clear = nftables_clear,
	.release_mark = nftables_release_mark,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "gate/gate_private.h"
#include "profiles/known_addresses.h"

#define SAVE_NS		(600 * NS_PER_S) /* flash wears out */
#define FORGET_NS	(60 * NS_PER_S)	 /* what is over may stay so long in the table */
#define MEMBERS_AT_ONCE 256		 /* for one call of a backend */

/* Where a name's addresses go. */
struct place {
	uint16_t set;
	struct rule_member member;
};

struct places {
	const struct rule_program *program;
	struct place *items;
	size_t count;
	size_t capacity;
	bool broken; /* out of memory */
};

static void add_place(void *context, uint16_t set, const struct rule_member *member)
{
	struct places *places = context;

	if (array_reserve(&places->items, &places->capacity, places->count,
			  sizeof(*places->items)) < 0) {
		places->broken = true;
		return;
	}
	places->items[places->count++] = (struct place){.set = set, .member = *member};
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left;
	const struct place *b = right;

	return (int)a->set - (int)b->set;
}

/* A named entry means hosts of the internet; what is on the local network is by its own entries. */
static bool opens(const struct ip_address *address)
{
	return ip_scope(address) == ADDRESS_PUBLIC;
}

static bool is_for(const struct rule_program *program, uint16_t set,
		   const struct ip_address *address)
{
	unsigned int family = address->family == 4 ? RULE_IPV4 : RULE_IPV6;

	return set < program->set_count && (program->sets[set].families & family);
}

static struct rule_member member_of(const struct place *place, const struct ip_address *address,
				    uint32_t timeout_s)
{
	struct rule_member member = place->member;

	member.address = *address;
	member.prefix_length = address->family == 4 ? 32 : 128;
	member.timeout_s = timeout_s;
	return member;
}

/* ---- into the kernel ---- */

struct addition {
	struct ip_address address;
	uint32_t timeout_s;
};

/* One call for each set, however many ports and addresses. */
static int add_to_places(struct gate *gate, const struct places *places,
			 const struct addition *additions, size_t addition_count,
			 struct error *error)
{
	struct rule_member members[MEMBERS_AT_ONCE];
	size_t count = 0;

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->items[i];
		bool last = i + 1 == places->count || place[1].set != place->set;

		for (size_t j = 0; j <= addition_count; j++) {
			bool is_end = j == addition_count;

			if (!is_end && is_for(gate->program, place->set, &additions[j].address)) {
				members[count] = member_of(place, &additions[j].address,
							   additions[j].timeout_s);
				gate_deadlines_stretch(gate, place->set, &members[count++]);
			}
			if (count == MEMBERS_AT_ONCE || (is_end && last && count)) {
				int result = gate->kernel.backend->add(gate->backend, place->set,
								       members, count, error);

				if (result < 0)
					return result;
				count = 0;
			}
		}
	}
	return 0;
}

static int find_places(const struct rule_program *program, const char *name,
		       const struct ip_address *address, struct places *places)
{
	rule_program_members(program, name, address, add_place, places);
	if (places->broken) {
		free(places->items);
		places->items = NULL;
		return -ENOMEM;
	}
	if (places->count)
		qsort(places->items, places->count, sizeof(*places->items), compare_places);
	return 0;
}

/* Somebody else took our sets away, or changed them: all of it again, with what the table of names
 * has by now. */
static int put_back(struct gate *gate, int result, struct error *error)
{
	struct error again = {0};

	/* tried already, in vain: once a second is enough, others wait for their answers */
	if (gate->again)
		return result;
	gate_say(gate, "the rules were changed by somebody else, and are applied again: %s",
		 error->message);
	if (gate_apply_again(gate, gate->options.report_only, &again) < 0) {
		gate->again = true;
		*error = again;
		return result;
	}
	return 0;
}

static bool is_changed(int result)
{
	return result == -ENOENT || result == -ESTALE;
}

static void tell_verdict(struct verdict *verdict, const char *name,
			 const struct ip_address *address)
{
	struct observation observation = {.kind = OBSERVATION_NAME};

	observation.name.address = *address;
	(void)snprintf(observation.name.name, sizeof(observation.name.name), "%s", name);
	verdict_observe(verdict, &observation);
}

static void note_change(struct gate *gate, size_t known_before, uint64_t now_ns)
{
	/* that one holds longer is not worth writing to a disk */
	if (name_addresses_count(gate->names) > known_before)
		gate->names_changed = true;
	if (!gate->names_due_ns || gate->names_due_ns > now_ns + FORGET_NS)
		gate->names_due_ns = now_ns + FORGET_NS;
}

int gate_sets_answered(struct gate *gate, const struct held *answer, struct error *error)
{
	struct addition additions[DNS_ADDRESSES_MAX];
	struct places places = {0};
	size_t known_before = name_addresses_count(gate->names);
	uint64_t now_ns = clock_boottime_ns();
	size_t count = 0;
	int result;

	for (size_t i = 0; i < answer->address_count; i++) {
		const struct dns_address *given = &answer->addresses[i];
		size_t before = name_addresses_count(gate->names);
		int seconds;

		if (!opens(&given->address))
			continue;
		seconds = name_addresses_answered(gate->names, answer->flow.name, &given->address,
						  given->ttl_s, now_ns);
		if (seconds < 0)
			return error_set(error, -seconds, "out of memory");
		if (name_addresses_count(gate->names) > before)
			gate_journal_note(gate, answer->flow.name, &given->address);
		tell_verdict(gate->verdict, answer->flow.name, &given->address);
		additions[count++] = (struct addition){given->address, (uint32_t)seconds};
	}
	if (!count)
		return 0;
	note_change(gate, known_before, now_ns);
	result = find_places(gate->program, answer->flow.name, &additions[0].address, &places);
	if (result < 0)
		return error_set(error, -result, "out of memory");
	result = add_to_places(gate, &places, additions, count, error);
	free(places.items);
	return is_changed(result) ? put_back(gate, result, error) : result;
}

/* ---- into a program ---- */

struct filling {
	struct rule_program *program;
	struct verdict *verdict;
	uint32_t left_s;
	int result;
};

static void fill_one(void *context, uint16_t set, const struct rule_member *member)
{
	struct filling *filling = context;
	struct rule_member timed = *member;

	timed.timeout_s = filling->left_s;
	if (filling->result == 0 && is_for(filling->program, set, &member->address))
		filling->result = rule_set_add(&filling->program->sets[set], &timed);
}

static void fill_name(void *context, const char *name, const struct ip_address *address,
		      uint32_t left_s)
{
	struct filling *filling = context;

	if (!opens(address))
		return;
	filling->left_s = left_s;
	tell_verdict(filling->verdict, name, address);
	rule_program_members(filling->program, name, address, fill_one, filling);
}

int gate_sets_fill(struct gate *gate, struct rule_program *program, struct verdict *verdict)
{
	struct filling filling = {.program = program, .verdict = verdict};

	name_addresses_each(gate->names, clock_boottime_ns(), fill_name, &filling);
	for (size_t i = 0; filling.result == 0 && i < program->set_count; i++)
		rule_set_sort(&program->sets[i]);
	return filling.result;
}

/* ---- from earlier runs ---- */

static int remember(void *context, const char *name, const struct ip_address *address)
{
	struct gate *gate = context;

	if (!opens(address))
		return 0;
	return name_addresses_remember(gate->names, name, address, clock_boottime_ns());
}

static void load(struct gate *gate)
{
	struct error error = {0};
	size_t damaged = 0;

	gate->names_loaded = true;
	if (!gate->config->names_file)
		return;
	if (name_addresses_load(gate->names, gate->config->names_file, clock_boottime_ns(),
				&damaged, &error) < 0)
		gate_say(gate, "addresses of names from before are lost: %s", error.message);
	else if (damaged)
		gate_say(gate, "%s: %zu lines are damaged and were passed over",
			 gate->config->names_file, damaged);
	gate_journal_open(gate);
}

int gate_sets_remember(struct gate *gate, const struct profile *profile)
{
	int result;

	if (!gate->names_loaded)
		load(gate);
	result = known_addresses_each(profile, remember, gate);
	/* whatever it says now, it has to be asked */
	gate->names_due_ns = 1;
	return result;
}

/* ---- while time goes by ---- */

static void renew(void *context, const char *name, const struct ip_address *address,
		  uint32_t left_s)
{
	const struct addition addition = {*address, left_s};
	struct gate *gate = context;
	struct places places = {0};
	struct error error = {0};

	if (gate->again || !opens(address) ||
	    find_places(gate->program, name, address, &places) < 0)
		return;
	/* a set that takes no more is complained of with the next answer */
	if (is_changed(add_to_places(gate, &places, &addition, 1, &error)))
		gate->again = true;
	free(places.items);
}

static void note_saved(struct gate *gate, int result)
{
	if (result < 0 && !gate->save_failed)
		gate_say(gate,
			 "the addresses of names could not be kept for the next start: %s: %s",
			 gate->config->names_file, strerror(-result));
	gate->save_failed = result < 0;
	if (result < 0)
		gate->names_changed = true;
	else
		gate_journal_saved(gate, gate->saving_size);
}

/* Answers do not wait for a disk. */
static void save_aside(struct gate *gate, uint64_t now_ns)
{
	pid_t child = name_addresses_save_aside(gate->names, gate->config->names_file);

	gate->names_changed = false;
	gate->names_saved_ns = now_ns;
	gate->saving_size = gate->journal_size;
	if (child > 0)
		gate->saving = child;
	else
		note_saved(gate, (int)child);
}

static void take_saved(struct gate *gate)
{
	int status;

	if (!gate->saving || waitpid(gate->saving, &status, WNOHANG) != gate->saving)
		return;
	gate->saving = 0;
	note_saved(gate, WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
}

void gate_sets_save(struct gate *gate)
{
	struct error error = {0};

	if (gate->config->names_file && gate->names_changed &&
	    name_addresses_save(gate->names, gate->config->names_file, &error) < 0)
		gate_say(gate, "the addresses of names could not be kept for the next start: %s",
			 error.message);
}

void gate_sets_tick(struct gate *gate)
{
	uint64_t now_ns = clock_boottime_ns();

	if (gate->program && gate->names_due_ns && now_ns >= gate->names_due_ns)
		gate->names_due_ns = name_addresses_tick(gate->names, now_ns, renew, gate);
	take_saved(gate);
	if (gate->config->names_file && gate->names_changed && !gate->saving &&
	    now_ns - gate->names_saved_ns >= SAVE_NS)
		save_aside(gate, now_ns);
}

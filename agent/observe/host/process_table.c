/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Links are indices into entries; 0 is "none", so entry 0 stays unused. */
struct age_list {
	uint32_t oldest;
	uint32_t newest;
};

struct process_table {
	struct process *entries;
	uint32_t *buckets;
	uint32_t bucket_count; /* a power of two */
	uint32_t capacity;     /* of entries */
	uint32_t used;	       /* entries ever taken, entry 0 included */
	uint32_t unused;       /* head of those given back, linked by next */
	uint32_t limit;
	uint32_t count;
	uint64_t refused;
	struct age_list living;
	struct age_list ended;
};

int process_table_new(struct process_table **ret_table, size_t limit)
{
	struct process_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->capacity = 256;
	table->bucket_count = 256;
	table->used = 1;
	table->limit = (uint32_t)(limit ? limit : 1);
	table->entries = calloc(table->capacity, sizeof(*table->entries));
	table->buckets = calloc(table->bucket_count, sizeof(*table->buckets));
	if (!table->entries || !table->buckets) {
		process_table_free(table);
		return -ENOMEM;
	}
	*ret_table = table;
	return 0;
}

static void release_labels(struct process *process)
{
	label_release(process->program);
	label_release(process->previous);
	label_release(process->parent_program);
}

void process_table_free(struct process_table *table)
{
	if (!table)
		return;
	for (uint32_t i = 1; i < table->used; i++)
		release_labels(&table->entries[i]);
	free(table->entries);
	free(table->buckets);
	free(table);
}

static uint32_t *bucket_of(const struct process_table *table, pid_t pid)
{
	/* pids are handed out one after the other: their low bits spread by themselves */
	return &table->buckets[(uint32_t)pid & (table->bucket_count - 1)];
}

static struct age_list *list_of(struct process_table *table, const struct process *process)
{
	return process->flags & PROCESS_ENDED ? &table->ended : &table->living;
}

static uint32_t index_of(const struct process_table *table, const struct process *process)
{
	return (uint32_t)(process - table->entries);
}

static void age_unlink(struct process_table *table, struct process *process)
{
	struct age_list *list = list_of(table, process);

	if (process->older)
		table->entries[process->older].newer = process->newer;
	else
		list->oldest = process->newer;
	if (process->newer)
		table->entries[process->newer].older = process->older;
	else
		list->newest = process->older;
}

static void age_link(struct process_table *table, struct process *process)
{
	struct age_list *list = list_of(table, process);
	uint32_t index = index_of(table, process);

	process->older = list->newest;
	process->newer = 0;
	if (list->newest)
		table->entries[list->newest].newer = index;
	else
		list->oldest = index;
	list->newest = index;
}

static void forget(struct process_table *table, struct process *process)
{
	uint32_t index = index_of(table, process);
	uint32_t *place = bucket_of(table, process->pid);

	while (*place != index)
		place = &table->entries[*place].next;
	*place = process->next;
	age_unlink(table, process);
	release_labels(process);
	*process = (struct process){.next = table->unused};
	table->unused = index;
	table->count--;
}

struct process *process_find(struct process_table *table, pid_t pid)
{
	uint32_t index = *bucket_of(table, pid);

	while (index && table->entries[index].pid != pid)
		index = table->entries[index].next;
	return index ? &table->entries[index] : NULL;
}

/* A table that cannot get more buckets stays correct and only gets slower. */
static void rehash(struct process_table *table)
{
	uint32_t larger = table->bucket_count * 2;
	uint32_t *buckets = calloc(larger, sizeof(*buckets));

	if (!buckets)
		return;
	free(table->buckets);
	table->buckets = buckets;
	table->bucket_count = larger;
	for (uint32_t i = 1; i < table->used; i++) {
		struct process *process = &table->entries[i];
		uint32_t *bucket;

		if (!process->pid)
			continue;
		bucket = bucket_of(table, process->pid);
		process->next = *bucket;
		*bucket = i;
	}
}

/* The index of an unused entry, or 0. */
static uint32_t take_entry(struct process_table *table)
{
	uint32_t index = table->unused;
	struct process *entries;

	if (index) {
		table->unused = table->entries[index].next;
		return index;
	}
	if (table->used == table->capacity) {
		entries = reallocarray(table->entries, table->capacity, 2 * sizeof(*entries));
		if (!entries)
			return 0;
		table->entries = entries;
		table->capacity *= 2;
	}
	return table->used++;
}

struct process *process_add(struct process_table *table, pid_t pid)
{
	struct process *process = process_find(table, pid);
	uint32_t index = 0;
	uint32_t *bucket;

	if (process)
		return process;
	if (pid <= 0)
		return NULL;
	if (table->count >= table->limit && table->ended.oldest)
		forget(table, &table->entries[table->ended.oldest]);
	if (table->count < table->limit)
		index = take_entry(table);
	if (!index) {
		table->refused++;
		return NULL;
	}
	if (table->count >= table->bucket_count)
		rehash(table);
	process = &table->entries[index];
	*process = (struct process){.pid = pid, .user = PROCESS_USER_UNKNOWN};
	for (size_t i = 0; i < PROCESS_IMAGES_KEPT; i++)
		process->image_users[i] = PROCESS_USER_UNKNOWN;
	bucket = bucket_of(table, pid);
	process->next = *bucket;
	*bucket = index;
	age_link(table, process);
	table->count++;
	return process;
}

struct process *process_forked(struct process_table *table, pid_t parent_pid, pid_t child,
			       uint64_t now_ns)
{
	const uint16_t inherited = PROCESS_OWN | PROCESS_SESSION;
	struct process *process = process_find(table, child);
	const struct process *parent;

	if (process)
		forget(table, process);
	process = process_add(table, child);
	if (!process)
		return NULL;
	process->parent_pid = parent_pid;
	process->started_ns = now_ns;
	parent = process_find(table, parent_pid);
	if (!parent)
		return process;
	process->flags |= parent->flags & inherited;
	process->user = parent->user;
	process->image_users[0] = parent->user;
	process->parent_images = parent->images;
	if (parent->unmatched) {
		process->flags |= PROCESS_PARENT_LATE;
	} else {
		process->program = label_reference(parent->program);
		process->parent_program = label_reference(parent->program);
	}
	return process;
}

static void revive(struct process_table *table, struct process *process)
{
	age_unlink(table, process);
	process->flags &= (uint16_t)~PROCESS_ENDED;
	process->ended_ns = 0;
	age_link(table, process);
}

struct process *process_executed(struct process_table *table, pid_t pid)
{
	struct process *process = process_add(table, pid);

	if (!process)
		return NULL;
	if (process->flags & PROCESS_ENDED)
		revive(table, process);
	process->images++;
	if (process->unmatched < UINT16_MAX)
		process->unmatched++;
	process->image_users[process->images % PROCESS_IMAGES_KEPT] = process->user;
	return process;
}

void process_match(struct process *process, struct label *program)
{
	if (process->unmatched)
		process->unmatched--;
	if (process->flags & PROCESS_MATCHED)
		process->replaced_ns = clock_boottime_ns();
	label_release(process->previous);
	process->previous = process->program;
	process->program = label_reference(program);
	process->flags |= PROCESS_MATCHED;
}

uint32_t process_image_user(const struct process *process)
{
	if (process->unmatched >= PROCESS_IMAGES_KEPT)
		return PROCESS_USER_UNKNOWN;
	return process->image_users[(uint16_t)(process->images - process->unmatched) %
				    PROCESS_IMAGES_KEPT];
}

void process_exited(struct process_table *table, pid_t pid, uint64_t now_ns)
{
	struct process *process = process_find(table, pid);

	if (!process || process->flags & PROCESS_ENDED)
		return;
	age_unlink(table, process);
	process->flags |= PROCESS_ENDED;
	process->ended_ns = now_ns;
	age_link(table, process);
}

void process_forget(struct process_table *table, pid_t pid)
{
	struct process *process = process_find(table, pid);

	if (process)
		forget(table, process);
}

void process_table_expire(struct process_table *table, uint64_t before_ns)
{
	while (table->ended.oldest && table->entries[table->ended.oldest].ended_ns < before_ns)
		forget(table, &table->entries[table->ended.oldest]);
}

void process_table_sweep_end(struct process_table *table, uint32_t generation, uint64_t now_ns)
{
	uint32_t index = table->living.oldest;

	while (index) {
		struct process *process = &table->entries[index];

		index = process->newer;
		if (process->generation != generation)
			process_exited(table, process->pid, now_ns);
	}
}

struct label *process_parent_program(struct process_table *table, const struct process *process)
{
	const struct process *parent;
	uint16_t matched;

	if (!(process->flags & PROCESS_PARENT_LATE))
		return process->parent_program;
	parent = process_find(table, process->parent_pid);
	if (!parent || !(parent->flags & PROCESS_MATCHED))
		return NULL;
	matched = (uint16_t)(parent->images - parent->unmatched);
	if (matched == process->parent_images)
		return parent->program;
	if ((uint16_t)(matched - 1) == process->parent_images)
		return parent->previous;
	return NULL;
}

size_t process_table_recent(const struct process_table *table, pid_t *pids, size_t limit)
{
	size_t count = 0;

	for (uint32_t i = table->living.newest; i && count < limit; i = table->entries[i].older)
		if (!(table->entries[i].flags & PROCESS_KERNEL))
			pids[count++] = table->entries[i].pid;
	return count;
}

struct process *process_next(struct process_table *table, const struct process *process)
{
	for (uint32_t i = process ? index_of(table, process) + 1 : 1; i < table->used; i++)
		if (table->entries[i].pid)
			return &table->entries[i];
	return NULL;
}

size_t process_table_count(const struct process_table *table)
{
	return table->count;
}

uint64_t process_table_refused(const struct process_table *table)
{
	return table->refused;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/coverage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/text.h"
#include "guard/fanotify_group.h"
#include "guard/mark_helper.h"
#include "observe/host/mount_table.h"
#include "observe/host/process_info.h"

/* As many as the kernel allows one mount namespace (fs.mount-max). */
#define MARKED_LIMIT 100000

/* Under the number of a mount, or of a filesystem's device. */
struct marked {
	uint32_t generation; /* of the walk that saw it last */
	bool foreign;	     /* in another process's view: walks don't see it */
};

struct coverage {
	struct fanotify_group group;
	bool superblocks;
	struct loop *loop;
	int mountinfo;
	struct loop_source *source;
	struct mark_helpers *helpers;
	struct map *marked;
	uint32_t generation;
	bool walk_again; /* a mount was seen while a child was on its way to one of its number */
	size_t gaps;
	int gap_error;
	char gap[256];
	void (*change)(void *context);
	void *context;
};

/* What one walk keeps in mind. */
struct walk {
	struct coverage *coverage;
	char **slow; /* directories whose filesystems may never answer */
	size_t slow_count;
	size_t slow_capacity;
	bool out_of_memory;
};

enum coverage_scope coverage_scope_here(void)
{
	return in_initial_pid_namespace() ? COVERAGE_FILESYSTEMS : COVERAGE_MOUNTS;
}

static void note_gap(struct coverage *coverage, const char *place, int result)
{
	coverage->gaps++;
	coverage->gap_error = result;
	(void)snprintf(coverage->gap, sizeof(coverage->gap), "%s: %s", place,
		       result == -EREMOTEIO ? "a process serves it (FUSE)" : strerror(-result));
}

static void note_mark(struct coverage *coverage, uint64_t mount_id, uint64_t device, bool foreign)
{
	uint64_t key = coverage->superblocks ? device : mount_id;
	struct marked *marked = map_add(coverage->marked, &key, sizeof(key));

	if (!marked)
		return; /* it is marked all the same */
	if (!foreign)
		marked->generation = coverage->generation;
	marked->foreign |= foreign;
}

static void told(struct coverage *coverage)
{
	if (coverage->change)
		coverage->change(coverage->context);
}

static bool is_below(const char *directory, const char *above)
{
	size_t length = strlen(above);

	return strncmp(directory, above, length) == 0 &&
	       (directory[length] == '/' || directory[length] == '\0');
}

/* Parents come before what is mounted on them. */
static bool is_slow(struct walk *walk, const struct mount_entry *entry)
{
	for (size_t i = 0; i < walk->slow_count; i++)
		if (is_below(entry->directory, walk->slow[i]))
			return true;
	if (filesystem_keeper(entry->filesystem) == FILESYSTEM_KERNEL)
		return false;
	/* the root answers, or nothing here would run */
	if (strcmp(entry->directory, "/") == 0)
		return false;
	if (array_reserve(&walk->slow, &walk->slow_capacity, walk->slow_count,
			  sizeof(*walk->slow)) < 0 ||
	    !(walk->slow[walk->slow_count] = strdup(entry->directory)))
		walk->out_of_memory = true;
	else
		walk->slow_count++;
	return true;
}

static void mark_by_child(struct coverage *coverage, const struct mount_entry *entry,
			  enum mark_extent extent)
{
	int result;

	if (mark_helpers_busy(coverage->helpers, entry->id)) {
		coverage->walk_again = true;
		return;
	}
	result = mark_helpers_mount(coverage->helpers, entry, extent);
	if (result < 0)
		note_gap(coverage, entry->directory, result);
}

/*
 * What a process serves (FUSE) is not asked about: the kernel opens the file for us before we can
 * read the event, through that process, which need not answer; then the guard could not even be
 * killed, and everybody would wait. What is executed there is ended as it opens its first library,
 * or by the sweeper.
 */
static void mark_entry(void *context, const struct mount_entry *entry)
{
	struct walk *walk = context;
	struct coverage *coverage = walk->coverage;
	enum mark_extent extent = fanotify_group_extent(&coverage->group, entry->filesystem);
	bool slow = is_slow(walk, entry);
	int result;

	if (extent == MARK_NOTHING)
		return;
	if (slow && filesystem_keeper(entry->filesystem) == FILESYSTEM_PROCESS) {
		note_gap(coverage, entry->directory, -EREMOTEIO);
		return;
	}
	if (slow) {
		mark_by_child(coverage, entry, extent);
		return;
	}
	/* those that are marked already too: a number may be a new mount's by now */
	result = fanotify_group_mark(&coverage->group, extent, coverage->superblocks,
				     entry->directory);
	if (result < 0)
		note_gap(coverage, entry->directory, result);
	else
		note_mark(coverage, entry->id, entry->device, false);
}

static void forget_unseen(struct coverage *coverage)
{
	struct marked *next;

	for (struct marked *marked = map_next(coverage->marked, NULL); marked; marked = next) {
		next = map_next(coverage->marked, marked);
		if (!marked->foreign && marked->generation != coverage->generation)
			map_remove_value(coverage->marked, marked);
	}
}

static int mark_all(struct coverage *coverage)
{
	struct walk walk = {.coverage = coverage};
	int result;

	coverage->generation++;
	coverage->gaps = 0;
	coverage->gap[0] = '\0';
	result = mount_table_walk(0, mark_entry, &walk);
	for (size_t i = 0; i < walk.slow_count; i++)
		free(walk.slow[i]);
	free(walk.slow);
	if (result < 0)
		return result;
	forget_unseen(coverage);
	return walk.out_of_memory ? -ENOMEM : 0;
}

static void mounts_changed(void *context, int fd, uint32_t ready)
{
	struct coverage *coverage = context;
	int result;

	(void)fd;
	(void)ready;
	result = mark_all(coverage);
	if (result < 0)
		note_gap(coverage, "/proc/self/mountinfo", result);
	told(coverage);
}

static void child_marked(void *context, const struct mark_report *report)
{
	struct coverage *coverage = context;

	if (report->result == 0)
		note_mark(coverage, report->mount_id, report->device, report->foreign);
	else
		note_gap(coverage, report->place, report->result);
}

static void child_finished(void *context)
{
	struct coverage *coverage = context;

	if (coverage->walk_again) {
		coverage->walk_again = false;
		(void)mark_all(coverage);
	}
	told(coverage);
}

int coverage_new(enum guard_mode mode, enum coverage_scope scope, int inherited,
		 struct coverage **ret_coverage, struct error *error)
{
	struct coverage *coverage = calloc(1, sizeof(*coverage));
	int result;

	if (!coverage)
		return error_set(error, ENOMEM, "out of memory");
	coverage->mountinfo = -1;
	coverage->group.fd = -1;
	result = map_new(&coverage->marked, MARKED_LIMIT, sizeof(struct marked), NULL, NULL);
	if (result < 0)
		error_set(error, -result, "out of memory");
	else
		result = fanotify_group_open(mode, inherited, &coverage->group, error);
	if (result < 0) {
		coverage_free(coverage);
		return result;
	}
	coverage->superblocks = scope == COVERAGE_FILESYSTEMS && coverage->group.superblocks;
	*ret_coverage = coverage;
	return 0;
}

void coverage_free(struct coverage *coverage)
{
	if (!coverage)
		return;
	loop_remove(coverage->source);
	mark_helpers_free(coverage->helpers); /* each holds the group open */
	if (coverage->mountinfo >= 0)
		(void)close(coverage->mountinfo);
	if (coverage->group.fd >= 0)
		(void)close(coverage->group.fd);
	map_free(coverage->marked);
	free(coverage);
}

int coverage_start(struct coverage *coverage, struct loop *loop, struct error *error)
{
	const struct mark_helpers_config helpers = {
		.group = &coverage->group,
		.superblocks = coverage->superblocks,
		.marked = child_marked,
		.finished = child_finished,
		.context = coverage,
	};
	int result = mark_helpers_new(loop, &helpers, &coverage->helpers);

	if (result < 0)
		return error_set(error, -result, "out of memory");
	coverage->mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (coverage->mountinfo < 0)
		return error_set(error, errno, "/proc/self/mountinfo: %s", strerror(errno));
	/* before the first walk, so that a mount made meanwhile is told */
	result = loop_add_fd(loop, coverage->mountinfo, EPOLLPRI | EPOLLERR, mounts_changed,
			     coverage, &coverage->source);
	if (result == 0)
		result = mark_all(coverage);
	if (result < 0)
		return error_set(error, -result, "/proc/self/mountinfo: %s", strerror(-result));
	if (!map_count(coverage->marked))
		return error_set(error, coverage->gaps ? -coverage->gap_error : ENODEV,
				 "no mount can be guarded: %s",
				 coverage->gaps ? coverage->gap : "none holds programs");
	return 0;
}

int coverage_extend(struct coverage *coverage, pid_t pid)
{
	return mark_helpers_process(coverage->helpers, pid);
}

void coverage_on_change(struct coverage *coverage, void (*change)(void *context), void *context)
{
	coverage->change = change;
	coverage->context = context;
}

int coverage_fd(const struct coverage *coverage)
{
	return coverage->group.fd;
}

size_t coverage_count(const struct coverage *coverage)
{
	return map_count(coverage->marked);
}

size_t coverage_gaps(const struct coverage *coverage)
{
	return coverage->gaps;
}

const char *coverage_gap(const struct coverage *coverage)
{
	return coverage->gap;
}

void coverage_forget_verdicts(struct coverage *coverage)
{
	fanotify_group_forget_files(&coverage->group);
}

bool coverage_has_exec_events(const struct coverage *coverage)
{
	return coverage->group.exec_events;
}

enum coverage_scope coverage_scope_of(const struct coverage *coverage)
{
	return coverage->superblocks ? COVERAGE_FILESYSTEMS : COVERAGE_MOUNTS;
}

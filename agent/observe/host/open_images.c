/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/open_images.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "program/arguments.h"

#define IMAGES_LIMIT 4096

/* So long what is known of a process holds without looking again: no pid comes back sooner. */
#define LOOK_HOLDS_NS (100 * NS_PER_MS)

/* A process this old that is not known by an exec event has run what it runs for long. */
#define YOUNG_NS (2 * NS_PER_S)

/* The kernel tells starts in hundredths of a second. */
#define START_GRAIN_NS (20 * NS_PER_MS)

struct open_images {
	struct process_table *table;
	struct process_roster *roster;
	struct executables *executables;
	bool process_events;
	struct map *images;	  /* by pid */
	struct open_image orphan; /* for processes that nothing can be known of */
};

static void dispose(void *value, void *context)
{
	struct open_image *image = value;

	(void)context;
	label_release(image->program);
}

int open_images_new(struct process_table *table, struct process_roster *roster,
		    struct executables *executables, bool process_events,
		    struct open_images **ret_images)
{
	struct open_images *images = calloc(1, sizeof(*images));

	if (!images)
		return -ENOMEM;
	images->table = table;
	images->roster = roster;
	images->executables = executables;
	images->process_events = process_events;
	if (map_new(&images->images, IMAGES_LIMIT, sizeof(struct open_image), dispose, NULL) < 0) {
		free(images);
		return -ENOMEM;
	}
	*ret_images = images;
	return 0;
}

void open_images_free(struct open_images *images)
{
	if (!images)
		return;
	map_free(images->images);
	label_release(images->orphan.program);
	free(images);
}

static bool is_pinned(const struct open_images *images, const struct label *program)
{
	return program &&
	       (program_class_by_name(program->text) != PROGRAM_ORDINARY ||
		executables_has_note(images->executables, &program->file, EXECUTABLE_INTERPRETS) ||
		executables_has_note(images->executables, &program->file, EXECUTABLE_PINNED));
}

/* ---- execs ---- */

bool open_images_executed(struct open_images *images, pid_t pid,
			  const struct executable *executable, const struct file_key *file,
			  struct label *path)
{
	struct open_image *image = map_add(images->images, &pid, sizeof(pid));

	if (!image)
		return false;
	if (executable->kind == EXECUTABLE_LIBRARY && image->loader_due) {
		image->loader_due = false;
		image->loader = *file;
		return true;
	}
	image->started = *file;
	if (executable->kind == EXECUTABLE_SCRIPT || executable->kind == EXECUTABLE_OTHER) {
		image->by_script = true;
		return false;
	}
	image->begun_ns = clock_boottime_ns();
	image->looked_ns = 0;
	image->executed = true;
	image->loader_due = executable->has_loader;
	label_assign(&image->program, path);
	image->pinned = image->by_script || is_pinned(images, path);
	image->by_script = false;
	return false;
}

/* ---- opens ---- */

static bool is_anothers(const struct open_image *image, const struct process *process)
{
	return image->begun_ns && process->started_ns > image->begun_ns + START_GRAIN_NS;
}

/* What a process runs that was not seen to execute anything: what its parent ran when it was
 * forked, even if it executed something since. */
static void inherit(struct open_images *images, struct open_image *image,
		    const struct process *process, uint64_t now_ns)
{
	const struct open_image *parent =
		map_peek(images->images, &process->parent_pid, sizeof(process->parent_pid));
	bool young = now_ns < process->started_ns + YOUNG_NS;
	struct label *before = NULL;

	if (young && parent && parent->executed)
		before = parent->program;
	else if (young && process->flags & PROCESS_MATCHED)
		before = process_parent_program(images->table, process);
	label_assign(&image->program, before ? before : process->program);
}

static struct open_image *find(struct open_images *images, pid_t pid)
{
	struct open_image *image = map_find(images->images, &pid, sizeof(pid));
	uint64_t now_ns = clock_boottime_ns();
	const struct process *process;

	if (image && image->looked_ns && now_ns < image->looked_ns + LOOK_HOLDS_NS)
		return image;
	process = process_roster_find(images->roster, pid);
	if (image && process && is_anothers(image, process)) {
		map_remove_value(images->images, image);
		image = NULL;
	}
	if (!process || (!image && !(image = map_add(images->images, &pid, sizeof(pid)))))
		return image;
	image->looked_ns = now_ns;
	image->left_out = process_roster_left_out(images->roster, process);
	if (!image->executed)
		inherit(images, image, process, now_ns);
	if (!image->executed || !image->pinned)
		image->pinned = is_pinned(images, image->program);
	return image;
}

/* Without process events nothing is known of a child that was gone before it could be looked at. It
 * most likely was that of the interpreter which was active last: "(command < file)". */
struct open_image *open_images_find(struct open_images *images, pid_t pid)
{
	struct open_image *image = find(images, pid);

	if (image && image->pinned && !image->left_out)
		label_assign(&images->orphan.program, image->program);
	if (image || images->process_events || !images->orphan.program)
		return image;
	images->orphan.pinned = true;
	return &images->orphan;
}

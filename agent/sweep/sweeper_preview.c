/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "sweep/image_watch.h"
#include "sweep/sweeper.h"

#define PROGRAMS_LIMIT 10000

/* How often it is looked whether the last file was hashed. */
#define LOOK_NS (10 * NS_PER_MS)

struct preview {
	struct loop *loop;
	struct image_watch *watch;
	struct map *programs; /* struct finding under struct program_name */
};

/* Equal ones are told once. */
struct program_name {
	uint8_t kind;
	uint8_t sha256[32];
	char path[FINDING_PATH_SIZE];
};

static void found(void *context, const struct finding *finding, int fd)
{
	struct preview *preview = context;
	struct program_name name;
	struct finding *first;
	size_t count = map_count(preview->programs);

	(void)fd;
	memset(&name, 0, sizeof(name));
	name.kind = finding->kind;
	memcpy(name.sha256, finding->sha256, sizeof(name.sha256));
	memcpy(name.path, finding->path, strlen(finding->path));
	first = map_add(preview->programs, &name, sizeof(name));
	if (!first)
		return;
	if (map_count(preview->programs) > count)
		*first = *finding;
	else
		first->repeats++;
}

static void uncovered(void *context, pid_t pid, uint64_t device)
{
	(void)context;
	(void)pid;
	(void)device;
}

static bool concerns(void *context, pid_t pid)
{
	(void)context;
	return pid != getpid();
}

static void look(void *context)
{
	struct preview *preview = context;

	if (!image_watch_pending(preview->watch))
		loop_stop(preview->loop, 0);
}

static int run(struct preview *preview, const struct image_watch_config *config)
{
	int result = loop_new(&preview->loop);

	if (result == 0)
		result = map_new(&preview->programs, PROGRAMS_LIMIT, sizeof(struct finding), NULL,
				 NULL);
	if (result == 0)
		result = image_watch_new(preview->loop, config, &preview->watch);
	if (result == 0)
		result = image_watch_start(preview->watch);
	if (result == 0)
		result = loop_add_timer(preview->loop, LOOK_NS, look, preview, NULL);
	return result < 0 ? result : loop_run(preview->loop);
}

int sweeper_preview(const struct program_policy *policy, uint64_t file_size_limit,
		    sweeper_found_fn found_fn, void *context, struct error *error)
{
	struct preview preview = {0};
	const struct image_watch_config config = {
		.policy = policy,
		.file_size_limit = file_size_limit,
		.only_reports = true,
		.without_connector = true,
		.concerns = concerns,
		.found = found,
		.uncovered = uncovered,
		.context = &preview,
	};
	int result = run(&preview, &config);

	for (const struct finding *finding = NULL;
	     result == 0 && (finding = map_next(preview.programs, finding));)
		found_fn(context, finding);
	image_watch_free(preview.watch);
	map_free(preview.programs);
	loop_free(preview.loop);
	return result < 0 ? error_set(error, -result, "/proc: %s", strerror(-result)) : 0;
}

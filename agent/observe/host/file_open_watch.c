/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/file_open_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "observe/host/file_events.h"
#include "observe/host/open_images.h"
#include "observe/host/process_info.h"
#include "program/file_nature.h"

#define TOLD_LIMIT 8192

/* Within this time of a change a filesystem's times may not show a second one (executable.c). */
#define SETTLED_AFTER_NS (INT64_C(2500) * 1000000)

/* A file that a program was told to read. */
struct told {
	struct file_key file;
	uint64_t device; /* the program */
	uint64_t inode;
};

struct file_open_watch {
	struct file_open_watch_config config;
	struct file_events *events;
	struct open_images *images;
	struct map *told; /* struct told */
	int64_t began_ns; /* since 1970 */
};

struct opened {
	int fd;
	pid_t pid;
	struct file_key file;
	bool has_more_names;
	uint8_t bytes[FILE_NATURE_BYTES];
	size_t size; /* of bytes */
};

/* ---- what a pinned program opened ---- */

/* Whether there is nothing new to tell of it. A file with several names may be opened by another
 * one, one that changed a moment ago may change again unseen. */
static bool is_told(struct file_open_watch *watch, const struct opened *opened,
		    const struct label *program)
{
	int64_t now_ns = (int64_t)clock_realtime_ns();
	struct told told;

	if (opened->has_more_names || opened->file.changed_ns > now_ns - SETTLED_AFTER_NS)
		return false;
	memset(&told, 0, sizeof(told));
	told.file = opened->file;
	told.device = program->file.device;
	told.inode = program->file.inode;
	if (map_find(watch->told, &told, sizeof(told)))
		return true;
	(void)map_add(watch->told, &told, sizeof(told));
	return false;
}

/* Whether the file came, or came to its name, since the watch began. One that was there and is only
 * written to keeps its name. */
static bool is_recent(const struct file_open_watch *watch, const struct opened *opened)
{
	struct statx status;

	if (opened->file.changed_ns < watch->began_ns)
		return false;
	if (statx(opened->fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) < 0 ||
	    !(status.stx_mask & STATX_BTIME))
		return true;
	return (int64_t)status.stx_btime.tv_sec * (int64_t)NS_PER_S + status.stx_btime.tv_nsec >=
	       watch->began_ns;
}

static void tell_read(struct file_open_watch *watch, const struct opened *opened,
		      const struct label *program, const char *path)
{
	const struct observation observation = {
		.kind = OBSERVATION_READ,
		.time_ns = clock_realtime_ns(),
		.read = {.path = path,
			 .program = program->text,
			 .is_new = is_recent(watch, opened)},
	};

	watch->config.deliver(watch->config.context, &observation);
}

static void opened_by_pinned(struct file_open_watch *watch, const struct opened *opened,
			     struct label *program)
{
	_cleanup_(freep) char *path = NULL;
	struct label *label;

	if (is_told(watch, opened, program) || descriptor_path(opened->fd, &path) < 0) {
		(void)close(opened->fd);
		return;
	}
	if (file_nature_of(opened->bytes, opened->size, path) != FILE_CODE) {
		if (!execution_join_is_script(watch->config.join, &opened->file))
			tell_read(watch, opened, program, path);
		(void)close(opened->fd);
		return;
	}
	label = label_new(path, &opened->file);
	execution_join_script(watch->config.join, opened->fd, opened->pid, label, program);
	label_release(label);
}

/* ---- events ---- */

static void executed(struct file_open_watch *watch, int fd, pid_t pid, const struct file_key *file)
{
	struct executable executable;
	_cleanup_(freep) char *path = NULL;
	struct label *label = NULL;
	const struct open_image *image;

	if (executables_examine(watch->config.executables, fd, file, &executable) < 0)
		executable = (struct executable){.kind = EXECUTABLE_PROGRAM};
	if (descriptor_path(fd, &path) == 0)
		label = label_new(path, file);
	if (!open_images_executed(watch->images, pid, &executable, file, label) ||
	    library_files_told(watch->config.libraries, file) ||
	    ((image = open_images_find(watch->images, pid)) && image->left_out))
		(void)close(fd);
	else
		library_files_take(watch->config.libraries, fd, file,
				   image ? image->program : NULL);
	label_release(label);
}

static bool same_file(const struct file_key *a, const struct file_key *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static void opened_machine_code(struct file_open_watch *watch, const struct opened *opened,
				const struct open_image *image)
{
	if (!library_files_told(watch->config.libraries, &opened->file)) {
		library_files_take(watch->config.libraries, opened->fd, &opened->file,
				   image ? image->program : NULL);
		return;
	}
	(void)file_events_ignore(watch->events, opened->fd);
	(void)close(opened->fd);
}

static void opened_plainly(struct file_open_watch *watch, struct opened *opened)
{
	struct open_image *image = open_images_find(watch->images, opened->pid);
	ssize_t size;

	if (image && image->left_out) {
		(void)close(opened->fd);
		return;
	}
	/* the exec's own open may come as a second event of the same file */
	if (image && same_file(&image->started, &opened->file)) {
		(void)close(opened->fd);
		return;
	}
	if (!watch->config.process_events && image && image->executed &&
	    !same_file(&image->loader, &opened->file))
		execution_join_began(watch->config.join, opened->pid);
	size = pread(opened->fd, opened->bytes, sizeof(opened->bytes), 0);
	opened->size = size > 0 ? (size_t)size : 0;
	switch (file_nature_of(opened->bytes, opened->size, "")) {
	case FILE_EMPTY:
		(void)close(opened->fd);
		break;
	case FILE_EXECUTABLE:
		opened_machine_code(watch, opened, image);
		break;
	case FILE_RELOCATABLE:
		(void)file_events_ignore(watch->events, opened->fd);
		(void)close(opened->fd);
		break;
	default:
		if (image && image->pinned && image->program)
			opened_by_pinned(watch, opened, image->program);
		else
			(void)close(opened->fd);
	}
}

static void on_event(void *context, int fd, pid_t pid, uint64_t mask)
{
	struct file_open_watch *watch = context;
	struct stat status;
	struct opened opened = {.fd = fd, .pid = pid};

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		(void)close(fd);
		return;
	}
	opened.file = file_key_of(&status);
	opened.has_more_names = status.st_nlink > 1;
	if (mask & FAN_OPEN_EXEC)
		executed(watch, fd, pid, &opened.file);
	else
		opened_plainly(watch, &opened);
}

static void before(void *context)
{
	struct file_open_watch *watch = context;

	watch->config.before(watch->config.context);
}

static unsigned int room(void *context)
{
	struct file_open_watch *watch = context;

	return executables_room(watch->config.executables);
}

/* ---- making ---- */

int file_open_watch_new(struct loop *loop, const struct file_open_watch_config *config,
			struct file_open_watch **ret_watch, const char **ret_off)
{
	struct file_open_watch *watch = calloc(1, sizeof(*watch));
	struct file_events_config events = {
		.kind = FILE_EVENTS_OPEN, .deliver = on_event, .room = room, .before = before};
	int result = -ENOMEM;

	*ret_off = "out of memory";
	if (!watch)
		return -ENOMEM;
	watch->config = *config;
	watch->began_ns = (int64_t)clock_realtime_ns();
	events.context = watch;
	result = map_new(&watch->told, TOLD_LIMIT, 1, NULL, NULL);
	if (result == 0)
		result = open_images_new(config->table, config->roster, config->executables,
					 config->process_events, &watch->images);
	if (result == 0)
		result = file_events_new(loop, &events, &watch->events, ret_off);
	if (result < 0) {
		file_open_watch_free(watch);
		return result;
	}
	*ret_watch = watch;
	return 0;
}

void file_open_watch_free(struct file_open_watch *watch)
{
	if (!watch)
		return;
	file_events_free(watch->events);
	open_images_free(watch->images);
	map_free(watch->told);
	free(watch);
}

void file_open_watch_filesystem(struct file_open_watch *watch, int fd)
{
	(void)file_events_watch(watch->events, fd);
}

bool file_open_watch_drain(struct file_open_watch *watch)
{
	return file_events_drain(watch->events);
}

void file_open_watch_resume(struct file_open_watch *watch)
{
	file_events_resume(watch->events);
}

uint64_t file_open_watch_lost(const struct file_open_watch *watch)
{
	return file_events_lost(watch->events);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sweep/image_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "enforce/program_verdict.h"
#include "observe/host/executable.h"
#include "observe/host/named_file.h"
#include "observe/host/process_info.h"
#include "observe/host/process_sweep.h"
#include "process/command_line.h"
#include "process/filesystems.h"
#include "process/process_environment.h"
#include "program/arguments.h"
#include "sweep/hash_helper.h"

/* How long an exec in the middle of being done is waited for. */
#define ARGUMENTS_ATTEMPTS 10
#define ARGUMENTS_PAUSE_NS (2 * NS_PER_MS)

/* Generations of processes that executed nothing. */
#define FORKS_LIMIT 8

#define HASHING_LIMIT	256
#define JUDGED_LIMIT	65536
#define UNCOVERED_LIMIT 256

/* Under the pid: the image that needs no second look. */
struct judged {
	uint64_t started_ns;
	uint64_t image_mark;
	uint64_t device;
	uint64_t inode;
	bool condemned; /* it was ended, and what it forked before is to be */
};

struct check {
	struct check *next;
	struct image_checks *owner;
	struct image_verdict verdict;
	bool is_local; /* reading comes to an end, and asks nobody */
	int place;     /* O_PATH descriptor of the program, or -1 */
	bool hashes_script;
	struct content content;
	struct content script;
	struct command_line *line; /* NULL: not read */
};

struct image_checks {
	struct image_checks_config config;
	struct executables *executables;
	struct hash_helpers *helpers;
	struct filesystems *filesystems;
	int32_t mounts; /* its descriptor */
	struct map *judged;
	struct map *uncovered; /* by device: uint64_t when it was told */
	struct check *first;
	size_t pending;
};

static void note_judged(struct image_checks *checks, const struct process_image *image)
{
	int32_t pid = image->pid;
	struct judged *judged = map_add(checks->judged, &pid, sizeof(pid));

	if (judged)
		*judged = (struct judged){.started_ns = image->started_ns,
					  .image_mark = image->image_mark,
					  .device = image->file.device,
					  .inode = image->file.inode};
}

void image_checks_gone(struct image_checks *checks, pid_t pid)
{
	int32_t key = pid;

	map_remove(checks->judged, &key, sizeof(key));
}

static void note_fate(struct image_checks *checks, pid_t pid, enum image_fate fate)
{
	int32_t key = pid;
	struct judged *judged;

	if (fate == IMAGE_LEFT) {
		image_checks_gone(checks, pid);
		return;
	}
	judged = map_find(checks->judged, &key, sizeof(key));
	if (judged)
		judged->condemned = fate == IMAGE_ENDED;
}

/* Several events can tell of one image: it was ended already, and may not be gone yet. */
static bool is_condemned(struct image_checks *checks, const struct process_image *image)
{
	int32_t pid = image->pid;
	const struct judged *judged = map_find(checks->judged, &pid, sizeof(pid));

	return judged && judged->condemned && judged->started_ns == image->started_ns &&
	       judged->device == image->file.device && judged->inode == image->file.inode;
}

static void free_check(struct check *check)
{
	free(check->line);
	if (check->place >= 0)
		(void)close(check->place);
	if (check->verdict.fd >= 0)
		(void)close(check->verdict.fd);
	free(check);
}

static void finish(struct check *check, enum finding_kind kind)
{
	struct image_checks *checks = check->owner;
	struct check **place = &checks->first;

	while (*place != check)
		place = &(*place)->next;
	*place = check->next;
	checks->pending--;
	check->verdict.kind = kind;
	if (kind != FINDING_NONE && !is_condemned(checks, &check->verdict.image)) {
		if (checks->config.keep_files && check->verdict.fd < 0 && check->place >= 0 &&
		    check->is_local) {
			int fd = regular_file_reopen(check->place);

			check->verdict.fd = fd < 0 ? -1 : fd;
		}
		note_fate(checks, check->verdict.image.pid,
			  checks->config.found(checks->config.context, &check->verdict));
	}
	free_check(check);
}

static void judge(struct check *check)
{
	struct image_checks *checks = check->owner;
	const struct asked_file file = {
		.nature = FILE_EXECUTABLE,
		.hashed = true,
		.content = check->content,
		.path = "",
	};
	enum finding_kind kind;
	const char *path;

	kind = program_verdict_image(checks->config.policy, &file,
				     check->line ? &check->line->arguments : NULL, &check->script);
	path = program_policy_path(checks->config.policy, check->content.program);
	if (kind == FINDING_NONE && check->line && path &&
	    process_environment_brings_code(NULL, check->verdict.image.pid, path))
		kind = FINDING_ENVIRONMENT_CODE;
	finish(check, kind);
}

/* It has ended, or runs another program, which has an event of its own: what could not be read of
 * it any more is held against nobody. */
static bool has_moved_on(const struct check *check)
{
	return !process_image_holds(NULL, &check->verdict.image);
}

/* What is known of the script, or that nothing is. */
static void script_hashed(struct check *check, const uint8_t *sha256)
{
	if (!sha256 && has_moved_on(check)) {
		finish(check, FINDING_NONE);
		return;
	}
	if (sha256)
		check->script = program_policy_find(check->owner->config.policy, sha256);
	judge(check);
}

static void script_executable(void *context, const struct executable *executable)
{
	script_hashed(context, executable->hashed ? executable->sha256 : NULL);
}

static void script_report(void *context, const struct file_report *report)
{
	script_hashed(context, report->result == 0 ? report->sha256 : NULL);
}

static bool is_local(struct filesystems *filesystems, const struct file_facts *file, pid_t pid)
{
	if (filesystems_is_memory(filesystems, file))
		return true;
	return filesystems_has(filesystems, file) &&
	       filesystems_class(filesystems, file, pid) < FILESYSTEM_REMOTE;
}

/* What was hashed before is only remembered where the file's times tell of every change. */
static void distrust_memory(struct image_checks *checks, const struct file_facts *file, pid_t pid)
{
	if (filesystems_is_memory(checks->filesystems, file) ||
	    filesystems_class(checks->filesystems, file, pid) != FILESYSTEM_LOCAL)
		executables_forget(checks->executables, &file->key);
}

/* A way through one mount of the kernel's own, to a file there. Returns an open descriptor or
 * -EXDEV. */
static int open_local_script(struct check *check, const char *name)
{
	_cleanup_(closep) int place = -1;
	pid_t pid = check->verdict.image.pid;
	struct filesystems *filesystems = check->owner->filesystems;
	struct file_facts directory;
	struct file_facts file;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, *name == '/' ? "root" : "cwd");
	if (file_facts_at(AT_FDCWD, path, &directory) < 0 ||
	    !is_local(filesystems, &directory, pid))
		return -EXDEV;
	place = named_file_open(pid, name, true);
	if (place < 0 || file_facts_at(place, "", &file) < 0 ||
	    !is_local(filesystems, &file, pid) ||
	    file.key.size > (int64_t)check->owner->config.file_size_limit)
		return -EXDEV;
	distrust_memory(check->owner, &file, pid);
	return regular_file_reopen(place);
}

static void check_script(struct check *check, const char *name)
{
	const struct hash_task task = {
		.place = -1,
		.pid = check->verdict.image.pid,
		.name = name,
		.size_limit = check->owner->config.file_size_limit,
	};
	int fd = open_local_script(check, name);

	if (fd >= 0)
		executables_hash(check->owner->executables, fd, script_executable, check);
	else if (hash_helpers_start(check->owner->helpers, &task, script_report, check) < 0)
		script_hashed(check, NULL);
}

/* Whose arguments say what it runs. A process that was forked and executed nothing since may call
 * itself what it likes ("(udev-worker)"): what counts is how its parent, which runs the same, was
 * begun. */
static pid_t who_was_begun(const struct check *check)
{
	struct process_image image = check->verdict.image;
	struct process_stat status;

	image.started_ns = 0;
	for (int i = 0; i < FORKS_LIMIT && process_stat_read(image.pid, &status) == 0; i++) {
		pid_t pid = image.pid;

		image.pid = status.parent;
		if (!status.forked || status.parent <= 0 || !process_image_holds(NULL, &image))
			return pid;
	}
	return image.pid;
}

/* A process in the middle of another exec (of the same file, perhaps) has a new image and no
 * arguments yet: they come within moments. */
static int read_arguments(struct check *check)
{
	const struct timespec pause = {.tv_nsec = ARGUMENTS_PAUSE_NS};
	int result = -ENOENT;

	for (int i = 0; i < ARGUMENTS_ATTEMPTS && result < 0 && !has_moved_on(check); i++) {
		if (i)
			(void)nanosleep(&pause, NULL);
		result = command_line_read(check->line, NULL, who_was_begun(check));
	}
	return result;
}

static void check_arguments(struct check *check)
{
	struct image_checks *checks = check->owner;
	const struct program_policy *policy = checks->config.policy;
	const char *script = NULL;

	check->line = calloc(1, sizeof(*check->line));
	if (check->line && read_arguments(check) < 0) {
		free(check->line);
		check->line = NULL;
	}
	if (!check->line && has_moved_on(check)) {
		finish(check, FINDING_NONE);
		return;
	}
	if (check->line)
		script = script_argument(program_policy_path(policy, check->content.program),
					 &check->line->arguments);
	if (script && *script)
		check_script(check, script);
	else
		judge(check);
}

static void program_known(struct check *check, const uint8_t sha256[32])
{
	check->verdict.hashed = true;
	memcpy(check->verdict.sha256, sha256, sizeof(check->verdict.sha256));
	check->content = program_policy_find(check->owner->config.policy, sha256);
	if (check->content.uses & CONTENT_PINNED && check->content.uses & CONTENT_PROGRAM)
		check_arguments(check);
	else
		judge(check);
}

static void program_executable(void *context, const struct executable *executable)
{
	struct check *check = context;

	if (executable->hashed)
		program_known(check, executable->sha256);
	else
		finish(check, FINDING_FILE_UNREADABLE);
}

static void program_report(void *context, const struct file_report *report)
{
	struct check *check = context;

	switch (-report->result) {
	case 0:
		program_known(check, report->sha256);
		break;
	case EFBIG:
		finish(check, FINDING_FILE_TOO_LARGE);
		break;
	case EXDEV:
		finish(check, FINDING_FILESYSTEM_UNTRUSTED);
		break;
	default:
		finish(check, FINDING_FILE_UNREADABLE);
		break;
	}
}

static void hash_by_child(struct check *check)
{
	const struct hash_task task = {
		.place = check->place,
		.size_limit = check->owner->config.file_size_limit,
	};

	if (hash_helpers_start(check->owner->helpers, &task, program_report, check) < 0)
		finish(check, FINDING_FILE_UNREADABLE);
}

static void hash_here(struct check *check, const struct file_facts *file)
{
	struct executables *executables = check->owner->executables;
	const struct process_image *image = &check->verdict.image;
	struct executable executable;
	int fd;

	distrust_memory(check->owner, file, image->pid);
	/* what is remembered needs no descriptor */
	if (executables_knows(executables, &image->file) &&
	    executables_examine(executables, -1, &image->file, &executable) == 0) {
		program_known(check, executable.sha256);
		return;
	}
	if (image->file.size > (int64_t)check->owner->config.file_size_limit) {
		finish(check, FINDING_FILE_TOO_LARGE);
		return;
	}
	if (!executables_room(executables))
		executables_finish(executables);
	fd = regular_file_reopen(check->place);
	if (fd < 0)
		finish(check, FINDING_FILE_UNREADABLE);
	else
		executables_hash(executables, fd, program_executable, check);
}

static void tell_uncovered(struct image_checks *checks, const struct process_image *image)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t *told_ns =
		map_add(checks->uncovered, &image->file.device, sizeof(image->file.device));

	/* every second anew: a device number is given to a new filesystem as soon as it is free */
	if (told_ns && *told_ns && now_ns - *told_ns < NS_PER_S)
		return;
	if (told_ns)
		*told_ns = now_ns;
	checks->config.uncovered(checks->config.context, image->pid, image->file.device);
}

static void begin(struct check *check)
{
	struct image_checks *checks = check->owner;
	const struct process_image *image = &check->verdict.image;
	const struct file_facts file = {.key = image->file, .mount = image->mount};

	if (image->hidden) {
		finish(check, FINDING_FILESYSTEM_UNTRUSTED);
		return;
	}
	(void)filesystems_refresh(checks->filesystems);
	check->is_local = is_local(checks->filesystems, &file, image->pid);
	if (!check->is_local && !filesystems_has(checks->filesystems, &file))
		tell_uncovered(checks, image);
	if (!check->is_local &&
	    filesystems_class(checks->filesystems, &file, image->pid) == FILESYSTEM_USER)
		finish(check, FINDING_FILESYSTEM_UNTRUSTED);
	else if (check->is_local)
		hash_here(check, &file);
	else
		hash_by_child(check);
}

/* Takes the place over. */
static void start(struct image_checks *checks, const struct process_image *image, int place,
		  enum finding_layer layer, uint64_t exec_ns, bool spared)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check) {
		(void)close(place); /* nothing is noted: the next sweep looks again */
		return;
	}
	note_judged(checks, image);
	check->owner = checks;
	check->place = place;
	check->verdict = (struct image_verdict){
		.image = *image, .layer = layer, .exec_ns = exec_ns, .spared = spared, .fd = -1};
	check->next = checks->first;
	checks->first = check;
	checks->pending++;
	begin(check);
}

void image_checks_executed(struct image_checks *checks, pid_t pid, uint64_t exec_ns)
{
	struct process_image image;
	int place;

	if (process_image_look(pid, &image, &place) < 0) {
		image_checks_gone(checks, pid);
		return;
	}
	if (is_condemned(checks, &image)) {
		(void)close(place);
		return;
	}
	start(checks, &image, place, LAYER_CONNECTOR, exec_ns, false);
}

void image_checks_forked(struct image_checks *checks, pid_t parent, pid_t child, uint64_t time_ns)
{
	int32_t key = parent;
	const struct judged *judged = map_find(checks->judged, &key, sizeof(key));
	struct judged inherited;
	struct judged *place;

	if (!judged || judged->condemned) {
		image_checks_executed(checks, child, time_ns);
		return;
	}
	/* its start is its own and not known: sweeps will look at it once */
	inherited = *judged;
	inherited.started_ns = 0;
	key = child;
	place = map_add(checks->judged, &key, sizeof(key));
	if (place)
		*place = inherited;
}

static bool was_judged(struct image_checks *checks, const struct process_image *image)
{
	int32_t pid = image->pid;
	const struct judged *judged = map_find(checks->judged, &pid, sizeof(pid));

	return judged && judged->started_ns == image->started_ns &&
	       judged->image_mark == image->image_mark && judged->device == image->file.device &&
	       judged->inode == image->file.inode;
}

void image_checks_met(struct image_checks *checks, const struct swept_process *process, bool spared)
{
	struct process_image image;
	int place;

	if (process->kernel_thread || process_image_look(process->pid, &image, &place) < 0)
		return;
	if (was_judged(checks, &image))
		(void)close(place);
	else
		start(checks, &image, place, LAYER_SWEEP, 0, spared);
}

size_t image_checks_pending(const struct image_checks *checks)
{
	return checks->pending;
}

int image_checks_new(struct loop *loop, const struct image_checks_config *config,
		     struct image_checks **ret_checks)
{
	struct image_checks *checks = calloc(1, sizeof(*checks));
	int result;

	if (!checks)
		return -ENOMEM;
	checks->config = *config;
	result = executables_new(loop, HASHING_LIMIT, &checks->executables);
	if (result == 0)
		result = hash_helpers_new(loop, &checks->helpers);
	if (result == 0)
		result = filesystems_new(NULL, &checks->mounts, &checks->filesystems);
	if (result == 0)
		result = map_new(&checks->judged, JUDGED_LIMIT, sizeof(struct judged), NULL, NULL);
	if (result == 0)
		result = map_new(&checks->uncovered, UNCOVERED_LIMIT, sizeof(uint64_t), NULL, NULL);
	if (result < 0) {
		image_checks_free(checks);
		return result;
	}
	*ret_checks = checks;
	return 0;
}

/* What is under way ends without a word. */
static enum image_fate nobody(void *context, const struct image_verdict *verdict)
{
	(void)context;
	(void)verdict;
	return IMAGE_SPARED;
}

void image_checks_free(struct image_checks *checks)
{
	if (!checks)
		return;
	checks->config.found = nobody;
	hash_helpers_free(checks->helpers);
	executables_free(checks->executables);
	while (checks->first) {
		struct check *check = checks->first;

		checks->first = check->next;
		free_check(check);
	}
	filesystems_free(checks->filesystems);
	map_free(checks->judged);
	map_free(checks->uncovered);
	free(checks);
}

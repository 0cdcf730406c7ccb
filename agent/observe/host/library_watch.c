/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/library_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "observe/host/file_events.h"
#include "observe/host/process_info.h"

#define FIRST_LOOK_NS	  (20 * NS_PER_MS)
#define SECOND_LOOK_NS	  (1 * NS_PER_S)
#define PENDING_NS	  (100 * NS_PER_MS)
#define LOOKS_LIMIT	  256
#define PENDING_LIMIT	  128
#define DIRECTORIES_LIMIT 1024
#define TAKEN		  64

/* A process to look at. */
struct look {
	pid_t pid;
	uint64_t due_ns;
};

/* A shared object that was opened in a watched directory; not known yet whether it gets mapped. */
struct pending {
	struct pending *next;
	int fd;
	pid_t pid;
	struct file_key file;
	uint64_t opened_ns;
};

/* A library of one process, being hashed. */
struct library {
	struct library_watch *watch;
	struct file_key file;
	struct label *path;
	struct label *program;
	int ignore_fd; /* to be left alone from now on, or -1 */
	bool sure;     /* mapped; else only if the program's closure names it */
	pid_t pid;
};

struct library_watch {
	struct library_watch_config config;
	struct file_events *events; /* NULL: no open notifications here */
	struct map *directories;    /* device and inode */
	struct look looks[LOOKS_LIMIT];
	size_t look_count;
	struct pending *pending;
	struct pending **pending_end;
	size_t pending_count;
	struct {
		pid_t pid;
		struct file_key file;
	} taken[TAKEN]; /* libraries last found in a closure: they name others */
	size_t taken_next;
};

/* ---- delivering ---- */

static void watch_directory(struct library_watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
	_cleanup_(closep) int fd = -1;
	struct stat status;
	uint64_t key[2];

	if (!watch->events || !directory || map_count(watch->directories) >= DIRECTORIES_LIMIT)
		return;
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return;
	key[0] = status.st_dev;
	key[1] = status.st_ino;
	if (!map_find(watch->directories, key, sizeof(key)) &&
	    file_events_watch(watch->events, fd) == 0)
		(void)map_add(watch->directories, key, sizeof(key));
}

static bool in_closure(struct library_watch *watch, const struct library *library)
{
	if (library->program &&
	    executables_need(watch->config.executables, &library->program->file, &library->file))
		return true;
	for (size_t i = 0; i < TAKEN; i++)
		if (watch->taken[i].pid == library->pid &&
		    executables_need(watch->config.executables, &watch->taken[i].file,
				     &library->file))
			return true;
	return false;
}

static void free_library(struct library *library)
{
	closep(&library->ignore_fd);
	label_release(library->path);
	label_release(library->program);
	free(library);
}

static void hashed(void *context, const struct executable *executable)
{
	struct library *library = context;
	struct library_watch *watch = library->watch;
	struct observation observation = {
		.kind = OBSERVATION_LIBRARY,
		.time_ns = clock_realtime_ns(),
		.library = {.path = label_text(library->path),
			    .sha256 = executable->sha256,
			    .program = label_text(library->program)},
	};

	if (!executable->hashed || !library->path ||
	    (!library->sure && !in_closure(watch, library))) {
		free_library(library);
		return;
	}
	watch->taken[watch->taken_next].pid = library->pid;
	watch->taken[watch->taken_next].file = library->file;
	watch->taken_next = (watch->taken_next + 1) % TAKEN;
	if (library->ignore_fd >= 0 && watch->events)
		(void)file_events_ignore(watch->events, library->ignore_fd);
	watch_directory(watch, library->path->text);
	if (!executables_has_note(watch->config.executables, &library->file, EXECUTABLE_MAPPED)) {
		executables_add_note(watch->config.executables, &library->file, EXECUTABLE_MAPPED);
		watch->config.deliver(watch->config.context, &observation);
	}
	free_library(library);
}

static void take(struct library_watch *watch, int fd, pid_t pid, const struct file_key *file,
		 bool sure)
{
	const struct process *process = process_find(watch->config.table, pid);
	struct library *library = calloc(1, sizeof(*library));
	_cleanup_(freep) char *path = NULL;

	if (!library) {
		(void)close(fd);
		return;
	}
	library->watch = watch;
	library->file = *file;
	library->pid = pid;
	library->sure = sure;
	library->ignore_fd = watch->events ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	library->program = label_reference(execution_join_opened(watch->config.join, pid));
	if (!library->program && process)
		library->program = label_reference(process->program);
	if (descriptor_path(fd, &path) == 0)
		library->path = label_new(path, file);
	executables_hash(watch->config.executables, fd, hashed, library);
}

static bool is_elf(struct library_watch *watch, int fd, const struct file_key *file)
{
	struct executable executable;

	return executables_examine(watch->config.executables, fd, file, &executable) == 0 &&
	       (executable.kind == EXECUTABLE_LIBRARY || executable.kind == EXECUTABLE_PROGRAM);
}

static bool is_known(struct library_watch *watch, const struct file_key *file)
{
	return executables_has_note(watch->config.executables, file, EXECUTABLE_MAPPED);
}

static bool left_out(struct library_watch *watch, pid_t pid)
{
	const struct process *process = process_roster_find(watch->config.roster, pid);

	return process && process_roster_left_out(watch->config.roster, process);
}

/* ---- memory maps ---- */

/* Calls back for each file mapped executable. Returns false when the process is gone. */
typedef bool (*mapped_fn)(struct library_watch *watch, pid_t pid, const char *link,
			  const struct stat *status, const struct file_key *wanted);

static bool each_mapped(struct library_watch *watch, pid_t pid, mapped_fn visit,
			const struct file_key *wanted, bool *ret_found)
{
	_cleanup_(fclosep) FILE *stream = NULL;
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0;
	char link[96];

	(void)snprintf(link, sizeof(link), "/proc/%d/maps", (int)pid);
	stream = fopen(link, "re");
	if (!stream)
		return false;
	while (getline(&line, &capacity, stream) > 0) {
		uint64_t start;
		uint64_t end;
		uint64_t inode;
		char mode[5];
		struct stat status;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64, &start, &end, mode,
			   &inode) != 4 ||
		    mode[2] != 'x' || inode == 0)
			continue;
		(void)snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
			       (int)pid, start, end);
		if (stat(link, &status) < 0 || !S_ISREG(status.st_mode))
			continue;
		if (visit(watch, pid, link, &status, wanted)) {
			*ret_found = true;
			return true;
		}
	}
	return true;
}

static bool take_mapped(struct library_watch *watch, pid_t pid, const char *link,
			const struct stat *status, const struct file_key *program)
{
	struct file_key file = file_key_of(status);
	int fd;

	if ((file.device == program->device && file.inode == program->inode) ||
	    is_known(watch, &file))
		return false;
	if (executables_room(watch->config.executables) == 0)
		return true; /* the next sweep finds it */
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NOATIME);
	if (fd < 0)
		fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (is_elf(watch, fd, &file))
		take(watch, fd, pid, &file, true);
	else
		(void)close(fd);
	return false;
}

static bool is_wanted(struct library_watch *watch, pid_t pid, const char *link,
		      const struct stat *status, const struct file_key *wanted)
{
	(void)watch;
	(void)pid;
	(void)link;
	return status->st_dev == wanted->device && status->st_ino == wanted->inode;
}

void library_watch_scan(struct library_watch *watch, pid_t pid)
{
	struct file_key program = {0};
	struct stat status;
	char link[64];
	bool found;

	if (left_out(watch, pid))
		return;
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	if (stat(link, &status) < 0)
		return;
	program = file_key_of(&status);
	(void)each_mapped(watch, pid, take_mapped, &program, &found);
}

void library_watch_sweep(struct library_watch *watch)
{
	struct process *process = NULL;

	/* by pid: looking at one process may add others */
	_cleanup_(freep) pid_t *pids = NULL;
	size_t limit = process_table_count(watch->config.table);
	size_t count = 0;

	pids = calloc(limit ? limit : 1, sizeof(*pids));
	if (!pids)
		return;
	while ((process = process_next(watch->config.table, process)) && count < limit)
		if (!(process->flags & (PROCESS_ENDED | PROCESS_KERNEL)))
			pids[count++] = process->pid;
	for (size_t i = 0; i < count; i++)
		library_watch_scan(watch, pids[i]);
}

/* ---- looks soon after the start of a program ---- */

static void look_later(struct library_watch *watch, pid_t pid, uint64_t due_ns)
{
	/* in a burst only the first are looked at: the sweep sees those that stay */
	if (watch->look_count < LOOKS_LIMIT)
		watch->looks[watch->look_count++] = (struct look){.pid = pid, .due_ns = due_ns};
}

void library_watch_began(struct library_watch *watch, pid_t pid)
{
	uint64_t now_ns = clock_boottime_ns();

	look_later(watch, pid, now_ns + FIRST_LOOK_NS);
	look_later(watch, pid, now_ns + SECOND_LOOK_NS);
}

static void look(struct library_watch *watch, uint64_t now_ns)
{
	size_t kept = 0;
	size_t count = watch->look_count;

	for (size_t i = 0; i < count; i++) {
		struct look at = watch->looks[i];

		if (at.due_ns <= now_ns)
			library_watch_scan(watch, at.pid);
		else
			watch->looks[kept++] = at;
	}
	watch->look_count = kept;
}

/* ---- open notifications ---- */

void library_watch_loader(struct library_watch *watch, int fd, pid_t pid)
{
	struct stat status;
	struct file_key file;

	if (fstat(fd, &status) < 0) {
		(void)close(fd);
		return;
	}
	file = file_key_of(&status);
	if (is_known(watch, &file))
		(void)close(fd);
	else
		take(watch, fd, pid, &file, true);
}

/* Returns whether it was decided; the descriptor is taken then. */
static bool decide(struct library_watch *watch, const struct pending *pending, bool last)
{
	bool found = false;
	bool alive = each_mapped(watch, pending->pid, is_wanted, &pending->file, &found);

	if (found || !alive) {
		take(watch, pending->fd, pending->pid, &pending->file, found);
		return true;
	}
	if (last)
		(void)close(pending->fd); /* only read, by a living process */
	return last;
}

static void opened(void *context, int fd, pid_t pid)
{
	struct library_watch *watch = context;
	struct pending *pending;
	struct file_key file;
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || left_out(watch, pid)) {
		(void)close(fd);
		return;
	}
	file = file_key_of(&status);
	if (is_known(watch, &file) || !is_elf(watch, fd, &file)) {
		(void)file_events_ignore(watch->events, fd);
		(void)close(fd);
		return;
	}
	pending = calloc(1, sizeof(*pending));
	if (!pending) {
		(void)close(fd);
		return;
	}
	*pending = (struct pending){
		.fd = fd, .pid = pid, .file = file, .opened_ns = clock_boottime_ns()};
	if (decide(watch, pending, false)) {
		free(pending);
		return;
	}
	*watch->pending_end = pending;
	watch->pending_end = &pending->next;
	watch->pending_count++;
}

static void look_at_pending(struct library_watch *watch, uint64_t now_ns)
{
	struct pending **place = &watch->pending;

	while (*place) {
		struct pending *pending = *place;

		if (decide(watch, pending, now_ns - pending->opened_ns > PENDING_NS)) {
			*place = pending->next;
			watch->pending_count--;
			free(pending);
		} else {
			place = &pending->next;
		}
	}
	watch->pending_end = place;
}

static unsigned int room(void *context)
{
	struct library_watch *watch = context;
	size_t left =
		watch->pending_count < PENDING_LIMIT ? PENDING_LIMIT - watch->pending_count : 0;
	unsigned int hashes = executables_room(watch->config.executables);

	return hashes < left ? hashes : (unsigned int)left;
}

static void before(void *context)
{
	struct library_watch *watch = context;

	watch->config.before(watch->config.context);
}

void library_watch_drain(struct library_watch *watch)
{
	if (watch->events)
		(void)file_events_drain(watch->events);
}

void library_watch_resume(struct library_watch *watch)
{
	if (watch->events)
		file_events_resume(watch->events);
}

bool library_watch_waits(const struct library_watch *watch)
{
	return watch->look_count || watch->pending_count;
}

void library_watch_tick(struct library_watch *watch, uint64_t now_ns)
{
	look(watch, now_ns);
	look_at_pending(watch, now_ns);
	library_watch_resume(watch);
}

int library_watch_new(struct loop *loop, const struct library_watch_config *config,
		      struct library_watch **ret_watch)
{
	static const char *const usual[] = {"/lib/", "/usr/lib/", "/lib64/", "/usr/lib64/",
					    "/usr/local/lib/"};
	struct library_watch *watch = calloc(1, sizeof(*watch));
	struct file_events_config events = {
		.kind = FILE_EVENTS_OPEN, .deliver = opened, .room = room, .before = before};
	const char *off;

	if (!watch)
		return -ENOMEM;
	watch->config = *config;
	watch->pending_end = &watch->pending;
	events.context = watch;
	if (map_new(&watch->directories, DIRECTORIES_LIMIT, 1, NULL, NULL) < 0) {
		free(watch);
		return -ENOMEM;
	}
	if (file_events_new(loop, &events, &watch->events, &off) == 0)
		for (size_t i = 0; i < array_length(usual); i++)
			watch_directory(watch, usual[i]);
	*ret_watch = watch;
	return 0;
}

void library_watch_free(struct library_watch *watch)
{
	if (!watch)
		return;
	while (watch->pending) {
		struct pending *pending = watch->pending;

		watch->pending = pending->next;
		(void)close(pending->fd);
		free(pending);
	}
	file_events_free(watch->events);
	map_free(watch->directories);
	free(watch);
}

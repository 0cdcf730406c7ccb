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
#include "observe/host/process_info.h"

#define FIRST_LOOK_NS  (20 * NS_PER_MS)
#define SECOND_LOOK_NS (1 * NS_PER_S)
#define LOOKS_LIMIT    256

/* A process to look at. */
struct look {
	pid_t pid;
	uint64_t due_ns;
};

struct library_watch {
	struct library_watch_config config;
	struct look looks[LOOKS_LIMIT];
	size_t look_count;
};

static bool is_elf(struct library_watch *watch, int fd, const struct file_key *file)
{
	struct executable executable;

	return executables_examine(watch->config.executables, fd, file, &executable) == 0 &&
	       (executable.kind == EXECUTABLE_LIBRARY || executable.kind == EXECUTABLE_PROGRAM);
}

static bool left_out(struct library_watch *watch, pid_t pid)
{
	const struct process *process = process_roster_find(watch->config.roster, pid);

	return process && process_roster_left_out(watch->config.roster, process);
}

/* ---- memory maps ---- */

/* Returns whether there is room for more. */
static bool take_mapped(struct library_watch *watch, pid_t pid, const char *link,
			const struct stat *status, const struct file_key *program)
{
	const struct process *process = process_find(watch->config.table, pid);
	struct file_key file = file_key_of(status);
	int fd;

	if ((file.device == program->device && file.inode == program->inode) ||
	    library_files_told(watch->config.libraries, &file))
		return true;
	if (executables_room(watch->config.executables) == 0)
		return false; /* the next sweep finds it */
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NOATIME);
	if (fd < 0)
		fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	if (is_elf(watch, fd, &file))
		library_files_take(watch->config.libraries, fd, &file,
				   process ? process->program : NULL);
	else
		(void)close(fd);
	return true;
}

/* Each file that is mapped executable. */
static void take_all_mapped(struct library_watch *watch, pid_t pid, const struct file_key *program)
{
	_cleanup_(fclosep) FILE *stream = NULL;
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0;
	char link[96];

	(void)snprintf(link, sizeof(link), "/proc/%d/maps", (int)pid);
	stream = fopen(link, "re");
	if (!stream)
		return;
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
		if (!take_mapped(watch, pid, link, &status, program))
			return;
	}
}

void library_watch_scan(struct library_watch *watch, pid_t pid)
{
	struct file_key program = {0};
	struct stat status;
	char link[64];

	if (left_out(watch, pid))
		return;
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	if (stat(link, &status) < 0)
		return;
	program = file_key_of(&status);
	take_all_mapped(watch, pid, &program);
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

/* ---- time ---- */

bool library_watch_waits(const struct library_watch *watch)
{
	return watch->look_count;
}

void library_watch_tick(struct library_watch *watch, uint64_t now_ns)
{
	look(watch, now_ns);
}

int library_watch_new(const struct library_watch_config *config, struct library_watch **ret_watch)
{
	struct library_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->config = *config;
	*ret_watch = watch;
	return 0;
}

void library_watch_free(struct library_watch *watch)
{
	free(watch);
}

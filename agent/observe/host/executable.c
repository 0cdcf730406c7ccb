/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "observe/host/attention.h"
#include "observe/host/mount_table.h"

#define KNOWN_LIMIT 2048
#define ATTEMPTS    3
#define READ_SIZE   (64 * 1024)
#define SLICE_READS 8
#define TURN_NS	    (5 * NS_PER_MS)
#define SIZE_LIMIT  (INT64_C(4) << 30)

/* FAT keeps times to two seconds (fs/fat): within that a second change would look like none. */
#define SETTLED_AFTER_NS (INT64_C(2500) * 1000000)

struct known_file {
	bool hashed; /* and its filesystem's times can be trusted: it need not be read again */
	uint8_t sha256[SHA256_SIZE];
	struct executable_format format;
	unsigned int notes;
};

struct job {
	struct job *next;
	int fd;
	struct file_key key;
	enum executable_kind kind;
	bool has_loader;
	crypto_hash_sha256_state state;
	int64_t offset;
	int attempt;
	executable_fn done;
	void *context;
};

struct executables {
	struct map *known;
	struct job *first;
	struct job **end;
	size_t jobs;
	size_t limit;
	int wake;
	bool awake;
	struct loop_source *source;
	bool yields;
	void (*progress)(void *context);
	void *progress_context;
	unsigned char buffer[READ_SIZE];
};

static struct known_file *find_known(struct executables *executables, const struct file_key *file)
{
	return map_find(executables->known, file, sizeof(*file));
}

static void dispose_known(void *value, void *context)
{
	struct known_file *known = value;

	(void)context;
	executable_format_clear(&known->format);
}

static bool times_can_be_trusted(int fd, const struct file_key *key)
{
	int64_t now_ns = (int64_t)clock_realtime_ns();
	struct statfs filesystem;

	if (fstatfs(fd, &filesystem) < 0 ||
	    filesystem_keeper_of_magic((unsigned long)filesystem.f_type) != FILESYSTEM_KERNEL)
		return false;
	/* times in the future say nothing about when it was */
	return key->changed_ns < now_ns - SETTLED_AFTER_NS;
}

static struct executable describe_known(const struct known_file *known)
{
	struct executable executable = {.kind = known->format.kind,
					.has_loader = known->format.has_loader,
					.hashed = known->hashed};

	memcpy(executable.sha256, known->sha256, SHA256_SIZE);
	return executable;
}

static struct executable describe_job(const struct job *job)
{
	return (struct executable){.kind = job->kind, .has_loader = job->has_loader};
}

/* Finds the file, or takes its format down. NULL with errno set. */
static struct known_file *know(struct executables *executables, int fd, const struct file_key *file)
{
	struct known_file *known = find_known(executables, file);
	struct executable_format format;
	int result;

	if (known)
		return known;
	result = executable_format_of(fd, &format);
	if (result == 0) {
		known = map_add(executables->known, file, sizeof(*file));
		if (known) {
			known->format = format;
			return known;
		}
		executable_format_clear(&format);
		result = -ENOMEM;
	}
	errno = -result;
	return NULL;
}

int executables_examine(struct executables *executables, int fd, const struct file_key *file,
			struct executable *ret_executable)
{
	const struct known_file *known = know(executables, fd, file);

	if (!known)
		return -errno;
	*ret_executable = describe_known(known);
	return 0;
}

static void set_awake(struct executables *executables, bool awake)
{
	if (executables->awake == awake)
		return;
	executables->awake = awake;
	(void)loop_set_events(executables->source, awake ? EPOLLIN : 0);
}

static void free_job(struct job *job)
{
	(void)close(job->fd);
	free(job);
}

static void append(struct executables *executables, struct job *job)
{
	job->next = NULL;
	*executables->end = job;
	executables->end = &job->next;
}

static struct job *take_first(struct executables *executables)
{
	struct job *job = executables->first;

	executables->first = job->next;
	if (!executables->first)
		executables->end = &executables->first;
	return job;
}

/* The job was taken off the queue. */
static void complete(struct executables *executables, struct job *job,
		     struct executable *executable)
{
	executables->jobs--;
	job->done(job->context, executable);
	free_job(job);
}

static void fail(struct executables *executables, struct job *job, const char *why)
{
	struct executable executable = describe_job(job);

	executable.unreadable = why;
	complete(executables, job, &executable);
}

/* Starts, or starts again, from the first byte. */
static const char *begin(struct executables *executables, struct job *job)
{
	const struct known_file *known;
	struct stat status;

	if (fstat(job->fd, &status) < 0)
		return strerrordesc_np(errno);
	if (!S_ISREG(status.st_mode))
		return "not a regular file";
	if (status.st_size > SIZE_LIMIT)
		return "larger than 4 GiB";
	job->key = file_key_of(&status);
	known = know(executables, job->fd, &job->key);
	if (!known)
		return strerrordesc_np(errno);
	job->kind = known->format.kind;
	job->has_loader = known->format.has_loader;
	job->offset = 0;
	(void)crypto_hash_sha256_init(&job->state);
	return NULL;
}

static void remember(struct executables *executables, struct job *job, const uint8_t *sha256)
{
	struct known_file *known;

	if (!times_can_be_trusted(job->fd, &job->key))
		return;
	known = know(executables, job->fd, &job->key);
	if (!known)
		return;
	memcpy(known->sha256, sha256, SHA256_SIZE);
	known->hashed = true;
}

/* All bytes were read. Returns whether the job is over. */
static bool end(struct executables *executables, struct job *job)
{
	struct executable executable;
	struct stat status;
	struct file_key key;
	const char *why;

	if (fstat(job->fd, &status) < 0) {
		fail(executables, job, strerrordesc_np(errno));
		return true;
	}
	key = file_key_of(&status);
	/* losing a name (unlink, rename) changes ctime and not the content: then read once more */
	if (!file_key_equal(&key, &job->key)) {
		why = ++job->attempt < ATTEMPTS ? begin(executables, job)
						: "changed while it was read";
		if (!why)
			return false;
		fail(executables, job, why);
		return true;
	}
	executable = describe_job(job);
	(void)crypto_hash_sha256_final(&job->state, executable.sha256);
	executable.hashed = true;
	remember(executables, job, executable.sha256);
	complete(executables, job, &executable);
	return true;
}

/* Another job may have hashed the same file meanwhile. Returns whether the job is over. */
static bool complete_from_memory(struct executables *executables, struct job *job)
{
	const struct known_file *known = find_known(executables, &job->key);
	struct executable executable;

	if (!known || !known->hashed)
		return false;
	executable = describe_known(known);
	complete(executables, job, &executable);
	return true;
}

/* Whether another job reads the same file: its result will do for this one, too. */
static bool is_being_read(const struct executables *executables, const struct job *job)
{
	for (const struct job *other = executables->first; other; other = other->next)
		if (other->offset > 0 && file_key_equal(&other->key, &job->key))
			return true;
	return false;
}

/* Reads a slice. Returns whether the job is over. */
static bool advance(struct executables *executables, struct job *job)
{
	if (job->offset == 0 && complete_from_memory(executables, job))
		return true;
	if (job->offset == 0 && is_being_read(executables, job))
		return false;
	for (int i = 0; i < SLICE_READS; i++) {
		ssize_t got = pread(job->fd, executables->buffer, READ_SIZE, job->offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fail(executables, job, strerrordesc_np(errno));
			return true;
		}
		if (got == 0)
			return end(executables, job);
		(void)crypto_hash_sha256_update(&job->state, executables->buffer, (size_t)got);
		job->offset += got;
		if (job->offset > SIZE_LIMIT) {
			fail(executables, job, "larger than 4 GiB");
			return true;
		}
		if ((size_t)got < READ_SIZE)
			i = SLICE_READS - 2; /* most likely the end: see it in this slice */
	}
	return false;
}

static void one_slice(struct executables *executables)
{
	struct job *job = take_first(executables);

	if (!advance(executables, job))
		append(executables, job);
}

static void turn(void *context, int fd, uint32_t ready)
{
	struct executables *executables = context;
	uint64_t until_ns = clock_monotonic_ns() + TURN_NS;

	(void)fd;
	(void)ready;
	if (executables->yields)
		attention_lower();
	while (executables->first && clock_monotonic_ns() < until_ns)
		one_slice(executables);
	if (executables->yields)
		attention_raise();
	set_awake(executables, executables->first);
	if (executables->progress)
		executables->progress(executables->progress_context);
}

void executables_finish(struct executables *executables)
{
	while (executables->first)
		one_slice(executables);
	set_awake(executables, false);
}

void executables_hash(struct executables *executables, int fd, executable_fn done, void *context)
{
	struct executable executable = {.unreadable = "out of memory"};
	struct job *job;
	const char *why;

	job = calloc(1, sizeof(*job));
	if (!job) {
		(void)close(fd);
		done(context, &executable);
		return;
	}
	job->fd = fd;
	job->done = done;
	job->context = context;
	executables->jobs++;
	why = begin(executables, job);
	if (why) {
		fail(executables, job, why);
		return;
	}
	if (complete_from_memory(executables, job))
		return;
	append(executables, job);
	set_awake(executables, true);
}

unsigned int executables_room(const struct executables *executables)
{
	return executables->jobs < executables->limit
		       ? (unsigned int)(executables->limit - executables->jobs)
		       : 0;
}

void executables_yield(struct executables *executables, bool yield)
{
	executables->yields = yield;
}

void executables_on_progress(struct executables *executables, void (*progress)(void *context),
			     void *context)
{
	executables->progress = progress;
	executables->progress_context = context;
}

bool executables_knows(struct executables *executables, const struct file_key *file)
{
	const struct known_file *known = find_known(executables, file);

	return known && known->hashed;
}

void executables_forget(struct executables *executables, const struct file_key *file)
{
	map_remove(executables->known, file, sizeof(*file));
}

bool executables_has_note(struct executables *executables, const struct file_key *file,
			  enum executable_note note)
{
	const struct known_file *known = find_known(executables, file);

	if (!known || !(known->notes & note))
		return false;
	/* what may have changed unseen has to be told again */
	return known->hashed || note != EXECUTABLE_MAPPED;
}

void executables_add_note(struct executables *executables, const struct file_key *file,
			  enum executable_note note)
{
	struct known_file *known = find_known(executables, file);

	if (known)
		known->notes |= note;
}

int executables_new(struct loop *loop, size_t limit, struct executables **ret_executables)
{
	struct executables *executables = calloc(1, sizeof(*executables));
	int result = -ENOMEM;

	if (!executables)
		return -ENOMEM;
	executables->limit = limit;
	executables->end = &executables->first;
	/* always readable: the loop comes back for as long as it is watched */
	executables->wake = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (executables->wake < 0) {
		result = -errno;
		goto fail;
	}
	result = map_new(&executables->known, KNOWN_LIMIT, sizeof(struct known_file), dispose_known,
			 NULL);
	if (result < 0)
		goto fail;
	result = loop_add_fd(loop, executables->wake, 0, turn, executables, &executables->source);
	if (result < 0)
		goto fail;
	*ret_executables = executables;
	return 0;
fail:
	executables_free(executables);
	return result;
}

void executables_free(struct executables *executables)
{
	if (!executables)
		return;
	while (executables->first)
		fail(executables, take_first(executables), "given up");
	loop_remove(executables->source);
	if (executables->wake >= 0)
		(void)close(executables->wake);
	map_free(executables->known);
	free(executables);
}

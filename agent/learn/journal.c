/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "learn/journal_format.h"

/* Far above what full tables take (state.c), and small enough to be read at once. */
#define JOURNAL_SIZE_LIMIT (512u * 1024 * 1024)

/* Not worth writing anew below this. */
#define COMPACTION_FLOOR UINT64_C(1048576)

struct journal {
	char *path;
	int fd;
	uint64_t size;	   /* everything up to here is whole */
	uint64_t sequence; /* of the next batch */
	uint64_t dropped;
	uint64_t compact_at; /* not before the file has grown to this */
};

static int pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const unsigned char *at = bytes;

	while (size > 0) {
		ssize_t written = pwrite(fd, at, size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		offset += (uint64_t)written;
		size -= (size_t)written;
	}
	return 0;
}

static int sync_directory(const char *path)
{
	_cleanup_(freep) char *copy = strdup(path);
	_cleanup_(closep) int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int write_header(int fd)
{
	struct journal_header header = journal_header_make();

	header.pid = (int32_t)getpid();
	return pwrite_all(fd, &header, sizeof(header), 0);
}

static int busy(const char *path, int fd, struct error *error)
{
	struct journal_header header = {0};

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		header.pid = 0;
	if (header.pid > 0)
		return error_set(error, EBUSY,
				 "%s: in use by process %d, which is learning; end it first, or "
				 "name another journal",
				 path, header.pid);
	return error_set(error, EBUSY, "%s: in use by another process", path);
}

/* The file under path, locked. It may be renamed over between opening and locking: then again. */
static int open_locked(const char *path, int *ret_fd, struct error *error)
{
	for (int attempt = 0; attempt < 16; attempt++) {
		_cleanup_(closep) int fd = -1;
		struct stat ours, named;

		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (fd < 0)
			return error_set(error, errno, "%s: cannot open the journal: %s", path,
					 strerror(errno));
		if (fstat(fd, &ours) < 0)
			return error_set(error, errno, "%s: %s", path, strerror(errno));
		if (!S_ISREG(ours.st_mode))
			return error_set(error, EINVAL, "%s: not a regular file", path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? busy(path, fd, error)
						    : error_set(error, errno, "%s: cannot lock: %s",
								path, strerror(errno));
		if (stat(path, &named) == 0 && named.st_ino == ours.st_ino &&
		    named.st_dev == ours.st_dev) {
			*ret_fd = take_fd(&fd);
			return 0;
		}
	}
	return error_set(error, EBUSY, "%s: is being replaced all the time", path);
}

/* Where the next sequence number stands is in the last batch; replay has checked them all. */
static uint64_t count_batches(const unsigned char *bytes, size_t good)
{
	uint64_t count = 0;

	for (size_t at = sizeof(struct journal_header); at < good; count++) {
		struct batch_header batch;

		memcpy(&batch, bytes + at, sizeof(batch));
		at += sizeof(batch) + batch.size;
	}
	return count;
}

static int load(struct journal *journal, bool resume, struct state *state, struct error *error)
{
	_cleanup_(freep) char *bytes = NULL;
	size_t size, good;
	int result = file_read(journal->path, JOURNAL_SIZE_LIMIT, &bytes, &size, error);

	if (result < 0)
		return result;
	if (size > sizeof(struct journal_header) && !resume)
		return error_set(error, EEXIST,
				 "%s: holds what an earlier run has learnt; go on from it with "
				 "--resume, or remove it",
				 journal->path);
	result = journal_replay(journal->path, bytes, size, state, &good, error);
	if (result < 0)
		return result;
	journal->dropped = size - good;
	journal->size = good;
	journal->sequence = count_batches((unsigned char *)bytes, good);
	return 0;
}

/* Cuts off what was not whole and makes sure of the header. */
static int prepare(struct journal *journal, struct error *error)
{
	int result = 0;

	if (ftruncate(journal->fd, (off_t)journal->size) < 0)
		result = -errno;
	if (result == 0)
		result = write_header(journal->fd);
	if (result == 0 && journal->size < sizeof(struct journal_header))
		journal->size = sizeof(struct journal_header);
	if (result == 0 && fsync(journal->fd) < 0)
		result = -errno;
	if (result == 0)
		result = sync_directory(journal->path);
	if (result < 0)
		return error_set(error, -result, "%s: cannot write the journal: %s", journal->path,
				 strerror(-result));
	return 0;
}

int journal_open(const char *path, bool resume, struct state *state, struct journal **ret_journal,
		 struct error *error)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int result = -ENOMEM;

	if (!journal)
		return error_set(error, ENOMEM, "out of memory");
	journal->fd = -1;
	journal->path = strdup(path);
	if (!journal->path) {
		journal_close(journal);
		return error_set(error, ENOMEM, "out of memory");
	}
	result = open_locked(path, &journal->fd, error);
	if (result == 0)
		result = load(journal, resume, state, error);
	if (result == 0)
		result = prepare(journal, error);
	if (result < 0) {
		journal_close(journal);
		return result;
	}
	*ret_journal = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	closep(&journal->fd);
	free(journal->path);
	free(journal);
}

uint64_t journal_dropped(const struct journal *journal)
{
	return journal->dropped;
}

struct output {
	int fd;
	uint64_t offset;
};

static int append(void *context, const void *bytes, size_t size)
{
	struct output *output = context;
	int result = pwrite_all(output->fd, bytes, size, output->offset);

	if (result == 0)
		output->offset += size;
	return result;
}

/* Writes entries as one commit from output's offset on. */
static int write_commit(struct output *output, const struct state *state, bool changed_only,
			uint64_t sequence, uint64_t *ret_sequence)
{
	struct batch_writer writer;
	int result = batch_writer_start(&writer, sequence, append, output);

	if (result == 0)
		result = state_each(state, changed_only, batch_writer_entry, &writer);
	if (result == 0)
		result = batch_writer_finish(&writer);
	if (result == 0)
		*ret_sequence = writer.sequence;
	batch_writer_free(&writer);
	return result;
}

/* Everything anew in a file beside, locked before it takes the name. */
static int compact(struct journal *journal, const struct state *state)
{
	_cleanup_(freep) char *beside = NULL;
	_cleanup_(closep) int fd = -1;
	struct output output = {.offset = sizeof(struct journal_header)};
	uint64_t sequence = 0;
	int result;

	if (asprintf(&beside, "%s.new", journal->path) < 0) {
		beside = NULL;
		return -ENOMEM;
	}
	(void)unlink(beside);
	fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	output.fd = fd;
	result = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : write_header(fd);
	if (result == 0)
		result = write_commit(&output, state, false, 0, &sequence);
	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	if (result == 0 && rename(beside, journal->path) < 0)
		result = -errno;
	if (result < 0) {
		(void)unlink(beside);
		return result;
	}
	closep(&journal->fd);
	journal->fd = take_fd(&fd);
	journal->size = output.offset;
	journal->sequence = sequence;
	return sync_directory(journal->path);
}

static uint64_t compaction_size(const struct state *state)
{
	uint64_t live = 4 * state_bytes(state);

	return live > COMPACTION_FLOOR ? live : COMPACTION_FLOOR;
}

static int append_changes(struct journal *journal, const struct state *state)
{
	struct output output = {.fd = journal->fd, .offset = journal->size};
	uint64_t sequence = 0;
	int result = write_commit(&output, state, true, journal->sequence, &sequence);

	if (result == 0 && fdatasync(journal->fd) < 0)
		result = -errno;
	if (result < 0) {
		/* If even this fails the next commit overwrites the same place. */
		if (ftruncate(journal->fd, (off_t)journal->size) < 0)
			return result;
		return result;
	}
	journal->size = output.offset;
	journal->sequence = sequence;
	return 0;
}

int journal_commit(struct journal *journal, struct state *state, struct error *error)
{
	uint64_t compact_at = compaction_size(state);
	int result = -EAGAIN;

	if (!state_has_changes(state))
		return 0;
	if (journal->compact_at > compact_at)
		compact_at = journal->compact_at;
	if (journal->size > compact_at) {
		result = compact(journal, state);
		/* Without room for a second file the first grows on, and this is tried less often.
		 */
		journal->compact_at = result < 0 ? journal->size + journal->size / 2 : 0;
	}
	if (result < 0)
		result = append_changes(journal, state);
	if (result < 0)
		return error_set(error, -result,
				 "%s: cannot write the journal: %s; what was written before is "
				 "kept, learning goes on in memory and writing is tried again",
				 journal->path, strerror(-result));
	state_settle(state);
	return 0;
}

int journal_discard(struct journal *journal, struct error *error)
{
	int result = 0;

	if (unlink(journal->path) < 0 && errno != ENOENT)
		result = error_set(error, errno, "%s: cannot remove the journal: %s", journal->path,
				   strerror(errno));
	journal_close(journal);
	return result;
}

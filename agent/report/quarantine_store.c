/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/quarantine_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "report/event_line.h"
#include "report/quarantine.h"

#define INCOMING  ".incoming" /* what is being written */
#define NAME_SIZE (2 * crypto_hash_sha256_BYTES + sizeof(".json"))

int quarantine_store_open(struct quarantine_store *store, int directory)
{
	int listed = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;

	if (!stream) {
		int code = errno;

		closep(&listed);
		return -code;
	}
	store->directory = directory;
	(void)unlinkat(directory, INCOMING, 0);
	while ((entry = readdir(stream))) {
		struct stat status;

		if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		store->total += (uint64_t)status.st_size;
		store->count++;
	}
	(void)closedir(stream);
	return 0;
}

static bool is_kept(const struct quarantine_store *store, const uint8_t *sha256)
{
	char name[NAME_SIZE];

	hex_encode(sha256, crypto_hash_sha256_BYTES, name);
	return faccessat(store->directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reads by position: the descriptor shares its place in the file with others. Returns the bytes
 * copied, or negative errno: -EFBIG beyond the limit. */
static int64_t copy(int from, int to, uint64_t limit, uint8_t ret_sha256[crypto_hash_sha256_BYTES])
{
	crypto_hash_sha256_state state;
	uint8_t buffer[65536];
	uint64_t size = 0;

	(void)crypto_hash_sha256_init(&state);
	for (;;) {
		ssize_t got = pread(from, buffer, sizeof(buffer), (off_t)size);
		int result;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		size += (uint64_t)got;
		if (size > limit)
			return -EFBIG;
		(void)crypto_hash_sha256_update(&state, buffer, (unsigned long long)got);
		result = write_all(to, buffer, (size_t)got);
		if (result < 0)
			return result;
	}
	(void)crypto_hash_sha256_final(&state, ret_sha256);
	return (int64_t)size;
}

static int open_incoming(const struct quarantine_store *store)
{
	int fd;

	(void)unlinkat(store->directory, INCOMING, 0);
	fd = openat(store->directory, INCOMING,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	return fd < 0 ? -errno : fd;
}

static int finish(const struct quarantine_store *store, int fd, const char *name)
{
	if (fsync(fd) < 0 || renameat(store->directory, INCOMING, store->directory, name) < 0)
		return -errno;
	return 0;
}

/* The event beside the file. Returns its size or negative errno. */
static int64_t describe(const struct quarantine_store *store, uint64_t event_id,
			const struct finding *finding, const char *name)
{
	json_t *event = event_of_finding(event_id, finding);
	_cleanup_(freep) char *line = event_line(event);
	_cleanup_(closep) int fd = line ? open_incoming(store) : -ENOMEM;
	int result = fd;

	json_decref(event);
	if (fd >= 0)
		result = write_all(fd, line, strlen(line));
	if (result == 0)
		result = write_all(fd, "\n", 1);
	if (result == 0)
		result = finish(store, fd, name);
	return result < 0 ? result : (int64_t)strlen(line) + 1;
}

static enum quarantine_result keep(struct quarantine_store *store, uint64_t event_id,
				   struct finding *finding, int fd)
{
	uint64_t left = store->total_limit - store->total;
	uint64_t limit = left < store->file_limit ? left : store->file_limit;
	_cleanup_(closep) int incoming = open_incoming(store);
	char name[NAME_SIZE];
	int64_t described;
	int64_t size;

	if (incoming < 0)
		return QUARANTINE_FAILED;
	size = copy(fd, incoming, limit, finding->sha256);
	if (size < 0)
		return size == -EFBIG ? QUARANTINE_REFUSED : QUARANTINE_FAILED;
	/* the file may have changed since it was judged: what was copied counts */
	finding->hashed = 1;
	finding->size = (uint64_t)size;
	if (is_kept(store, finding->sha256))
		return QUARANTINE_KNOWN;
	hex_encode(finding->sha256, sizeof(finding->sha256), name);
	if (finish(store, incoming, name) < 0)
		return QUARANTINE_FAILED;
	store->total += (uint64_t)size;
	store->count++;
	(void)strcat(name, ".json");
	described = describe(store, event_id, finding, name);
	if (described < 0)
		return QUARANTINE_FAILED;
	store->total += (uint64_t)described;
	store->count++;
	return QUARANTINE_KEPT;
}

enum quarantine_result quarantine_store_keep(struct quarantine_store *store, uint64_t event_id,
					     const struct finding *finding, int fd)
{
	struct finding found = *finding;
	enum quarantine_result result;
	struct stat status;

	if (fstat(fd, &status) < 0)
		return QUARANTINE_FAILED;
	if (finding->hashed && is_kept(store, finding->sha256))
		return QUARANTINE_KNOWN;
	if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size > store->file_limit ||
	    store->total >= store->total_limit || store->count + 2 > QUARANTINE_COUNT_LIMIT)
		return QUARANTINE_REFUSED;
	result = keep(store, event_id, &found, fd);
	(void)unlinkat(store->directory, INCOMING, 0);
	return result;
}

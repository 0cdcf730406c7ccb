/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/file_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

#define ATTEMPTS 4

/* Two changes within one tick of the kernel's clock bear one time (10 ms at CONFIG_HZ=100; whole
 * seconds where the filesystem stores no more). */
#define SETTLED_AFTER_NS	(100 * (int64_t)NS_PER_MS)
#define SETTLED_AFTER_COARSE_NS (3 * (int64_t)NS_PER_S)

/* A lease for reading is given only while nobody has the file open for writing (fcntl(2)). */
bool file_hold(int fd)
{
	return fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
}

void file_release(int fd)
{
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
}

bool file_has_no_writers(int fd)
{
	if (file_hold(fd)) {
		file_release(fd);
		return true;
	}
	/* filesystems without leases: the times have to do */
	return errno != EAGAIN && errno != EWOULDBLOCK;
}

static bool changed_long_ago(const struct file_key *key)
{
	int64_t now_ns = (int64_t)clock_realtime_ns();
	bool coarse = key->changed_ns % (int64_t)NS_PER_S == 0;

	/* a time in the future says nothing about when it was */
	return key->changed_ns < now_ns - (coarse ? SETTLED_AFTER_COARSE_NS : SETTLED_AFTER_NS);
}

static int key_now(int fd, struct file_key *ret_key)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	*ret_key = file_key_of(&status);
	return 0;
}

static enum file_hash_step begin(struct file_hash *hash, int fd)
{
	if (key_now(fd, &hash->key) < 0)
		return FILE_HASH_UNREADABLE;
	hash->settled = changed_long_ago(&hash->key) && file_has_no_writers(fd);
	hash->offset = 0;
	(void)crypto_hash_sha256_init(&hash->state);
	hash->begun = 1;
	return FILE_HASH_MORE;
}

static enum file_hash_step end(struct file_hash *hash, int fd, uint8_t ret_sha256[32],
			       bool *ret_settled)
{
	/* the state stays as it is: whoever takes over may have to end it once more */
	crypto_hash_sha256_state last = hash->state;
	struct file_key key;

	if (key_now(fd, &key) < 0)
		return FILE_HASH_UNREADABLE;
	if (!file_key_equal(&key, &hash->key)) {
		hash->begun = 0;
		return ++hash->attempt < ATTEMPTS ? FILE_HASH_MORE : FILE_HASH_UNREADABLE;
	}
	(void)crypto_hash_sha256_final(&last, ret_sha256);
	*ret_settled = hash->settled && file_has_no_writers(fd);
	return FILE_HASH_DONE;
}

static ssize_t read_slice(int fd, void *buffer, size_t size, uint64_t offset, bool wait)
{
	struct iovec vector = {.iov_base = buffer, .iov_len = size};
	ssize_t got;

	do {
		got = wait ? pread(fd, buffer, size, (off_t)offset)
			   : preadv2(fd, &vector, 1, (off_t)offset, RWF_NOWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && !wait && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
		return read_slice(fd, buffer, size, offset, true);
	return got;
}

enum file_hash_step file_hash_advance(struct file_hash *hash, int fd, void *buffer, bool wait,
				      uint8_t ret_sha256[32], bool *ret_settled)
{
	uint64_t left;
	size_t size;
	ssize_t got;

	if (!hash->begun && begin(hash, fd) != FILE_HASH_MORE)
		return FILE_HASH_UNREADABLE;
	left = (uint64_t)hash->key.size - hash->offset;
	size = left < FILE_HASH_SLICE ? (size_t)left : FILE_HASH_SLICE;
	if (size) {
		got = read_slice(fd, buffer, size, hash->offset, wait);
		if (got < 0 && errno == EAGAIN && !wait) {
			(void)posix_fadvise(fd, (off_t)hash->offset, (off_t)size,
					    POSIX_FADV_WILLNEED);
			return FILE_HASH_WAITS;
		}
		if (got < 0)
			return FILE_HASH_UNREADABLE;
		(void)crypto_hash_sha256_update(&hash->state, buffer, (size_t)got);
		hash->offset += (uint64_t)got;
		/* shorter than it was: the key tells that it changed */
		if (got > 0 && hash->offset < (uint64_t)hash->key.size)
			return FILE_HASH_MORE;
	}
	return end(hash, fd, ret_sha256, ret_settled);
}

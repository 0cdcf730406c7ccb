/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/file_sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int descriptor_sha256(int fd, uint64_t limit, uint8_t ret_sha256[32])
{
	crypto_hash_sha256_state state;
	uint8_t bytes[64 * 1024];
	uint64_t offset = 0;

	(void)crypto_hash_sha256_init(&state);
	for (;;) {
		ssize_t size = pread(fd, bytes, sizeof(bytes), (off_t)offset);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -errno;
		if (size == 0)
			break;
		(void)crypto_hash_sha256_update(&state, bytes, (unsigned long long)size);
		offset += (uint64_t)size;
		if (offset > limit)
			return -EFBIG;
	}
	(void)crypto_hash_sha256_final(&state, ret_sha256);
	return 0;
}

int file_sha256(const char *path, uint64_t limit, uint8_t ret_sha256[32])
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EISDIR;
	if ((uint64_t)status.st_size > limit)
		return -EFBIG;
	return descriptor_sha256(fd, limit, ret_sha256);
}

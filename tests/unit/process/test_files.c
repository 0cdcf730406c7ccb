/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/file_hash.h"
#include "process/filesystems.h"

static uint8_t buffer[FILE_HASH_SLICE];

static int file_of(const void *bytes, size_t size)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fflush(file), 0);
	fd = dup(fileno(file));
	(void)fclose(file);
	return fd;
}

static enum file_hash_step finish(struct file_hash *hash, int fd, uint8_t sha256[32])
{
	enum file_hash_step step;
	bool settled;

	while ((step = file_hash_advance(hash, fd, buffer, true, sha256, &settled)) ==
	       FILE_HASH_MORE)
		;
	return step;
}

/* The state is plain memory: another process may go on with a copy. */
static void hashes_in_slices(void **state)
{
	const size_t size = 3 * FILE_HASH_SLICE + 5;
	uint8_t *bytes = malloc(size);
	struct file_hash hash = {0};
	struct file_hash copy;
	uint8_t expected[32];
	uint8_t sha256[32];
	bool settled;
	int fd;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7);
	(void)crypto_hash_sha256(expected, bytes, size);
	fd = file_of(bytes, size);
	assert_int_equal(file_hash_advance(&hash, fd, buffer, true, sha256, &settled),
			 FILE_HASH_MORE);
	copy = hash;
	assert_int_equal(finish(&hash, fd, sha256), FILE_HASH_DONE);
	assert_memory_equal(sha256, expected, 32);
	memset(sha256, 0, sizeof(sha256));
	assert_int_equal(finish(&copy, fd, sha256), FILE_HASH_DONE);
	assert_memory_equal(sha256, expected, 32);
	(void)close(fd);
	free(bytes);
}

/* What changes while it is read is read again, and is never the one content nor
 * the other's mix. */
static void starts_again(void **state)
{
	const size_t size = 2 * FILE_HASH_SLICE;
	uint8_t *bytes = calloc(1, size);
	struct file_hash hash = {0};
	uint8_t expected[32];
	uint8_t sha256[32];
	bool settled;
	int fd;

	(void)state;
	assert_non_null(bytes);
	fd = file_of(bytes, size);
	assert_int_equal(file_hash_advance(&hash, fd, buffer, true, sha256, &settled),
			 FILE_HASH_MORE);
	(void)usleep(20000);
	bytes[0] = 1;
	assert_int_equal(pwrite(fd, bytes, 1, 0), 1);
	(void)crypto_hash_sha256(expected, bytes, size);
	assert_int_equal(finish(&hash, fd, sha256), FILE_HASH_DONE);
	assert_memory_equal(sha256, expected, 32);
	assert_int_equal(hash.attempt, 1);
	(void)close(fd);
	free(bytes);
}

static void unreadable(void **state)
{
	struct file_hash hash = {0};
	uint8_t sha256[32];

	(void)state;
	assert_int_equal(finish(&hash, -1, sha256), FILE_HASH_UNREADABLE);
}

static void classes(void **state)
{
	(void)state;
	assert_int_equal(filesystem_class_of("ext4"), FILESYSTEM_LOCAL);
	assert_int_equal(filesystem_class_of("tmpfs"), FILESYSTEM_MEMORY);
	assert_int_equal(filesystem_class_of("vfat"), FILESYSTEM_COARSE);
	assert_int_equal(filesystem_class_of("nfs4"), FILESYSTEM_REMOTE);
	assert_int_equal(filesystem_class_of("fuse.sshfs"), FILESYSTEM_USER);
	assert_int_equal(filesystem_class_of("fuseblk"), FILESYSTEM_USER);
}

static void places(void **state)
{
	struct filesystems *filesystems;
	struct transient transient = {0};
	struct file_facts facts;
	int32_t mounts = 0;
	int memory = memfd_create("x", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(filesystems_new(&transient, &mounts, &filesystems), 0);
	assert_true(mounts > 0);
	assert_int_equal(file_facts_at(AT_FDCWD, "/proc/self/stat", &facts), 0);
	assert_true(filesystems_has(filesystems, &facts));
	assert_false(filesystems_is_memory(filesystems, &facts));
	/* mounted nowhere: nothing is remembered of it */
	assert_int_equal(file_facts_at(memory, "", &facts), 0);
	assert_false(filesystems_has(filesystems, &facts));
	assert_true(filesystems_is_memory(filesystems, &facts));
	assert_int_equal(filesystems_class(filesystems, &facts, getpid()), FILESYSTEM_REMOTE);
	filesystems_free(filesystems);
	assert_int_equal(mounts, 0);
	assert_int_equal(transient.fds[0], 0);
	(void)close(memory);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(hashes_in_slices), cmocka_unit_test(starts_again),
		cmocka_unit_test(unreadable),	    cmocka_unit_test(classes),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests_name("files", all, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profiles/key_file.h"

#define ENDING ".pub"

struct verifying_key {
	uint8_t bytes[KEY_SIZE];
	char id[KEY_ID_SIZE];
	char *path;
	dev_t device;
	ino_t inode;
};

struct verifying_keys {
	struct verifying_key *items;
	size_t count;
	size_t capacity;
};

void verifying_keys_free(struct verifying_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		free(keys->items[i].path);
	free(keys->items);
	free(keys);
}

static void keys_freep(struct verifying_keys **keys)
{
	verifying_keys_free(*keys);
}

static void closedirp(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* Who can write here decides whom this machine trusts. */
static int refuse_open_to_others(const char *path, const struct stat *status, struct error *error)
{
	if (status->st_mode & (S_IWGRP | S_IWOTH))
		return error_set(error, EPERM,
				 "%s: others than its owner may write there, and so choose who is "
				 "trusted (mode %04o): chmod go-w",
				 path, status->st_mode & 07777);
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return error_set(error, EPERM,
				 "%s: belongs to user %u, who so chooses who is trusted: chown it",
				 path, status->st_uid);
	return 0;
}

static int read_key(const char *path, int fd, struct verifying_key *ret_key, struct error *error)
{
	char text[KEY_FILE_SIZE];
	char id[KEY_ID_SIZE];
	ssize_t size;
	int result;

	/* a regular file of this size comes whole; what does not is refused as too short */
	do
		size = read(fd, text, sizeof(text));
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	result = key_file_parse(path, text, (size_t)size, KEY_PUBLIC, ret_key->id, ret_key->bytes,
				error);
	if (result < 0)
		return result;
	key_id_format(ret_key->bytes, id);
	if (strcmp(id, ret_key->id) != 0)
		return error_set(error, EBADMSG,
				 "%s: the key is not the one of line 1 (its id is %s): the file is "
				 "damaged",
				 path, id);
	return 0;
}

/* Takes the key into the set, unless that very file is there already. */
static int add_key(struct verifying_keys *keys, const char *path, struct verifying_key *key,
		   struct error *error)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct verifying_key *other = &keys->items[i];

		if (other->device == key->device && other->inode == key->inode)
			return 0;
		if (memcmp(other->bytes, key->bytes, KEY_SIZE) == 0)
			return error_set(error, EEXIST,
					 "%s: holds the same key as %s: remove one, or else "
					 "removing the other would not end the trust in it",
					 path, other->path);
	}
	key->path = strdup(path);
	if (!key->path ||
	    array_reserve(&keys->items, &keys->capacity, keys->count, sizeof(*keys->items)) < 0) {
		free(key->path);
		return error_set(error, ENOMEM, "%s: out of memory", path);
	}
	keys->items[keys->count++] = *key;
	return 0;
}

static int load_file(struct verifying_keys *keys, const char *path, int fd,
		     const struct stat *status, struct error *error)
{
	struct verifying_key key = {.device = status->st_dev, .inode = status->st_ino};
	int result;

	if (!S_ISREG(status->st_mode))
		return error_set(error, EBADMSG, "%s: is not a regular file", path);
	result = refuse_open_to_others(path, status, error);
	if (result == 0)
		result = read_key(path, fd, &key, error);
	return result < 0 ? result : add_key(keys, path, &key, error);
}

static int open_place(const char *path, struct stat *ret_status, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, ret_status) == 0)
		return fd;
	(void)close(fd);
	return error_set(error, errno, "%s: %s", path, strerror(errno));
}

static bool is_key_name(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(ENDING) &&
	       strcmp(name + length - strlen(ENDING), ENDING) == 0;
}

/* Takes the descriptor. */
static int load_directory(struct verifying_keys *keys, const char *path, int fd,
			  struct error *error)
{
	_cleanup_(closedirp) DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	size_t before = keys->count;

	if (!directory) {
		int code = errno;

		(void)close(fd);
		return error_set(error, code, "%s: %s", path, strerror(code));
	}
	while ((errno = 0, entry = readdir(directory))) {
		_cleanup_(closep) int file = -1;
		char name[PATH_MAX];
		struct stat status;
		int result;

		if (!is_key_name(entry->d_name))
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >= PATH_MAX)
			return error_set(error, ENAMETOOLONG, "%s: path too long", path);
		file = open_place(name, &status, error);
		result = file < 0 ? file : load_file(keys, name, file, &status, error);
		if (result < 0)
			return result;
	}
	if (errno)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (keys->count == before)
		return error_set(error, ENOKEY, "%s: holds no file NAME%s: nobody is trusted", path,
				 ENDING);
	return 0;
}

static int load_place(struct verifying_keys *keys, const char *path, struct error *error)
{
	struct stat status;
	_cleanup_(closep) int fd = open_place(path, &status, error);
	int result;

	if (fd < 0)
		return fd;
	if (!S_ISDIR(status.st_mode))
		return load_file(keys, path, fd, &status, error);
	result = refuse_open_to_others(path, &status, error);
	return result < 0 ? result : load_directory(keys, path, take_fd(&fd), error);
}

int verifying_keys_load(const char *const *paths, size_t count, struct verifying_keys **ret_keys,
			struct error *error)
{
	_cleanup_(keys_freep) struct verifying_keys *keys = NULL;

	if (sodium_init() < 0)
		return error_set(error, EIO, "this system gives no random numbers");
	keys = calloc(1, sizeof(*keys));
	if (!keys)
		return error_set(error, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int result = load_place(keys, paths[i], error);

		if (result < 0)
			return result;
	}
	*ret_keys = take_pointer(keys);
	return 0;
}

int verifying_keys_check(const struct verifying_keys *keys, const char *id, const void *bytes,
			 size_t size, const uint8_t signature[SIGNATURE_SIZE])
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct verifying_key *key = &keys->items[i];

		if (strcmp(key->id, id) != 0)
			continue;
		return crypto_sign_verify_detached(signature, bytes, size, key->bytes) == 0
			       ? 0
			       : -EKEYREJECTED;
	}
	return -ENOKEY;
}

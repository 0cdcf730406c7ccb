/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "profiles/key_file.h"

/* Always in memory of sodium_malloc(): locked, left out of core dumps, between guard pages, wiped.
 */
struct signing_key {
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	uint8_t public[KEY_SIZE];
	char id[KEY_ID_SIZE];
};

static_assert(crypto_sign_SEEDBYTES == KEY_SIZE && crypto_sign_PUBLICKEYBYTES == KEY_SIZE &&
		      crypto_sign_BYTES == SIGNATURE_SIZE,
	      "RFC 8032 section 5.1: Ed25519");

static void free_secret(void *pointer)
{
	sodium_free(*(void **)pointer);
}

void signing_key_free(struct signing_key *key)
{
	sodium_free(key);
}

const char *signing_key_id(const struct signing_key *key)
{
	return key->id;
}

void signing_key_sign(const struct signing_key *key, const void *bytes, size_t size,
		      uint8_t ret_signature[SIGNATURE_SIZE])
{
	(void)crypto_sign_detached(ret_signature, NULL, bytes, size, key->secret);
}

/* NULL when memory is out. */
static struct signing_key *key_from_seed(const uint8_t seed[KEY_SIZE])
{
	struct signing_key *key = sodium_malloc(sizeof(*key));

	if (!key)
		return NULL;
	(void)crypto_sign_seed_keypair(key->public, key->secret, seed);
	key_id_format(key->public, key->id);
	return key;
}

/* A file that was not there. mode whatever the umask says. */
static int write_new(const char *path, mode_t mode, const char *text, struct error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int result;

	if (fd < 0 && errno == EEXIST)
		return error_set(error, EEXIST,
				 "%s: is there already and is not replaced: choose another name",
				 path);
	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	result = fchmod(fd, mode) < 0 ? -errno : write_all(fd, text, strlen(text));
	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (result == 0)
		return 0;
	(void)unlink(path);
	return error_set(error, -result, "%s: %s", path, strerror(-result));
}

static int write_pair(const char *name, const struct signing_key *key, const uint8_t *seed,
		      struct error *error)
{
	_cleanup_(free_secret) char *text = sodium_malloc(KEY_FILE_SIZE);
	char secret_path[PATH_MAX];
	char public_path[PATH_MAX];
	int result;

	if (!text)
		return error_set(error, ENOMEM, "out of memory");
	if (snprintf(secret_path, PATH_MAX, "%s.key", name) >= PATH_MAX ||
	    snprintf(public_path, PATH_MAX, "%s.pub", name) >= PATH_MAX)
		return error_set(error, ENAMETOOLONG, "%s: path too long", name);
	key_file_format(KEY_SECRET, key->id, seed, text);
	result = write_new(secret_path, 0600, text, error);
	if (result < 0)
		return result;
	key_file_format(KEY_PUBLIC, key->id, key->public, text);
	result = write_new(public_path, 0644, text, error);
	if (result < 0)
		(void)unlink(secret_path);
	return result;
}

int signing_key_generate(const char *name, char ret_id[KEY_ID_SIZE], struct error *error)
{
	_cleanup_(free_secret) uint8_t *seed = NULL;
	_cleanup_(free_secret) struct signing_key *key = NULL;
	int result;

	if (sodium_init() < 0)
		return error_set(error, EIO, "this system gives no random numbers");
	seed = sodium_malloc(KEY_SIZE);
	if (seed)
		randombytes_buf(seed, KEY_SIZE);
	key = seed ? key_from_seed(seed) : NULL;
	if (!key)
		return error_set(error, ENOMEM, "out of memory");
	result = write_pair(name, key, seed, error);
	if (result == 0)
		memcpy(ret_id, key->id, KEY_ID_SIZE);
	return result;
}

/* At most KEY_FILE_SIZE bytes, straight into memory that is wiped. */
static int read_secret(const char *path, char *text, size_t *ret_size, mode_t *ret_mode,
		       struct error *error)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	size_t size = 0;
	ssize_t got;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, EBADMSG, "%s: is not a regular file", path);
	while (size < KEY_FILE_SIZE) {
		got = read(fd, text + size, KEY_FILE_SIZE - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, errno, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		size += (size_t)got;
	}
	*ret_size = size;
	*ret_mode = status.st_mode & 07777;
	return 0;
}

static int refuse_open_to_others(const char *path, mode_t mode, struct error *error)
{
	if (!(mode & (S_IRWXG | S_IRWXO)))
		return 0;
	return error_set(error, EPERM,
			 "%s: others may read or write this secret key (mode %04o): chmod 600 it, "
			 "and if anybody had it make a new one",
			 path, mode);
}

int signing_key_load(const char *path, struct signing_key **ret_key, struct error *error)
{
	_cleanup_(free_secret) char *text = NULL;
	_cleanup_(free_secret) uint8_t *seed = NULL;
	_cleanup_(free_secret) struct signing_key *key = NULL;
	char id[KEY_ID_SIZE];
	size_t size;
	mode_t mode;
	int result;

	if (sodium_init() < 0)
		return error_set(error, EIO, "this system gives no random numbers");
	text = sodium_malloc(KEY_FILE_SIZE);
	seed = sodium_malloc(KEY_SIZE);
	if (!text || !seed)
		return error_set(error, ENOMEM, "out of memory");
	result = read_secret(path, text, &size, &mode, error);
	if (result == 0)
		result = key_file_parse(path, text, size, KEY_SECRET, id, seed, error);
	if (result == 0)
		result = refuse_open_to_others(path, mode, error);
	if (result < 0)
		return result;
	key = key_from_seed(seed);
	if (!key)
		return error_set(error, ENOMEM, "out of memory");
	if (strcmp(id, key->id) != 0)
		return error_set(error, EBADMSG,
				 "%s: the key is not the one of line 1 (its id is %s): the file is "
				 "damaged",
				 path, key->id);
	*ret_key = take_pointer(key);
	return 0;
}

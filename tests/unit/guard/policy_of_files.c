/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_of_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define SIZE_LIMIT ((size_t)256 << 20)

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	abort();
}

int copy_with_trailer(const char *source, const char *target, const char *trailer)
{
	_cleanup_(freep) char *bytes = NULL;
	_cleanup_(closep) int fd = -1;
	size_t size;
	int result = file_read(source, SIZE_LIMIT, &bytes, &size, NULL);

	if (result < 0)
		return result;
	fd = open(target, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);
	if (fd < 0)
		return -errno;
	result = write_all(fd, bytes, size);
	return result < 0 ? result : write_all(fd, trailer, strlen(trailer));
}

int sha256_of_file(const char *path, uint8_t sha256[32])
{
	_cleanup_(freep) char *bytes = NULL;
	size_t size;
	int result = file_read(path, SIZE_LIMIT, &bytes, &size, NULL);

	if (result == 0)
		(void)crypto_hash_sha256(sha256, (const unsigned char *)bytes, size);
	return result;
}

static char *hex_of_file(const char *path)
{
	uint8_t sha256[32];
	char *hex = malloc(65);

	must(hex && sha256_of_file(path, sha256) == 0, path);
	hex_encode(sha256, sizeof(sha256), hex);
	return hex;
}

struct profile_program *know_program(struct profile *profile, const char *path, bool any_arguments)
{
	struct profile_program *program = profile_add_program(profile);

	must(program && (program->path = strdup(path)), path);
	program->sha256 = hex_of_file(path);
	program->any_arguments = any_arguments;
	return program;
}

void know_script(struct profile *profile, const char *path, const char *interpreter)
{
	struct profile_script *script = profile_add_script(profile);

	must(script && (script->path = strdup(path)), path);
	script->sha256 = hex_of_file(path);
	must((script->interpreter = strdup(interpreter)) != NULL, path);
}

const struct program_policy *policy_of(const struct profile *profile)
{
	const struct program_policy *policy = NULL;
	struct error error = {0};
	size_t size;
	void *block;

	if (program_policy_compile(profile, NULL, &block, &size, &error) < 0)
		(void)fprintf(stderr, "%s\n", error.message);
	else
		must(program_policy_open(block, size, &policy) == 0, "policy");
	return policy;
}

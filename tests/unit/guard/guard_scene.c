/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char *checksum(const char *path)
{
	uint8_t sha256[32];
	char *bytes;
	char *text = malloc(65);
	size_t size;

	assert_int_equal(file_read(path, 256U << 20, &bytes, &size, NULL), 0);
	(void)crypto_hash_sha256(sha256, (const uint8_t *)bytes, size);
	free(bytes);
	assert_non_null(text);
	return sodium_bin2hex(text, 65, sha256, 32);
}

static const char *const system_libraries[] = {
	"/lib64/ld-linux-x86-64.so.2",
	"/lib/ld-linux-aarch64.so.1",
	"/usr/lib/x86_64-linux-gnu/libc.so.6",
	"/usr/lib/aarch64-linux-gnu/libc.so.6",
	"/usr/lib/x86_64-linux-gnu/libcrypt.so.1",
	"/usr/lib/aarch64-linux-gnu/libcrypt.so.1",
	"/usr/lib/x86_64-linux-gnu/libm.so.6",
	"/usr/lib/aarch64-linux-gnu/libm.so.6",
	"/usr/lib/x86_64-linux-gnu/libtinfo.so.6",
	"/usr/lib/aarch64-linux-gnu/libtinfo.so.6",
};

void scene_new(struct guard_scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->profile = profile_new();
	assert_non_null(scene->profile);
	for (size_t i = 0; i < sizeof(system_libraries) / sizeof(system_libraries[0]); i++)
		if (exists(system_libraries[i]))
			scene_library(scene, system_libraries[i]);
}

void scene_program(struct guard_scene *scene, const char *path, const char *const *arguments)
{
	struct profile_program *program = profile_add_program(scene->profile);

	assert_non_null(program);
	program->path = strdup(path);
	program->sha256 = checksum(path);
	program->phase = PHASE_BOTH;
	program->any_arguments = !arguments;
	assert_int_equal(string_list_add(&program->users, "root"), 0);
	for (; arguments && *arguments; arguments++) {
		struct string_list *vector = program_add_arguments(program);
		char *words = strdup(*arguments);
		char *rest = words;

		for (char *word; (word = strsep(&rest, " "));)
			if (*word)
				assert_int_equal(string_list_add(vector, word), 0);
		free(words);
	}
}

void scene_script(struct guard_scene *scene, const char *path, const char *interpreter)
{
	struct profile_script *script = profile_add_script(scene->profile);

	assert_non_null(script);
	script->path = strdup(path);
	script->sha256 = checksum(path);
	script->interpreter = strdup(interpreter);
}

void scene_library(struct guard_scene *scene, const char *path)
{
	struct profile_library *library = profile_add_library(scene->profile);

	assert_non_null(library);
	library->path = strdup(path);
	library->sha256 = checksum(path);
}

static void mark(struct guard_scene *scene, enum guard_mode mode, const char *path)
{
	uint64_t mask = mode == GUARD_ENFORCE ? FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM
					      : FAN_OPEN | FAN_OPEN_EXEC;

	assert_int_equal(
		fanotify_mark(scene->fanotify, FAN_MARK_ADD | FAN_MARK_MOUNT, mask, AT_FDCWD, path),
		0);
}

void scene_start(struct guard_scene *scene, enum guard_mode mode)
{
	struct guard_config *config = &scene->config;
	size_t size;

	profile_canonicalise(scene->profile);
	assert_int_equal(
		program_policy_compile(scene->profile, NULL, &scene->policy_block, &size, NULL), 0);
	assert_int_equal(program_policy_open(scene->policy_block, size, &config->policy), 0);
	assert_int_equal(desk_new(&scene->desk_fd, &config->desk), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene->findings), 0);
	scene->fanotify = fanotify_init(
		(mode == GUARD_ENFORCE ? FAN_CLASS_CONTENT : FAN_CLASS_NOTIF) | FAN_CLOEXEC |
			FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
		O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK);
	assert_true(scene->fanotify >= 0);
	config->mode = mode;
	config->fanotify = scene->fanotify;
	config->findings = scene->findings[0];
	config->trusted[GUARD_TRUSTED_SUPERVISOR] = getpid();
	config->file_size_limit = UINT64_C(1) << 30;
	scene->guard = guard_start(config);
	assert_true(scene->guard > 0);
	mark(scene, mode, "/");
	mark(scene, mode, "/mnt");
}

void scene_restart(struct guard_scene *scene)
{
	(void)kill(scene->guard, SIGKILL);
	assert_int_equal(waitpid(scene->guard, NULL, 0), scene->guard);
	scene->guard = guard_start(&scene->config);
	assert_true(scene->guard > 0);
}

void scene_end(struct guard_scene *scene)
{
	int status;

	(void)kill(scene->guard, SIGTERM);
	assert_int_equal(waitpid(scene->guard, &status, 0), scene->guard);
	(void)desk_settle(scene->config.desk, scene->fanotify);
	(void)close(scene->fanotify);
	(void)close(scene->findings[0]);
	(void)close(scene->findings[1]);
	(void)close(scene->desk_fd);
	desk_unmap(scene->config.desk);
	free(scene->policy_block);
	profile_free(scene->profile);
	assert_int_equal(status, 0);
}

bool scene_finding(struct guard_scene *scene, struct finding *ret_finding)
{
	struct pollfd waited = {.fd = scene->findings[1], .events = POLLIN};

	if (poll(&waited, 1, 1000) <= 0)
		return false;
	assert_int_equal(recv(scene->findings[1], ret_finding, sizeof(*ret_finding), MSG_DONTWAIT),
			 sizeof(*ret_finding));
	assert_true(finding_is_valid(ret_finding));
	return true;
}

int run(const char *path, const char *words)
{
	int failure[2];
	int error = 0;
	int status;
	pid_t pid;

	assert_int_equal(pipe2(failure, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *copy = strdup(words);
		char *rest = copy;
		char *vector[64] = {0};

		for (size_t i = 0; i < 63 && (vector[i] = strsep(&rest, " "));)
			i += *vector[i] != '\0';
		int nowhere = open("/dev/null", O_RDWR);

		(void)dup2(nowhere, STDOUT_FILENO);
		(void)dup2(nowhere, STDERR_FILENO);
		(void)execv(path, vector);
		error = errno;
		(void)!write(failure[1], &error, sizeof(error));
		_exit(127);
	}
	(void)close(failure[1]);
	(void)!read(failure[0], &error, sizeof(error));
	(void)close(failure[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (error)
		return -error;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void copy_file(const char *from, const char *to)
{
	char *bytes;
	size_t size;
	int fd;

	assert_int_equal(file_read(from, 256U << 20, &bytes, &size, NULL), 0);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, size), 0);
	(void)close(fd);
	free(bytes);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	(void)close(fd);
}

void append_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	(void)close(fd);
}

bool exists(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_KEY_SCENE_H
#define TEST_KEY_SCENE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first key pair of RFC 8032 section 7.1, which everybody knows. */
#define EXAMPLE_ID     "21fe31dfa154a261"
#define EXAMPLE_SECRET "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define EXAMPLE_PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define SECRET_FILE    "rtguard-secret-key/1 ed25519 " EXAMPLE_ID "\n" EXAMPLE_SECRET "\n"
#define PUBLIC_FILE    "rtguard-public-key/1 ed25519 " EXAMPLE_ID "\n" EXAMPLE_PUBLIC "\n"

/* A directory that goes when the test ends, with what it is asked for in it. */
struct scene {
	char directory[40];
	char *paths[8];
	size_t path_count;
};

static inline int scene_open(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	(void)strcpy(scene->directory, "/tmp/rtguard-keys-XXXXXX");
	*state = scene;
	return mkdtemp(scene->directory) ? 0 : -1;
}

static inline int scene_close(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < scene->path_count; i++) {
		(void)unlink(scene->paths[i]);
		free(scene->paths[i]);
	}
	(void)rmdir(scene->directory);
	free(scene);
	return 0;
}

/* A path in it that is removed at the end. */
static inline const char *scene_path(struct scene *scene, const char *name)
{
	char *path;

	assert_true(scene->path_count < 8);
	assert_true(asprintf(&path, "%s/%s", scene->directory, name) > 0);
	scene->paths[scene->path_count++] = path;
	return path;
}

static inline void scene_put(const char *path, mode_t mode, const char *content, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static inline const char *scene_file(struct scene *scene, const char *name, mode_t mode,
				     const char *content)
{
	const char *path = scene_path(scene, name);

	scene_put(path, mode, content, strlen(content));
	return path;
}

#endif

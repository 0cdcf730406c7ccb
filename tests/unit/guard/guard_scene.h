/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GUARD_GUARD_SCENE_H
#define TESTS_GUARD_GUARD_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guard/guard.h"
#include "profiles/profile.h"
#include "report/finding.h"

/*
 * A guard over the root and /mnt of the test's own mount namespace, with this process as its
 * supervisor: it may open anything, but only while a guard runs.
 */
struct guard_scene {
	struct profile *profile;
	void *policy_block;
	int fanotify;
	int findings[2]; /* guard's end, ours */
	int desk_fd;
	struct guard_config config;
	pid_t guard;
};

/* Before the guard starts: what the profile has. arguments: NULL any, else vectors, each a string
 * of words between spaces, the last NULL. */
void scene_new(struct guard_scene *scene);
void scene_program(struct guard_scene *scene, const char *path, const char *const *arguments);
void scene_script(struct guard_scene *scene, const char *path, const char *interpreter);
void scene_library(struct guard_scene *scene, const char *path);

void scene_start(struct guard_scene *scene, enum guard_mode mode);
void scene_restart(struct guard_scene *scene); /* kills the guard, starts another */
void scene_end(struct guard_scene *scene);

/* The next finding, waiting for it up to a second. false: there is none. */
bool scene_finding(struct guard_scene *scene, struct finding *ret_finding);

/* Runs a program with these words; its exit status, 128 and the signal, or -errno of execve. */
int run(const char *path, const char *words);

/* Files. */
void copy_file(const char *from, const char *to);
void write_file(const char *path, const char *text);
void append_to(const char *path, const char *text);
bool exists(const char *path);

#endif

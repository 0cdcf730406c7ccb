/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_UPDATE_PRIVATE_H
#define DAEMON_UPDATE_PRIVATE_H

#include "base/map.h"
#include "daemon/update_file.h"
#include "observe/host/users.h"
#include "profiles/profile.h"
#include "program/library_search.h"

/* Within daemon/update*.c only. Paths are raw bytes for the kernel and escaped text in the profile
 * and as keys here. */

/* What is known of a path, whether the profile had it or not. */
struct update_path {
	bool was_there; /* before the command, as a regular file */
	bool program;	/* the profile has it as */
	bool library;
	bool script;
	bool taken;  /* its content of now is in the profile */
	bool closed; /* and what it needs */
	struct file_key before;
};

struct update {
	struct profile *profile; /* that grows */
	struct map *paths;	 /* text → struct update_path */
	struct library_places *places;
	struct users *users;
	struct string_list notes; /* for a person */
	struct string_list code;  /* raw paths of UPDATE_CODE, which wait for their interpreters */
};

void update_note(struct update *update, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL when memory is out. */
char *update_text(const char *raw_path);
struct update_path *update_path_of(struct update *update, const char *text);

/* update_entries.c: what stands in the profile. All take text and return 0 or -ENOMEM. */
int update_take_program(struct update *update, const char *text, const struct update_file *file);
int update_take_library(struct update *update, const char *text, const struct update_file *file);
int update_take_script(struct update *update, const char *text, const struct update_file *file,
		       const char *interpreter);
/* Entries of that path that there are get the checksum. */
int update_renew(struct update *update, const char *text, const char *sha256);
void update_drop(struct update *update, const char *text, bool programs, bool libraries,
		 bool scripts);
/* Whether the program runs only with what it was learnt with, and one vector more for it. */
bool update_is_pinned(const struct update *update, const char *text);
int update_permit_arguments(struct update *update, const char *text, const char *const *words,
			    size_t count);

/* update_needs.c: a changed file and all that running it needs. raw: the real path. always: the
 * profile has it, so that it counts whatever it is now. Returns 0 or -ENOMEM. */
int update_take(struct update *update, const char *raw, bool always);
/* Files of code, when all interpreters are known. */
int update_take_code(struct update *update);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_UPDATE_FILE_H
#define DAEMON_UPDATE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "program/executable_format.h"
#include "program/file_key.h"
#include "program/script_line.h"

/* One file as an update sees it: what it is, and its checksum. */
enum update_kind {
	UPDATE_DATA,	/* nothing that runs, by its content and name */
	UPDATE_PROGRAM, /* ELF to be started, with an x bit */
	UPDATE_LIBRARY, /* ELF to be mapped */
	UPDATE_SCRIPT,	/* "#!" */
	UPDATE_CODE,	/* of a language, by its name: read by an interpreter */
};

struct update_file {
	enum update_kind kind;
	char sha256[65];
	struct executable_format format;
	struct script_line line; /* UPDATE_SCRIPT: empty where the kernel would refuse it */
	mode_t mode;
	uid_t owner;
	struct file_key key;
};

/* Opens and looks; data is hashed only if always is set. *ret_why: what kept us from it, a constant
 * string. Returns 0; -EIO with a reason; or -ENOMEM. update_file_clear() afterwards. */
int update_file_read(const char *path, bool always, struct update_file *ret_file,
		     const char **ret_why);
void update_file_clear(struct update_file *file);

/* Whether that interpreter reads code from files of that name: "x.py" and python3.11. */
bool update_speaks(const char *interpreter_path, const char *file_path);

#endif

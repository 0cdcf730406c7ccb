/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_LIBRARY_FILE_H
#define OBSERVE_HOST_LIBRARY_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/label.h"
#include "observe/observation.h"

/* Files of machine code that are not started but opened or mapped, on their way: hashed, then
 * delivered as LIBRARY, each state of a file once. */
struct library_files;

int library_files_new(struct executables *executables, observation_fn deliver, void *context,
		      struct library_files **ret_files);
void library_files_free(struct library_files *files); /* after executables_free() */

/* Whether this state of the file was told. */
bool library_files_told(const struct library_files *files, const struct file_key *file);

/* Takes the descriptor. program: who uses it, or NULL. */
void library_files_take(struct library_files *files, int fd, const struct file_key *file,
			struct label *program);

#endif

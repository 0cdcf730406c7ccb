/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_EXECUTABLE_H
#define OBSERVE_HOST_EXECUTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include "program/executable_format.h"
#include "program/file_key.h"

/*
 * Who a file is: its SHA-256 and what it is for exec, always through an open descriptor. Hashing is
 * done in slices between other work, several files in turn, so that a large file delays nobody.
 * What was hashed is remembered by device, inode, change and modification time and size, unless the
 * filesystem cannot be trusted with these (FUSE, network) or the file changed a moment ago.
 */
struct executables;

#define SHA256_SIZE 32

struct executable {
	enum executable_kind kind;
	bool has_loader;
	bool hashed;		/* sha256 holds */
	const char *unreadable; /* a constant string, or NULL */
	uint8_t sha256[SHA256_SIZE];
};

/* limit: most files that are hashed at a time, each with an open descriptor. */
int executables_new(struct loop *loop, size_t limit, struct executables **ret_executables);

/* What is being hashed is given up: its call back gets "given up" as the reason. */
void executables_free(struct executables *executables);

/* How many more may be handed to executables_hash(). */
unsigned int executables_room(const struct executables *executables);

/* What can be said at once: the kind, and the checksum if it is known already. */
int executables_examine(struct executables *executables, int fd, const struct file_key *file,
			struct executable *ret_executable);

/* Hashes, and takes the descriptor over whatever happens. Calls back exactly once, at once when the
 * checksum is known or nothing can be read; executable->hashed or ->unreadable is set. */
typedef void (*executable_fn)(void *context, const struct executable *executable);
void executables_hash(struct executables *executables, int fd, executable_fn done, void *context);

/* Completes all that was handed in. */
void executables_finish(struct executables *executables);

/* Hashing is done with ordinary priority, all else of the loop with more (attention.h). */
void executables_yield(struct executables *executables, bool yield);

/* Called whenever files were completed and there may be room again. */
void executables_on_progress(struct executables *executables, void (*progress)(void *context),
			     void *context);

/* Whether the file was hashed before and is remembered. */
bool executables_knows(struct executables *executables, const struct file_key *file);

/* Whatever is remembered of it: the next time it is read again. */
void executables_forget(struct executables *executables, const struct file_key *file);

/* Notes kept with a known file: anybody may ask and set them; false for unknown files. */
enum executable_note {
	EXECUTABLE_INTERPRETS = 1 << 0, /* was named in a "#!" line */
	EXECUTABLE_MAPPED = 1 << 1,	/* told as a library; only while its content is known */
	EXECUTABLE_PINNED = 1 << 2, /* was seen to run as an interpreter or a multi-call binary */
	EXECUTABLE_SCRIPT_TOLD = 1 << 3, /* told as a script */
};
bool executables_has_note(struct executables *executables, const struct file_key *file,
			  enum executable_note note);
void executables_add_note(struct executables *executables, const struct file_key *file,
			  enum executable_note note);

#endif

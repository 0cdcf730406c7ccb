/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_OPEN_IMAGES_H
#define OBSERVE_HOST_OPEN_IMAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/host/executable.h"
#include "observe/host/label.h"
#include "observe/host/process_roster.h"

/*
 * What each process ran when it opened a file. Opens and execs come through one queue in their
 * order, while the process table may be ahead of it: a shell's child that opens a file and then
 * executes another program opened it as the shell.
 */
struct open_images;

/* Of one process; valid until the next call with another pid. */
struct open_image {
	struct label *program;	 /* NULL: not known */
	struct file_key started; /* the file of its last exec event; zero: none */
	struct file_key loader;	 /* that the program named */
	uint64_t begun_ns;	 /* CLOCK_BOOTTIME when the program was seen; 0: never */
	uint64_t looked_ns;	 /* when program and left_out were looked up last */
	bool executed;		 /* program is by an exec event, not inherited */
	bool loader_due;
	bool by_script; /* a "#!" file was executed, its interpreter comes next */
	bool pinned;	/* an interpreter or a multi-call binary */
	bool left_out;
};

int open_images_new(struct process_table *table, struct process_roster *roster,
		    struct executables *executables, bool process_events,
		    struct open_images **ret_images);
void open_images_free(struct open_images *images);

/* A file was opened to be executed. Returns whether it is the loader that the program before it
 * named. path may be NULL. */
bool open_images_executed(struct open_images *images, pid_t pid,
			  const struct executable *executable, const struct file_key *file,
			  struct label *path);

/* NULL: nothing can be known of it. */
struct open_image *open_images_find(struct open_images *images, pid_t pid);

#endif

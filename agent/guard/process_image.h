/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_PROCESS_IMAGE_H
#define GUARD_PROCESS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/file_key.h"

/* One image of one process: which process (a pid alone is reused), and what it runs. */
struct process_image {
	pid_t pid;
	pid_t parent;
	uint64_t started_ns; /* the process; CLOCK_BOOTTIME */
	uint64_t image_mark; /* process_info.h */
	bool hidden;	     /* its file tells us nothing: another user's FUSE mount */
	struct file_key file;
};

/* Looks without waiting for the process or for its file's filesystem. *ret_place: an O_PATH
 * descriptor of the file. -ENOENT: it runs none (kernel thread, ended), -ESRCH: it is gone. */
int process_image_look(pid_t pid, struct process_image *ret_image, int *ret_place);

/* Whether that process still runs that file. */
bool process_image_holds(const struct process_image *image);

/* Ends it, stopped or traced ones too, and nobody else: what the pid is was looked at again after a
 * pidfd was opened. -ESRCH: it is not that image any more. */
int process_image_end(const struct process_image *image);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_PROCESS_IMAGE_H
#define PROCESS_PROCESS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/transient.h"
#include "program/file_facts.h"

/*
 * What a process runs, found without waiting for it or for its file's filesystem. Where its first
 * thread has ended and left the others running, what those run.
 *
 * -ENOENT: it runs none (a kernel thread, or it is ending); -ESRCH: it is gone; -EACCES: the file
 * tells us nothing (another user's FUSE mount).
 */
int process_image_facts(struct transient *transient, pid_t pid, struct file_facts *ret_facts);

/* One image of one process. */
struct process_image {
	pid_t pid;
	pid_t parent;
	uint64_t started_ns; /* CLOCK_BOOTTIME: a pid alone is reused; 0: that pid waits for us */
	uint64_t image_mark; /* process_info.h */
	bool hidden;	     /* its file tells us nothing: file and mount are void */
	struct file_key file;
	uint64_t mount; /* file_facts.h */
};

/* Looks at it; *ret_place: an O_PATH descriptor of the file, the caller's. */
int process_image_look(pid_t pid, struct process_image *ret_image, int *ret_place);

/* Whether that process still runs that file (device and inode). */
bool process_image_holds(struct transient *transient, const struct process_image *image);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SWEEP_IMAGE_CHECK_H
#define SWEEP_IMAGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "enforce/program_policy.h"
#include "loop/loop.h"
#include "process/process_image.h"
#include "report/finding.h"

/*
 * Whether what a process runs is permitted: its file by content, and for pinned programs the
 * arguments and the script that they name. Hashing goes on in slices between other work, and by
 * children where reading may have no end; what was hashed is remembered by the file's key.
 */
struct image_checks;

struct image_verdict {
	struct process_image image;
	enum finding_layer layer;
	uint64_t exec_ns; /* CLOCK_MONOTONIC; 0: not told */
	bool spared;	  /* as image_checks_met() was told */
	enum finding_kind kind;
	bool hashed;
	uint8_t sha256[32]; /* of the program */
	int fd;		    /* the program, for reading; -1 */
};

/* What became of one that is not permitted. */
enum image_fate {
	IMAGE_SPARED,
	IMAGE_ENDED,
	IMAGE_LEFT, /* the process was something else or gone by then */
};

struct image_checks_config {
	const struct program_policy *policy;
	uint64_t file_size_limit; /* bytes */
	bool keep_files;	  /* verdicts bring a descriptor */
	/* Each image that is not permitted, once; the descriptor is closed afterwards. */
	enum image_fate (*found)(void *context, const struct image_verdict *verdict);
	/* The program lies on a filesystem of another mount namespace; at most once a second for
	 * each filesystem. */
	void (*uncovered)(void *context, pid_t pid, uint64_t device);
	void *context;
};

int image_checks_new(struct loop *loop, const struct image_checks_config *config,
		     struct image_checks **ret_checks);
void image_checks_free(struct image_checks *checks);

/* It executed something, at exec_ns (CLOCK_MONOTONIC). */
void image_checks_executed(struct image_checks *checks, pid_t pid, uint64_t exec_ns);

/* A child of that process runs what its parent runs: nothing is done when that was judged. A
 * program that is gone before it can be looked at may leave such children. */
void image_checks_forked(struct image_checks *checks, pid_t parent, pid_t child, uint64_t time_ns);

/* It was met in /proc: nothing is done when that image was judged, or is being judged. */
struct swept_process;
void image_checks_met(struct image_checks *checks, const struct swept_process *process,
		      bool spared);

/* Ended: what is known of it can go. */
void image_checks_gone(struct image_checks *checks, pid_t pid);

/* Images that are being judged. */
size_t image_checks_pending(const struct image_checks *checks);

#endif

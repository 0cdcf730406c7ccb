/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SWEEP_IMAGE_WATCH_H
#define SWEEP_IMAGE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "enforce/program_policy.h"
#include "loop/loop.h"
#include "report/finding.h"

/*
 * Looks at every process right after each exec (process connector) and in sweeps of /proc: at the
 * start, after lost events, while something unknown multiplies, and where there is no connector
 * five times a second. Ends what is not permitted. With the connector nothing wakes up by the
 * clock.
 */
struct image_watch;

struct image_watch_config {
	const struct program_policy *policy;
	uint64_t file_size_limit; /* bytes */
	bool only_reports;
	bool spare_running; /* what is met by the first sweep is reported only */
	bool without_connector;
	bool keep_files;
	/* whether the process is any of our business; NULL: all but this one */
	bool (*concerns)(void *context, pid_t pid);
	/* fd: the program, if keep_files and it can be read here; else -1. Stays the caller's. */
	void (*found)(void *context, const struct finding *finding, int fd);
	void (*uncovered)(void *context, pid_t pid, uint64_t device);
	void *context;
};

int image_watch_new(struct loop *loop, const struct image_watch_config *config,
		    struct image_watch **ret_watch);
void image_watch_free(struct image_watch *watch);

/* The first sweep, of what runs already. Returns 0 or negative errno. */
int image_watch_start(struct image_watch *watch);

/* Why there are no process events; NULL: there are. */
const char *image_watch_connector_off(const struct image_watch *watch);

/* Images that are being judged. */
size_t image_watch_pending(const struct image_watch *watch);

#endif

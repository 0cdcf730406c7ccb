/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_QUARANTINE_H
#define REPORT_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "report/finding.h"

/*
 * Copies of what was stopped: DIRECTORY/SHA256 (mode 0400, no way to execute it) and SHA256.json
 * beside it, the event that it belongs to. The same content is kept once; what is there first
 * stays, when the limits are reached nothing more is taken, and that is counted.
 *
 * The copying is done by a worker of low priority, one file at a time, because the supervisor must
 * neither wait for a disk nor open anything. The worker opens files, on filesystems that the guard
 * covers: it is to be started before the marks are set, and the guard is told to trust its pid
 * (guard_config.trusted), as it does the sweeper's. It dies with the supervisor, and is started
 * again when it ends by itself; that one the guard knows by its content (own_content) alone, which
 * is enough for what it opens.
 */
struct quarantine;

#define QUARANTINE_FILE_LIMIT	 (UINT64_C(64) << 20)  /* bytes of one file */
#define QUARANTINE_TOTAL_LIMIT	 (UINT64_C(256) << 20) /* of all, with those of earlier runs */
#define QUARANTINE_COUNT_LIMIT	 4096		       /* files */
#define QUARANTINE_QUEUE_LIMIT	 16 /* files that wait, each an open descriptor */
#define QUARANTINE_RESTART_LIMIT 8  /* then what comes is counted as lost */

/* directory: made if it is missing, mode 0700. Returns when the worker has it open; errors of that
 * are told. */
int quarantine_new(const char *directory, struct quarantine **ret_quarantine, struct error *error);

/* Ends the worker, what it has in hand being lost. NULL is allowed. */
void quarantine_free(struct quarantine *quarantine);

pid_t quarantine_pid(const struct quarantine *quarantine); /* 0 while none runs */
unsigned int quarantine_restarts(const struct quarantine *quarantine);

/* For whoever waits for all children: that one has ended. Whether it was the worker; then another
 * one is started, without waiting for it. */
bool quarantine_child(struct quarantine *quarantine, pid_t pid);

/* Hands a stopped file over and closes fd, which must be open for reading; never waits. event_id:
 * what event_log_finding() returned. */
void quarantine_keep(struct quarantine *quarantine, int fd, const struct finding *finding,
		     uint64_t event_id);

struct quarantine_counts {
	uint64_t kept;
	uint64_t known;	  /* the same content was there */
	uint64_t refused; /* no regular file, or beyond a limit */
	uint64_t failed;  /* could not be read or written */
	uint64_t lost;	  /* too many waited, or the worker was gone */
};

/* As far as the worker has got. */
struct quarantine_counts quarantine_counts(struct quarantine *quarantine);

#endif

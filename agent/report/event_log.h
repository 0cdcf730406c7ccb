/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_EVENT_LOG_H
#define REPORT_EVENT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "report/finding.h"

/*
 * What happened, as JSON lines (docs/events.md): findings, and what became of rtguard itself. Each
 * has a number that only grows, over restarts too: its id. Two files of bounded size take turns;
 * both are opened once, at the start, and never again: opening a file may have to wait for the
 * guard, and the supervisor must not. Equal findings (kind, content or path or other end of
 * the packet, program) within a minute are one line and, when the minute is over, a second one with
 * their count. At most EVENT_FINDINGS_PER_MINUTE are written one by one, so that nobody can wash
 * away soon what he left in the log; the rest is a number. A full disk loses lines, which is
 * counted and told, and stops nothing.
 */
enum event_kind {
	EVENT_FINDING = 1,
	EVENT_REPEATED, /* how often the finding of a line came again */
	EVENT_STARTED,
	EVENT_STOPPED,
	EVENT_MODE, /* enforce, audit, and why */
	EVENT_PROFILE_LOADED,
	EVENT_PROFILE_REFUSED, /* a reload that failed: the old one serves on */
	EVENT_WORKER_RESTARTED,
	EVENT_RULES,   /* what became of the rules for connections, as the gate tells it */
	EVENT_LAYER,   /* one went off or came on */
	EVENT_LOST,    /* findings or events that could not be kept */
	EVENT_SETTING, /* a kernel setting was changed or restored */
	EVENT_KIND_COUNT,
};

/* "finding", "profile-loaded", …; NULL for a value that is none. */
const char *event_kind_name(enum event_kind kind);

#define EVENT_DIRECTORY		  "/var/lib/rtguard/events"
#define EVENT_FILE_LIMIT	  (4u << 20) /* a size for each file that suits most devices */
#define EVENT_RECENT_COUNT	  256
#define EVENT_FINDINGS_PER_MINUTE 600

struct event_log;

/* directory: made if it is missing; files events.0 and events.1 in it, mode 0600. limit: bytes of
 * each. NULL directory: kept in memory only. Errors: mkdir(2)'s and open(2)'s, -ENOMEM. */
int event_log_new(const char *directory, size_t limit, struct event_log **ret_log,
		  struct error *error);
void event_log_free(struct event_log *log); /* writes what is counted and not written yet */

/* Called with each line as it is written (without the newline), for those who follow; also with
 * those that a full disk does not take. line is valid during the call, which must not write to the
 * log. */
typedef void (*event_line_fn)(void *context, uint64_t id, const char *line);
void event_log_on_line(struct event_log *log, event_line_fn line, void *context);

/* Returns the id (of the line that it counts in), 0 for a finding beyond those of a minute. */
uint64_t event_log_finding(struct event_log *log, const struct finding *finding);
uint64_t event_log_note(struct event_log *log, enum event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes repeats and lost lines whose minute is over; to be called at event_log_next_ns(), which is
 * 0 while nothing waits. */
void event_log_tick(struct event_log *log);
uint64_t event_log_next_ns(const struct event_log *log); /* CLOCK_MONOTONIC */

/* Calls back for the lines that are kept in memory, oldest first: the last EVENT_RECENT_COUNT,
 * fewer where they are long. */
void event_log_recent(const struct event_log *log, event_line_fn line, void *context);

struct event_log_counts {
	uint64_t findings; /* repeats included */
	uint64_t lines;
	uint64_t lost_lines; /* not in the files: full disk, or memory short */
};
struct event_log_counts event_log_counts(const struct event_log *log);

/* For readers of the files (the command line): calls back for each whole line of both that is an
 * event, oldest first. -ENOENT where there are no files. */
int event_files_read(const char *directory, event_line_fn line, void *context, struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/event_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "report/event_files.h"
#include "report/event_flow.h"
#include "report/event_line.h"

#define WINDOW_NS    (60 * NS_PER_S)
#define KNOWN_LIMIT  256	 /* different findings whose repeats are counted */
#define RECENT_LIMIT (256 << 10) /* bytes of lines in memory */
#define NOTE_SIZE    1024

/* A finding that was written, and what came of it since. */
struct known {
	uint64_t id;
	uint64_t until_ns; /* CLOCK_MONOTONIC */
	uint64_t repeats;
	struct finding finding;
};

struct recent {
	uint64_t id;
	char *line;
	size_t size;
};

struct event_log {
	struct event_files files;
	uint64_t next_id;
	struct map *known; /* in the order of until_ns */

	/* lines and findings that could not be written, and when that is to be told */
	uint64_t unwritten;
	int unwritten_code;
	uint64_t suppressed;
	uint64_t minute_ends_ns;
	unsigned int findings_left; /* of this minute */

	struct recent recent[EVENT_RECENT_COUNT]; /* a ring */
	size_t recent_first;
	size_t recent_count;
	size_t recent_size;

	struct event_log_counts counts;
	event_line_fn line;
	void *context;
};

static const char *const kind_names[EVENT_KIND_COUNT] = {
	[EVENT_FINDING] = "finding",
	[EVENT_REPEATED] = "repeated",
	[EVENT_STARTED] = "started",
	[EVENT_STOPPED] = "stopped",
	[EVENT_MODE] = "mode",
	[EVENT_PROFILE_LOADED] = "profile-loaded",
	[EVENT_PROFILE_REFUSED] = "profile-refused",
	[EVENT_WORKER_RESTARTED] = "worker-restarted",
	[EVENT_RULES] = "rules",
	[EVENT_LAYER] = "layer",
	[EVENT_LOST] = "lost",
	[EVENT_SETTING] = "setting",
};

const char *event_kind_name(enum event_kind kind)
{
	return (size_t)kind < array_length(kind_names) ? kind_names[kind] : NULL;
}

static void drop_oldest(struct event_log *log)
{
	struct recent *oldest = &log->recent[log->recent_first];

	log->recent_size -= oldest->size;
	free(oldest->line);
	log->recent_first = (log->recent_first + 1) % EVENT_RECENT_COUNT;
	log->recent_count--;
}

static void keep_recent(struct event_log *log, uint64_t id, char *line, size_t size)
{
	while (log->recent_count > 0 &&
	       (log->recent_count == EVENT_RECENT_COUNT || log->recent_size + size > RECENT_LIMIT))
		drop_oldest(log);
	log->recent[(log->recent_first + log->recent_count) % EVENT_RECENT_COUNT] =
		(struct recent){id, line, size};
	log->recent_count++;
	log->recent_size += size;
}

static void begin_minute(struct event_log *log, uint64_t now_ns)
{
	if (!log->minute_ends_ns)
		log->minute_ends_ns = now_ns + WINDOW_NS;
}

/* Takes the event, which may be NULL. */
static void write_event(struct event_log *log, uint64_t id, json_t *event)
{
	char *line = event_line(event);
	int result = line ? event_files_append(&log->files, line, strlen(line)) : -ENOMEM;

	json_decref(event);
	if (result < 0) {
		log->counts.lost_lines++;
		log->unwritten++;
		log->unwritten_code = -result;
		begin_minute(log, clock_monotonic_ns());
	} else {
		log->counts.lines++;
	}
	if (!line)
		return;
	keep_recent(log, id, line, strlen(line));
	if (log->line)
		log->line(log->context, id, line);
}

/* A finding leaves the table: its minute is over, or another needs the place. */
static void forget_known(void *value, void *context)
{
	struct known *known = value;
	struct event_log *log = context;
	uint64_t id;

	if (!known->repeats)
		return;
	id = log->next_id++;
	write_event(log, id,
		    event_of_repeats(id, clock_realtime_ns(), known->id, known->repeats,
				     &known->finding));
}

int event_log_new(const char *directory, size_t limit, struct event_log **ret_log,
		  struct error *error)
{
	struct event_log *log = calloc(1, sizeof(*log));
	int result;

	if (!log)
		return error_set(error, ENOMEM, "event log: out of memory");
	if (map_new(&log->known, KNOWN_LIMIT, sizeof(struct known), forget_known, log) < 0) {
		free(log);
		return error_set(error, ENOMEM, "event log: out of memory");
	}
	result = event_files_open(&log->files, directory, limit, error);
	if (result < 0) {
		event_log_free(log);
		return result;
	}
	log->next_id = log->files.last_id + 1;
	log->findings_left = EVENT_FINDINGS_PER_MINUTE;
	*ret_log = log;
	return 0;
}

static void tell_losses(struct event_log *log)
{
	uint64_t unwritten = log->unwritten;
	uint64_t suppressed = log->suppressed;

	log->unwritten = 0;
	log->suppressed = 0;
	if (suppressed)
		(void)event_log_note(log, EVENT_LOST,
				     "%llu more findings in a minute are not written one by one",
				     (unsigned long long)suppressed);
	if (!unwritten)
		return;
	(void)event_log_note(log, EVENT_LOST, "%llu lines could not be written: %s",
			     (unsigned long long)unwritten, strerror(log->unwritten_code));
	if (log->unwritten) /* nor could this one: the number is told with the next */
		log->unwritten = unwritten;
}

void event_log_free(struct event_log *log)
{
	if (!log)
		return;
	map_free(log->known);
	if (log->unwritten || log->suppressed)
		tell_losses(log);
	event_files_close(&log->files);
	while (log->recent_count > 0)
		drop_oldest(log);
	free(log);
}

void event_log_on_line(struct event_log *log, event_line_fn line, void *context)
{
	log->line = line;
	log->context = context;
}

#define KEY_SIZE                                                                                   \
	(2 + FINDING_PROGRAM_SIZE +                                                                \
	 (FINDING_PATH_SIZE > FLOW_KEY_SIZE ? FINDING_PATH_SIZE : FLOW_KEY_SIZE))

/* What it is about: content, path or the other end of a packet. Returns the size. */
static size_t what_of(const struct finding *finding, uint8_t *what)
{
	size_t size = event_flow_key(finding, what);

	if (size > 0)
		return size;
	if (finding->hashed) {
		memcpy(what, finding->sha256, sizeof(finding->sha256));
		return sizeof(finding->sha256);
	}
	size = strlen(finding->path) + 1;
	memcpy(what, finding->path, size);
	return size;
}

/* What makes two findings equal. Returns the size of the key. */
static size_t key_of(const struct finding *finding, uint8_t key[KEY_SIZE])
{
	size_t what_size = what_of(finding, key + 2);
	size_t program_size = strlen(finding->program);

	key[0] = finding->kind;
	key[1] = finding->hashed;
	memcpy(key + 2 + what_size, finding->program, program_size);
	return 2 + what_size + program_size;
}

static void expire(struct event_log *log, uint64_t now_ns)
{
	const struct known *known = map_next(log->known, NULL);

	while (known && known->until_ns <= now_ns) {
		struct known *over = (struct known *)(uintptr_t)known;

		known = map_next(log->known, known);
		map_remove_value(log->known, over);
	}
	if (log->minute_ends_ns && log->minute_ends_ns <= now_ns) {
		log->minute_ends_ns = 0;
		log->findings_left = EVENT_FINDINGS_PER_MINUTE;
		if (log->unwritten || log->suppressed)
			tell_losses(log);
	}
}

uint64_t event_log_finding(struct event_log *log, const struct finding *finding)
{
	uint8_t key[KEY_SIZE];
	size_t key_size = key_of(finding, key);
	uint64_t now_ns = clock_monotonic_ns();
	struct known *known;
	uint64_t id;

	expire(log, now_ns);
	log->counts.findings += 1 + finding->repeats;
	known = map_peek(log->known, key, key_size);
	if (known) {
		known->repeats += 1 + finding->repeats;
		return known->id;
	}
	begin_minute(log, now_ns);
	if (log->findings_left == 0) {
		log->suppressed += 1 + finding->repeats;
		return 0;
	}
	log->findings_left--;
	/* the entry first: the repeats of one that makes room have the smaller id */
	known = map_add(log->known, key, key_size);
	id = log->next_id++;
	if (known)
		*known = (struct known){id, now_ns + WINDOW_NS, 0, *finding};
	write_event(log, id, event_of_finding(id, finding));
	return id;
}

uint64_t event_log_note(struct event_log *log, enum event_kind kind, const char *format, ...)
{
	uint64_t id = log->next_id++;
	char text[NOTE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	write_event(log, id, event_of_note(id, clock_realtime_ns(), event_kind_name(kind), text));
	return id;
}

void event_log_tick(struct event_log *log)
{
	expire(log, clock_monotonic_ns());
}

uint64_t event_log_next_ns(const struct event_log *log)
{
	uint64_t next_ns = 0;

	if (log->suppressed || log->unwritten)
		next_ns = log->minute_ends_ns;
	for (const struct known *known = map_next(log->known, NULL); known;
	     known = map_next(log->known, known)) {
		if (!known->repeats)
			continue;
		if (!next_ns || known->until_ns < next_ns)
			next_ns = known->until_ns;
		break; /* those behind it came later */
	}
	return next_ns;
}

void event_log_recent(const struct event_log *log, event_line_fn line, void *context)
{
	for (size_t i = 0; i < log->recent_count; i++) {
		const struct recent *recent =
			&log->recent[(log->recent_first + i) % EVENT_RECENT_COUNT];

		line(context, recent->id, recent->line);
	}
}

struct event_log_counts event_log_counts(const struct event_log *log)
{
	return log->counts;
}

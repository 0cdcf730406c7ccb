/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/learn_display.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

/* Plain lines come not more often than this, notices aside. */
#define LINE_INTERVAL_NS (60 * NS_PER_S)
#define BAR_WIDTH	 24
#define FALLBACK_COLUMNS 80

struct learn_display {
	enum learn_display_kind kind;
	unsigned int drawn_lines;
	uint64_t last_line_ns; /* CLOCK_MONOTONIC; 0: none yet */
	uint64_t last_distinct;
};

struct learn_display *learn_display_new(enum learn_display_kind kind)
{
	struct learn_display *display = calloc(1, sizeof(*display));

	if (display)
		display->kind = kind;
	return display;
}

void learn_display_free(struct learn_display *display)
{
	free(display);
}

static const struct {
	const char *name;
	size_t offset;
} classes[] = {
	{"programs", offsetof(struct learner_summary, programs)},
	{"listeners", offsetof(struct learner_summary, listeners)},
	{"connections", offsetof(struct learner_summary, connections)},
	{"names", offsetof(struct learner_summary, names)},
};

static const struct novelty *class_of(const struct learner_summary *summary, size_t i)
{
	return (const struct novelty *)((const char *)summary + classes[i].offset);
}

static uint64_t last_new_ns(const struct learner_summary *summary)
{
	uint64_t latest_ns = 0;

	for (size_t i = 0; i < array_length(classes); i++)
		if (class_of(summary, i)->last_new_ns > latest_ns)
			latest_ns = class_of(summary, i)->last_new_ns;
	return latest_ns;
}

/* "03:12 of 24:00:00", "03:12, until stable", "camera.pcap" */
static void format_where(const struct learning_progress *progress, char *text, size_t size)
{
	char elapsed[DURATION_TEXT_SIZE];
	char cycle[DURATION_TEXT_SIZE];

	duration_format(progress->elapsed_ns, elapsed);
	duration_format(progress->cycle_ns, cycle);
	if (progress->recording)
		text_printable(progress->recording, text, size);
	else if (progress->cycle_ns)
		(void)snprintf(text, size, "%s of %s", elapsed, cycle);
	else
		(void)snprintf(text, size, "%s, until nothing new is to be expected", elapsed);
}

static void format_losses(const struct learner_summary *summary, char *text, size_t size)
{
	if (!summary->packets_dropped && !summary->events_lost && !summary->interrupted)
		(void)snprintf(text, size, "none");
	else
		(void)snprintf(text, size, "%" PRIu64 " packets, %" PRIu64 " events%s",
			       summary->packets_dropped, summary->events_lost,
			       summary->interrupted ? ", capture interrupted" : "");
}

/* One line, cut to the terminal, so that going back up hits the right one. */
static void draw(struct learn_display *display, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void draw(struct learn_display *display, const char *format, ...)
{
	struct winsize window = {0};
	char line[512];
	va_list arguments;
	int columns = FALLBACK_COLUMNS;
	int shown = 0;
	size_t at = 0;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col)
		columns = window.ws_col;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	/* columns count characters, not the bytes that continue one */
	for (; line[at]; at++) {
		if (((unsigned char)line[at] & 0xc0) == 0x80)
			continue;
		if (++shown >= columns)
			break;
	}
	line[at] = '\0';
	(void)fprintf(stderr, "\r\033[K%s\n", line);
	display->drawn_lines++;
}

static void draw_bar(struct learn_display *display, const struct learning_progress *progress,
		     const char *where)
{
	char bar[BAR_WIDTH + 1];
	uint64_t filled = BAR_WIDTH;

	if (!progress->cycle_ns) {
		draw(display, "rtguard learn  %s", where);
		return;
	}
	if (progress->elapsed_ns < progress->cycle_ns)
		filled = progress->elapsed_ns * BAR_WIDTH / progress->cycle_ns;
	for (uint64_t i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	draw(display, "rtguard learn  [%s] %s", bar, where);
}

static void show_on_terminal(struct learn_display *display,
			     const struct learning_progress *progress, const char *where)
{
	const struct learner_summary *summary = &progress->summary;
	uint64_t now_ns = clock_realtime_ns();
	uint64_t newest_ns = last_new_ns(summary);
	char ago[DURATION_TEXT_SIZE];
	char losses[96];

	if (display->drawn_lines)
		(void)fprintf(stderr, "\033[%uA", display->drawn_lines);
	display->drawn_lines = 0;
	if (progress->notice) {
		char notice[512];

		text_printable(progress->notice, notice, sizeof(notice));
		(void)fprintf(stderr, "\r\033[KNote: %s\n", notice);
	}
	draw_bar(display, progress, where);
	draw(display, "               found   seen once   chance that the next is new");
	for (size_t i = 0; i < array_length(classes); i++) {
		const struct novelty *novelty = class_of(summary, i);

		if (novelty->observations)
			draw(display, "  %-11s %7" PRIu64 "     %7" PRIu64 "   %5.1f %%",
			     classes[i].name, novelty->distinct, novelty->seen_once,
			     100 * novelty->unseen_probability);
		else
			draw(display, "  %-11s %7s     %7s   %5s", classes[i].name, "0", "0", "-");
	}
	duration_format(newest_ns && newest_ns < now_ns ? now_ns - newest_ns : 0, ago);
	draw(display, "  last new    %s", newest_ns ? ago : "nothing yet");
	format_losses(summary, losses, sizeof(losses));
	draw(display, "  losses      %s", losses);
	for (size_t i = 0; i < array_length(summary->newest); i++) {
		char label[sizeof(summary->newest[0])];

		text_printable(summary->newest[i], label, sizeof(label));
		draw(display, "  %s %s", i ? "           " : "newest     ", label);
	}
	(void)fputs("\033[J", stderr);
}

static void show_as_line(struct learn_display *display, const struct learning_progress *progress,
			 const char *where)
{
	const struct learner_summary *summary = &progress->summary;
	uint64_t now_ns = clock_monotonic_ns();
	char losses[96];

	if (progress->notice)
		(void)fprintf(stderr, "rtguard learn: %s\n", progress->notice);
	if (display->last_line_ns && now_ns - display->last_line_ns < LINE_INTERVAL_NS)
		return;
	display->last_line_ns = now_ns;
	format_losses(summary, losses, sizeof(losses));
	(void)fprintf(stderr,
		      "rtguard learn: %s: %" PRIu64 " programs, %" PRIu64 " listeners, %" PRIu64
		      " connections, %" PRIu64 " names; losses: %s\n",
		      where, summary->programs.distinct, summary->listeners.distinct,
		      summary->connections.distinct, summary->names.distinct, losses);
}

static void print_json(json_t *line)
{
	if (!line)
		return;
	(void)json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	(void)fputc('\n', stdout);
	(void)fflush(stdout);
	json_decref(line);
}

static json_t *summary_json(const struct learner_summary *summary)
{
	json_t *object =
		json_pack("{s:I, s:I, s:I, s:b}", "packets", (json_int_t)summary->packets,
			  "packets_dropped", (json_int_t)summary->packets_dropped, "events_lost",
			  (json_int_t)summary->events_lost, "interrupted", summary->interrupted);

	for (size_t i = 0; object && i < array_length(classes); i++) {
		const struct novelty *novelty = class_of(summary, i);

		(void)json_object_set_new(
			object, classes[i].name,
			json_pack("{s:I, s:I, s:I, s:o}", "distinct", (json_int_t)novelty->distinct,
				  "seen_once", (json_int_t)novelty->seen_once, "observations",
				  (json_int_t)novelty->observations, "unseen_probability",
				  novelty->observations ? json_real(novelty->unseen_probability)
							: json_null()));
	}
	return object;
}

static void show_as_json(const struct learning_progress *progress)
{
	json_t *line = json_pack("{s:s, s:f}", "event", "progress", "elapsed_seconds",
				 (double)progress->elapsed_ns / (double)NS_PER_S);

	if (line && progress->cycle_ns)
		(void)json_object_set_new(line, "cycle_seconds",
					  json_real((double)progress->cycle_ns / (double)NS_PER_S));
	if (line && progress->recording)
		(void)json_object_set_new(line, "recording", json_string(progress->recording));
	if (line && progress->notice)
		(void)json_object_set_new(line, "notice", json_string(progress->notice));
	if (line)
		(void)json_object_update_new(line, summary_json(&progress->summary));
	print_json(line);
}

void learn_display_progress(void *context, const struct learning_progress *progress)
{
	struct learn_display *display = context;
	char where[128];

	format_where(progress, where, sizeof(where));
	switch (display->kind) {
	case DISPLAY_TERMINAL:
		show_on_terminal(display, progress, where);
		break;
	case DISPLAY_LINES:
		show_as_line(display, progress, where);
		break;
	case DISPLAY_JSON:
		show_as_json(progress);
		break;
	}
}

void learn_display_result(struct learn_display *display, const char *output,
			  const struct learning_result *result)
{
	const struct learner_summary *summary = &result->summary;
	bool complete = result->incomplete_reason[0] == '\0';

	if (display->kind == DISPLAY_JSON) {
		json_t *line = json_pack("{s:s, s:s, s:b, s:s*}", "event", "result", "profile",
					 output, "complete", complete, "incomplete_reason",
					 complete ? NULL : result->incomplete_reason);

		if (line)
			(void)json_object_update_new(line, summary_json(summary));
		print_json(line);
		return;
	}
	(void)fprintf(stderr,
		      "%s: %" PRIu64 " programs, %" PRIu64 " listeners, %" PRIu64
		      " connections, %" PRIu64 " names\n",
		      output, summary->programs.distinct, summary->listeners.distinct,
		      summary->connections.distinct, summary->names.distinct);
	if (!complete)
		(void)fprintf(stderr, "This cycle is not complete: %s.\n",
			      result->incomplete_reason);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/status_report.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "commands/event_text.h"
#include "control/protocol.h"

#define CELL_SIZE 32

static long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static void print_field(const char *name, const char *value, FILE *out)
{
	char printable[1024];

	text_printable(value, printable, sizeof(printable));
	(void)fprintf(out, "%-9s %s\n", name, printable);
}

static void print_mode(const json_t *status, FILE *out)
{
	const json_t *left = json_object_get(status, STATUS_CONFIRM_SECONDS);
	char text[256];

	(void)snprintf(text, sizeof(text), "%s since %s", event_text(status, STATUS_MODE, "-"),
		       event_text(status, STATUS_SINCE, "-"));
	print_field("Mode", text, out);
	if (json_is_integer(left)) {
		char duration[DURATION_TEXT_SIZE];

		duration_format((uint64_t)json_integer_value(left) * NS_PER_S, duration);
		(void)fprintf(out, "%-9s goes back to audit in %s unless 'rtguard confirm' comes\n",
			      "", duration);
	}
}

static void print_profile(const json_t *profile, FILE *out)
{
	const json_t *version = json_object_get(profile, PROFILE_VERSION);
	char text[512];

	if (!json_is_object(profile))
		return;
	print_field("Profile", event_text(profile, PROFILE_PATH, "-"), out);
	if (json_is_true(json_object_get(profile, PROFILE_SIGNED)))
		(void)snprintf(text, sizeof(text), "version %lld, signed by %s",
			       (long long)json_integer_value(version),
			       event_text(profile, PROFILE_KEY_ID, "-"));
	else
		(void)snprintf(text, sizeof(text), "not signed");
	print_field("", text, out);
	(void)snprintf(text, sizeof(text),
		       "%lld programs (%lld pinned), %lld libraries, %lld scripts",
		       number_of(profile, PROFILE_PROGRAMS), number_of(profile, PROFILE_PINNED),
		       number_of(profile, PROFILE_LIBRARIES), number_of(profile, PROFILE_SCRIPTS));
	print_field("", text, out);
	(void)snprintf(text, sizeof(text), "%lld listeners, %lld connections, %lld names",
		       number_of(profile, PROFILE_LISTENERS),
		       number_of(profile, PROFILE_CONNECTIONS), number_of(profile, PROFILE_NAMES));
	print_field("", text, out);
}

static void print_rules(const json_t *rules, FILE *out)
{
	char text[512];

	if (!json_is_object(rules))
		return;
	(void)snprintf(text, sizeof(text), "packets: %lld out, %lld in, %lld passing through",
		       number_of(rules, RULES_REFUSED_OUT), number_of(rules, RULES_REFUSED_IN),
		       number_of(rules, RULES_REFUSED_FORWARD));
	print_field("Refused", text, out);
	(void)snprintf(text, sizeof(text),
		       "%lld questions (%lld refused), %lld answers (%lld refused), %lld "
		       "addresses; the longest answer was held %.1f ms",
		       number_of(rules, RULES_QUESTIONS), number_of(rules, RULES_QUESTIONS_REFUSED),
		       number_of(rules, RULES_ANSWERS), number_of(rules, RULES_ANSWERS_REFUSED),
		       number_of(rules, RULES_NAMES),
		       (double)number_of(rules, RULES_LONGEST_US) / 1000);
	print_field("Names", text, out);
	(void)snprintf(text, sizeof(text), "%lld connections by their program (%lld refused)",
		       number_of(rules, RULES_FLOWS), number_of(rules, RULES_FLOWS_REFUSED));
	print_field("Bound", text, out);
}

static void print_quarantine(const json_t *quarantine, FILE *out)
{
	char text[256];

	if (!json_is_object(quarantine))
		return;
	(void)snprintf(
		text, sizeof(text),
		"%lld kept, %lld known, %lld beyond a limit, %lld failed, %lld left out",
		number_of(quarantine, QUARANTINE_KEPT), number_of(quarantine, QUARANTINE_KNOWN),
		number_of(quarantine, QUARANTINE_REFUSED), number_of(quarantine, QUARANTINE_FAILED),
		number_of(quarantine, QUARANTINE_LOST));
	print_field("Copies", text, out);
}

/* What should be none. */
static void print_denied_unseen(const json_t *counters, FILE *out)
{
	char text[256];

	if (!number_of(counters, COUNTER_UNREAD) && !number_of(counters, COUNTER_UNSEEN))
		return;
	(void)snprintf(text, sizeof(text),
		       "%lld denied because the kernel could not open them, %lld because guards "
		       "ended at them",
		       number_of(counters, COUNTER_UNREAD), number_of(counters, COUNTER_UNSEEN));
	print_field("Unseen", text, out);
}

static void print_counters(const json_t *counters, const json_t *events, FILE *out)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%lld (%lld permitted, %lld denied, %lld killed)",
		       number_of(counters, COUNTER_EVENTS), number_of(counters, COUNTER_PERMITTED),
		       number_of(counters, COUNTER_DENIED), number_of(counters, COUNTER_KILLED));
	print_field("Asked", text, out);
	(void)snprintf(text, sizeof(text), "%lld files, %.1f MiB; the longest answer took %.1f ms",
		       number_of(counters, COUNTER_HASHED_FILES),
		       (double)number_of(counters, COUNTER_HASHED_BYTES) / (1 << 20),
		       (double)number_of(counters, COUNTER_LONGEST_US) / 1000);
	print_field("Hashed", text, out);
	(void)snprintf(text, sizeof(text), "%lld", number_of(events, EVENTS_TOTAL_FINDINGS));
	print_field("Findings", text, out);
	if (number_of(counters, COUNTER_FINDINGS_LOST) || number_of(events, EVENTS_LOST_LINES) ||
	    number_of(counters, COUNTER_OVERFLOWS)) {
		(void)snprintf(text, sizeof(text),
			       "%lld findings, %lld lines of the event log, %lld overflows of the "
			       "kernel's queue",
			       number_of(counters, COUNTER_FINDINGS_LOST),
			       number_of(events, EVENTS_LOST_LINES),
			       number_of(counters, COUNTER_OVERFLOWS));
		print_field("Lost", text, out);
	}
	if (number_of(counters, COUNTER_EXAMINED)) {
		(void)snprintf(text, sizeof(text), "%lld files that no event brought",
			       number_of(counters, COUNTER_EXAMINED));
		print_field("Examined", text, out);
	}
	print_denied_unseen(counters, out);
}

typedef int (*add_row_fn)(struct table *table, const json_t *item);

static int add_layer(struct table *table, const json_t *layer)
{
	const char *cells[] = {event_text(layer, LAYER_NAME, NULL),
			       json_is_true(json_object_get(layer, LAYER_ON)) ? "on" : "off",
			       event_text(layer, LAYER_REASON, "")};

	return table_add(table, cells);
}

static int add_worker(struct table *table, const json_t *worker)
{
	char pid[CELL_SIZE];
	char restarts[CELL_SIZE];
	const char *cells[] = {event_text(worker, WORKER_NAME, NULL),
			       number_of(worker, WORKER_PID) > 0 ? pid : NULL, restarts};

	(void)snprintf(pid, sizeof(pid), "%lld", number_of(worker, WORKER_PID));
	(void)snprintf(restarts, sizeof(restarts), "%lld", number_of(worker, WORKER_RESTARTS));
	return table_add(table, cells);
}

static int add_setting(struct table *table, const json_t *setting)
{
	const char *cells[] = {
		event_text(setting, SETTING_SYSCTL, NULL),
		event_text(setting, SETTING_BEFORE, NULL), event_text(setting, SETTING_NOW, NULL),
		json_is_true(json_object_get(setting, SETTING_CHANGED)) ? "yes" : "no"};

	return table_add(table, cells);
}

static const struct table_column layer_columns[] = {
	{.heading = "LAYER"}, {.heading = "STATE"}, {.heading = "", .shrinks = true}};
static const struct table_column worker_columns[] = {{.heading = "WORKER"},
						     {.heading = "PROCESS", .right = true},
						     {.heading = "RESTARTS", .right = true}};
static const struct table_column setting_columns[] = {
	{.heading = "SETTING"}, {.heading = "BEFORE"}, {.heading = "NOW"}, {.heading = "CHANGED"}};

static const struct {
	const char *key;
	const struct table_column *columns;
	size_t column_count;
	add_row_fn add;
} tables[] = {
	{STATUS_LAYERS, layer_columns, array_length(layer_columns), add_layer},
	{STATUS_WORKERS, worker_columns, array_length(worker_columns), add_worker},
	{STATUS_SETTINGS, setting_columns, array_length(setting_columns), add_setting},
};

static int print_table(size_t number, const json_t *list, const struct table_style *style,
		       FILE *out)
{
	struct table *table;
	const json_t *item;
	int result = 0;
	size_t i;

	if (json_array_size(list) == 0)
		return 0;
	table = table_new(tables[number].columns, tables[number].column_count);
	if (!table)
		return -ENOMEM;
	json_array_foreach(list, i, item)
	{
		if (result == 0)
			result = tables[number].add(table, item);
	}
	if (result == 0) {
		(void)fputc('\n', out);
		table_print(table, style, out);
	}
	table_free(table);
	return result;
}

int status_report(const json_t *status, const json_t *findings, const struct table_style *style,
		  FILE *out)
{
	const json_t *item;
	size_t i;

	print_mode(status, out);
	print_profile(json_object_get(status, STATUS_PROFILE), out);
	print_counters(json_object_get(status, STATUS_COUNTERS),
		       json_object_get(status, STATUS_EVENTS), out);
	print_rules(json_object_get(status, STATUS_RULES), out);
	print_quarantine(json_object_get(status, STATUS_QUARANTINE), out);
	for (size_t number = 0; number < array_length(tables); number++) {
		int result = print_table(number, json_object_get(status, tables[number].key), style,
					 out);

		if (result < 0)
			return result;
	}
	if (json_array_size(findings) > 0) {
		(void)fputc('\n', out);
		table_print_title("LAST FINDINGS", style, out);
	}
	json_array_foreach(findings, i, item)
	{
		event_print(item, out);
	}
	return 0;
}

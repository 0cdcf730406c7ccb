/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands/show_tables.h"
#include "profiles/signature.h"

/* Evidence is whatever a file says: each value is looked at before it is used. */

#define LINE_SIZE 512

static void print_line(const char *name, const char *text, FILE *out)
{
	char printable[LINE_SIZE];

	text_printable(text, printable, sizeof(printable));
	(void)fprintf(out, "  %-10s %s\n", name, printable);
}

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

static void print_system(const struct profile *profile, FILE *out)
{
	const char *parts[] = {profile->operating_system, profile->kernel, profile->architecture};
	static const char *const prefixes[] = {"", "kernel ", ""};
	char line[LINE_SIZE] = "";
	size_t length = 0;

	for (size_t i = 0; i < 3; i++) {
		if (!parts[i] || length >= sizeof(line))
			continue;
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s%s%s",
					   length ? ", " : "", prefixes[i], parts[i]);
	}
	if (length)
		print_line("system", line, out);
}

/* "incomplete: it was ended early", "complete", or "" where nothing says. */
static void describe_completeness(const json_t *cycles, char *text, size_t size)
{
	bool said = false;
	const json_t *cycle;
	size_t i;

	text[0] = '\0';
	json_array_foreach(cycles, i, cycle)
	{
		const json_t *complete = json_object_get(cycle, "complete");

		said |= json_is_boolean(complete);
		if (!json_is_false(complete))
			continue;
		(void)snprintf(text, size, ", incomplete: %s",
			       text_of(cycle, "incomplete_reason", "no reason is given"));
		return;
	}
	if (said)
		(void)snprintf(text, size, ", complete");
}

static void print_cycles(const json_t *evidence, FILE *out)
{
	const json_t *cycles = json_object_get(evidence, "cycles");
	size_t count = json_array_size(cycles);
	char completeness[256];
	char line[LINE_SIZE];

	if (!count) {
		print_line("learnt", "nothing says when or for how long", out);
		return;
	}
	describe_completeness(cycles, completeness, sizeof(completeness));
	(void)snprintf(line, sizeof(line), "%s to %s, %zu %s%s",
		       text_of(json_array_get(cycles, 0), "started", "?"),
		       text_of(json_array_get(cycles, count - 1), "ended", "?"), count,
		       count == 1 ? "cycle" : "cycles", completeness);
	print_line("learnt", line, out);
}

static void print_unseen(const json_t *evidence, FILE *out)
{
	json_t *novelty = json_object_get(evidence, "novelty");
	char line[LINE_SIZE] = "";
	size_t length = 0;
	const char *class;
	json_t *numbers;

	json_object_foreach(novelty, class, numbers)
	{
		const json_t *probability = json_object_get(numbers, "unseen_probability");

		if (!json_is_number(probability) || length >= sizeof(line))
			continue;
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s%s %.2f %%",
					   length ? ", " : "", class,
					   100 * json_number_value(probability));
	}
	if (length)
		print_line("unseen", line, out);
}

static void print_losses(const json_t *evidence, FILE *out)
{
	static const struct {
		const char *object;
		const char *key;
		const char *what;
	} losses[] = {
		{"capture", "dropped", "packets"},
		{"process_events", "lost", "process events"},
	};
	char line[LINE_SIZE] = "";
	size_t length = 0;

	for (size_t i = 0; i < array_length(losses); i++) {
		const json_t *lost =
			json_object_get(json_object_get(evidence, losses[i].object), losses[i].key);

		if (json_is_integer(lost))
			length += (size_t)snprintf(line + length, sizeof(line) - length,
						   "%s%" JSON_INTEGER_FORMAT " %s",
						   length ? ", " : "", json_integer_value(lost),
						   losses[i].what);
	}
	if (length)
		print_line("lost", line, out);
}

/* Whether it holds is for check and verify to say. */
static void print_signature(const struct profile *profile, FILE *out)
{
	struct signature_info info;
	char line[LINE_SIZE] = "none";

	if (signature_read(profile, &info, NULL) == 0)
		(void)snprintf(line, sizeof(line), "version %" PRIu64 " with key %s, not verified",
			       info.version, info.key_id);
	else if (profile->signature)
		(void)snprintf(line, sizeof(line), "unreadable");
	print_line("signature", line, out);
}

void show_summary(const struct profile *profile, const struct table_style *style, FILE *out)
{
	char mac[MAC_TEXT_SIZE];

	mac_format(&profile->device_mac, mac);
	table_print_title(profile->device_name ? profile->device_name : "unnamed device", style,
			  out);
	if (profile->model)
		print_line("model", profile->model, out);
	print_system(profile, out);
	if (!mac_is_zero(&profile->device_mac))
		print_line("station", mac, out);
	print_cycles(profile->evidence, out);
	print_unseen(profile->evidence, out);
	print_losses(profile->evidence, out);
	print_signature(profile, out);
}

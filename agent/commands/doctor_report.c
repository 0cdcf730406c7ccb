/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/doctor_report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define INDENT	      "  "
#define TEXT_WIDTH    78
#define PRINTABLE_MAX 512

static const char *const state_names[] = {
	[CAPABILITY_ON] = "on",
	[CAPABILITY_OFF] = "off",
	[CAPABILITY_MISSING] = "missing",
	[CAPABILITY_UNKNOWN] = "unknown",
};

static void freejsonp(json_t **value)
{
	json_decref(*value);
}

static void freetablep(struct table **table)
{
	table_free(*table);
}

bool doctor_is_gap(const struct doctor_result *result, enum capability_state state)
{
	return state == CAPABILITY_OFF || state == CAPABILITY_MISSING ||
	       (state == CAPABILITY_UNKNOWN && !result->offline);
}

size_t doctor_gaps(const struct doctor_result *result)
{
	size_t gaps = 0;

	for (size_t i = 0; i < CAPABILITY_COUNT; i++)
		gaps += doctor_is_gap(result, result->findings[i].state);
	gaps += !result->offline && !result->holds_connections;
	return gaps;
}

/* Words in lines, each behind the indentation. */
static void print_wrapped(const char *label, const char *text, FILE *out)
{
	size_t column = (size_t)fprintf(out, INDENT INDENT "%s", label);

	while (*text) {
		size_t size = strcspn(text, " ");

		if (column + 1 + size > TEXT_WIDTH)
			column = (size_t)fprintf(out, "\n" INDENT INDENT "%*s", (int)strlen(label),
						 "") -
				 1;
		column += (size_t)fprintf(out, " %.*s", (int)size, text);
		text += size + strspn(text + size, " ");
	}
	(void)fputc('\n', out);
}

static int print_capabilities(const struct doctor_result *result, const struct table_style *style,
			      FILE *out)
{
	static const struct table_column columns[] = {
		{.heading = "CAPABILITY"}, {.heading = "STATE"}, {.heading = "SEEN"}};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		const struct capability_finding *finding = &result->findings[i];

		if (table_add(table,
			      (const char *const[]){finding->name, state_names[finding->state],
						    finding->detail}) < 0)
			return -ENOMEM;
	}
	table_print(table, style, out);
	return 0;
}

static int print_layers(const struct doctor_result *result, const struct table_style *style,
			FILE *out)
{
	static const struct table_column columns[] = {
		{.heading = "LAYER"}, {.heading = "STATE"}, {.heading = "WHAT IT DOES"}};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < DOCTOR_LAYERS; i++) {
		const struct doctor_layer *layer = &result->layers[i];
		char does[160];

		(void)snprintf(does, sizeof(does), layer->on ? "%s" : "lacks %s",
			       layer->on ? layer->does : layer->lacks);
		if (table_add(table, (const char *const[]){layer->name, layer->on ? "on" : "off",
							   does}) < 0)
			return -ENOMEM;
	}
	(void)fputc('\n', out);
	table_print(table, style, out);
	return 0;
}

static void print_gaps(const struct doctor_result *result, bool (*wanted)(enum capability_state),
		       const char *title, const struct table_style *style, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		const struct capability_finding *finding = &result->findings[i];

		if (!wanted(finding->state))
			continue;
		if (!any) {
			(void)fputc('\n', out);
			table_print_title(title, style, out);
		}
		any = true;
		(void)fprintf(out, INDENT "%s (%s)\n", finding->name, state_names[finding->state]);
		print_wrapped("open: ", finding->open, out);
		print_wrapped("close:", finding->remedy, out);
	}
}

static bool is_open(enum capability_state state)
{
	return state == CAPABILITY_OFF || state == CAPABILITY_MISSING;
}

static bool is_unknown(enum capability_state state)
{
	return state == CAPABILITY_UNKNOWN;
}

static void print_network(const struct doctor_result *result, const struct table_style *style,
			  FILE *out)
{
	(void)fputc('\n', out);
	table_print_title(result->holds_connections ? "Connections can be held"
						    : "Connections cannot be held",
			  style, out);
	for (size_t i = 0; i < DOCTOR_NETWORK; i++) {
		char says[DOCTOR_NETWORK_SAYS];

		text_printable(result->network[i].says, says, sizeof(says));
		(void)fprintf(out, INDENT "%s (%s)\n", result->network[i].name,
			      result->network[i].good ? "good" : "see");
		print_wrapped("", says, out);
	}
}

static void print_surroundings(const struct doctor_result *result, const struct table_style *style,
			       FILE *out)
{
	(void)fputc('\n', out);
	table_print_title("Around it", style, out);
	for (size_t i = 0; i < DOCTOR_SURROUNDINGS; i++) {
		(void)fprintf(out, INDENT "%s\n", result->surroundings[i].name);
		print_wrapped("", result->surroundings[i].says, out);
	}
	if (result->security_modules[0]) {
		(void)fprintf(out, INDENT "security modules\n");
		print_wrapped("", result->security_modules, out);
	}
}

int doctor_report_text(const struct doctor_result *result, const struct table_style *style,
		       FILE *out)
{
	char kernel[PRINTABLE_MAX];

	text_printable(result->kernel, kernel, sizeof(kernel));
	(void)fprintf(out, "%s\n\n", kernel);
	if (print_capabilities(result, style, out) < 0 || print_layers(result, style, out) < 0)
		return -ENOMEM;
	print_gaps(result, is_open, "What stays open, and how to close it", style, out);
	print_gaps(result, is_unknown,
		   result->offline ? "Decided by how the firmware is run"
				   : "What could not be tried",
		   style, out);
	if (!result->offline) {
		print_network(result, style, out);
		print_surroundings(result, style, out);
	}
	return 0;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* Takes the value over. */
static void put(json_t *object, const char *key, json_t *value, bool *broken)
{
	if (json_object_set_new(object, key, value) < 0)
		*broken = true;
}

static json_t *capability_json(const struct capability_finding *finding, bool *broken)
{
	json_t *object = json_object();

	put(object, "name", json_string(finding->name), broken);
	put(object, "state", json_string(state_names[finding->state]), broken);
	put(object, "what", json_string(finding->what), broken);
	put(object, "open", text_or_null(finding->open), broken);
	put(object, "remedy", text_or_null(finding->remedy), broken);
	put(object, "detail", json_string(finding->detail), broken);
	return object;
}

static json_t *layer_json(const struct doctor_layer *layer, bool *broken)
{
	json_t *object = json_object();

	put(object, "name", json_string(layer->name), broken);
	put(object, "on", json_boolean(layer->on), broken);
	put(object, "does", json_string(layer->does), broken);
	put(object, "lacks", text_or_null(layer->lacks), broken);
	return object;
}

static json_t *surrounding_json(const struct doctor_surrounding *surrounding, bool *broken)
{
	json_t *object = json_object();

	put(object, "name", json_string(surrounding->name), broken);
	put(object, "good", json_boolean(surrounding->good), broken);
	put(object, "says", json_string(surrounding->says), broken);
	return object;
}

static json_t *network_json(const struct doctor_network_row *row, bool *broken)
{
	_cleanup_(freep) char *says = text_escape(row->says, PRINTABLE_MAX);
	json_t *object = json_object();

	put(object, "name", json_string(row->name), broken);
	put(object, "good", json_boolean(row->good), broken);
	put(object, "says", text_or_null(says), broken);
	return object;
}

/* null where nothing could be tried */
static json_t *connections_json(const struct doctor_result *result, bool *broken)
{
	json_t *object = json_object();
	json_t *rows = json_array();

	if (result->offline) {
		json_decref(object);
		json_decref(rows);
		return json_null();
	}
	for (size_t i = 0; i < DOCTOR_NETWORK; i++)
		*broken |=
			json_array_append_new(rows, network_json(&result->network[i], broken)) < 0;
	put(object, "on", json_boolean(result->holds_connections), broken);
	put(object, "rows", rows, broken);
	return object;
}

int doctor_report_json(const struct doctor_result *result, FILE *out)
{
	_cleanup_(freejsonp) json_t *whole = json_object();
	json_t *capabilities = json_array();
	json_t *layers = json_array();
	json_t *surroundings = json_array();
	_cleanup_(freep) char *kernel = text_escape(result->kernel, PRINTABLE_MAX);
	bool broken = !kernel;

	for (size_t i = 0; i < CAPABILITY_COUNT; i++)
		broken |= json_array_append_new(capabilities,
						capability_json(&result->findings[i], &broken)) < 0;
	for (size_t i = 0; i < DOCTOR_LAYERS; i++)
		broken |=
			json_array_append_new(layers, layer_json(&result->layers[i], &broken)) < 0;
	for (size_t i = 0; i < DOCTOR_SURROUNDINGS && !result->offline; i++)
		broken |= json_array_append_new(
				  surroundings,
				  surrounding_json(&result->surroundings[i], &broken)) < 0;
	put(whole, "kernel", json_string(kernel ? kernel : ""), &broken);
	put(whole, "offline", json_boolean(result->offline), &broken);
	put(whole, "gaps", json_integer((json_int_t)doctor_gaps(result)), &broken);
	put(whole, "security_modules", json_string(result->security_modules), &broken);
	put(whole, "capabilities", capabilities, &broken);
	put(whole, "layers", layers, &broken);
	put(whole, "connections", connections_json(result, &broken), &broken);
	put(whole, "surroundings", surroundings, &broken);
	if (broken)
		return -ENOMEM;
	if (json_dumpf(whole, out, JSON_INDENT(2)) < 0)
		return -EIO;
	(void)fputc('\n', out);
	return 0;
}

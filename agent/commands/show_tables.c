/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/show_tables.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define CHECKSUM_SHOWN 12 /* digits, enough to tell two files apart by eye */

struct show {
	const json_t *entries; /* evidence per entry, or NULL */
	bool all;
	const struct table_style *style;
	FILE *out;
};

static void freetablep(struct table **table)
{
	table_free(*table);
}

static void freetextp(struct text *text)
{
	text_free(text);
}

static void print_title(const struct show *show, const char *title, size_t count)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "%s (%zu)", title, count);
	(void)fputc('\n', show->out);
	table_print_title(line, show->style, show->out);
}

static void shorten_checksum(const struct show *show, const char *sha256, char *text, size_t size)
{
	(void)snprintf(text, size, "%.*s", show->all ? 64 : CHECKSUM_SHOWN,
		       sha256 ? sha256 : "not known");
}

static void append_list(struct text *text, const struct string_list *list, const char *separator)
{
	for (size_t i = 0; i < list->count; i++)
		text_printf(text, "%s%s", i ? separator : "", list->items[i]);
	if (!list->count)
		text_append(text, "-");
}

static void append_arguments(struct text *text, const struct profile_program *program)
{
	if (program->any_arguments)
		text_append(text, "any");
	else if (!program->argument_count)
		text_append(text, "not known");
	for (size_t i = 0; i < program->argument_count && !program->any_arguments; i++) {
		text_append(text, i ? " | " : "");
		append_list(text, &program->arguments[i], " ");
	}
}

static int show_programs(const struct show *show, const struct profile *profile)
{
	static const struct table_column columns[] = {
		{"PROGRAM", .shrinks = true},	 {"SHA-256", false, false},
		{"PHASE", false, false},	 {"USERS", .shrinks = true},
		{"STARTED BY", .shrinks = true}, {"ARGUMENTS", .shrinks = true},
	};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < profile->program_count; i++) {
		const struct profile_program *program = &profile->programs[i];
		_cleanup_(freetextp) struct text users = {0};
		_cleanup_(freetextp) struct text parents = {0};
		_cleanup_(freetextp) struct text arguments = {0};
		char sha256[65];

		shorten_checksum(show, program->sha256, sha256, sizeof(sha256));
		append_list(&users, &program->users, ",");
		append_list(&parents, &program->parents, ",");
		append_arguments(&arguments, program);
		if (table_add(table,
			      (const char *[]){program->path, sha256, phase_name(program->phase),
					       users.bytes, parents.bytes, arguments.bytes}) < 0)
			return -ENOMEM;
	}
	print_title(show, "Programs", profile->program_count);
	table_print(table, show->style, show->out);
	return 0;
}

static size_t count_reads(const struct profile *profile)
{
	size_t count = 0;

	for (size_t i = 0; i < profile->program_count; i++)
		count += profile->programs[i].reads.count;
	return count;
}

static int show_reads(const struct show *show, const struct profile *profile)
{
	static const struct table_column columns[] = {
		{"READ BY", .shrinks = true},
		{"FILE, OR FILES IN", .shrinks = true},
	};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < profile->program_count; i++) {
		const struct profile_program *program = &profile->programs[i];

		for (size_t j = 0; j < program->reads.count; j++)
			if (table_add(table,
				      (const char *[]){program->path, program->reads.items[j]}) < 0)
				return -ENOMEM;
	}
	print_title(show, "Reads", count_reads(profile));
	table_print(table, show->style, show->out);
	return 0;
}

static int show_scripts(const struct show *show, const struct profile *profile)
{
	static const struct table_column columns[] = {
		{"SCRIPT", .shrinks = true},
		{"SHA-256", false, false},
		{"INTERPRETER", .shrinks = true},
	};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < profile->script_count; i++) {
		const struct profile_script *script = &profile->scripts[i];
		char sha256[65];

		shorten_checksum(show, script->sha256, sha256, sizeof(sha256));
		if (table_add(table, (const char *[]){script->path, sha256, script->interpreter}) <
		    0)
			return -ENOMEM;
	}
	print_title(show, "Scripts", profile->script_count);
	table_print(table, show->style, show->out);
	return 0;
}

static int show_libraries(const struct show *show, const struct profile *profile)
{
	static const struct table_column columns[] = {
		{"LIBRARY", .shrinks = true},
		{"SHA-256", false, false},
	};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	print_title(show, "Libraries", profile->library_count);
	if (!show->all) {
		(void)fputs("--all lists them\n", show->out);
		return 0;
	}
	for (size_t i = 0; i < profile->library_count; i++) {
		const struct profile_library *library = &profile->libraries[i];
		char sha256[65];

		shorten_checksum(show, library->sha256, sha256, sizeof(sha256));
		if (table_add(table, (const char *[]){library->path, sha256}) < 0)
			return -ENOMEM;
	}
	table_print(table, show->style, show->out);
	return 0;
}

/* What the evidence says of an entry: how often and when last; "-" and NULL where it says nothing.
 */
struct entry_evidence {
	char count[24];
	const char *last;
};

static void find_evidence(const struct show *show, char *label, struct entry_evidence *evidence)
{
	const json_t *entry = label ? json_object_get(show->entries, label) : NULL;
	const json_t *count = json_object_get(entry, "count");

	*evidence = (struct entry_evidence){.count = "-"};
	if (json_is_integer(count))
		(void)snprintf(evidence->count, sizeof(evidence->count), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(count));
	evidence->last = json_string_value(json_object_get(entry, "last_seen"));
	free(label);
}

static int show_listeners(const struct show *show, const struct profile_network *network)
{
	static const struct table_column columns[] = {
		{"PROTOCOL", false, false}, {"ADDRESS", false, false},	  {"FAMILY", false, false},
		{"PORT", .right = true},    {"PROGRAM", .shrinks = true}, {"SEEN", .right = true},
		{"LAST", false, false},
	};
	size_t column_count = array_length(columns) - (show->entries ? 0 : 2);
	_cleanup_(freetablep) struct table *table = table_new(columns, column_count);

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < network->listener_count; i++) {
		const struct profile_listener *listener = &network->listeners[i];
		const char *family = listener->ipv4 && listener->ipv6 ? "ipv4,ipv6"
				     : listener->ipv4		      ? "ipv4"
								      : "ipv6";
		char protocol[PROTOCOL_TEXT_SIZE];
		char address[IP_TEXT_SIZE];
		char port[8];
		struct entry_evidence evidence;

		protocol_format(listener->protocol, protocol);
		listener_address_format(listener, address);
		(void)snprintf(port, sizeof(port), "%u", listener->port);
		find_evidence(show, listener_label(listener), &evidence);
		if (table_add(table,
			      (const char *[]){protocol, address, family, port, listener->program,
					       evidence.count, evidence.last}) < 0)
			return -ENOMEM;
	}
	print_title(show, "Listeners", network->listener_count);
	table_print(table, show->style, show->out);
	return 0;
}

static int show_connections(const struct show *show, const struct profile_network *network)
{
	static const struct table_column columns[] = {
		{"PROTOCOL", false, false},   {"PEER", .shrinks = true}, {"PORT", .right = true},
		{"PROGRAM", .shrinks = true}, {"SEEN", .right = true},	 {"LAST", false, false},
	};
	size_t column_count = array_length(columns) - (show->entries ? 0 : 2);
	_cleanup_(freetablep) struct table *table = table_new(columns, column_count);

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < network->connection_count; i++) {
		const struct profile_connection *connection = &network->connections[i];
		_cleanup_(freep) char *peer = peer_label(connection);
		char protocol[PROTOCOL_TEXT_SIZE];
		char port[PORT_TEXT_SIZE];
		struct entry_evidence evidence;

		protocol_format(connection->protocol, protocol);
		connection_port_format(connection, port);
		find_evidence(show, connection_label(connection), &evidence);
		if (!peer ||
		    table_add(table, (const char *[]){protocol, peer, port, connection->program,
						      evidence.count, evidence.last}) < 0)
			return -ENOMEM;
	}
	print_title(show, "Connections", network->connection_count);
	table_print(table, show->style, show->out);
	return 0;
}

static int show_names(const struct show *show, const struct profile_network *network)
{
	static const struct table_column columns[] = {{"NAME", .shrinks = true}};
	_cleanup_(freetablep) struct table *table = table_new(columns, array_length(columns));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < network->names.count; i++)
		if (table_add(table, (const char *[]){network->names.items[i]}) < 0)
			return -ENOMEM;
	print_title(show, "Names", network->names.count);
	table_print(table, show->style, show->out);
	return 0;
}

static int show_network(const struct show *show, const struct profile_network *network)
{
	int result = 0;

	if (network->listener_count)
		result = show_listeners(show, network);
	if (result == 0 && network->connection_count)
		result = show_connections(show, network);
	if (result == 0 && network->names.count)
		result = show_names(show, network);
	return result;
}

static int show_device(const struct show *show, const struct profile_device *device)
{
	/* entries of the evidence are this host's */
	struct show without_evidence = {.all = show->all, .style = show->style, .out = show->out};
	_cleanup_(freetextp) struct text line = {0};
	char mac[MAC_TEXT_SIZE];

	mac_format(&device->mac, mac);
	text_printf(&line, "Device %s %s", mac, device->name ? device->name : "");
	for (size_t i = 0; i < device->addresses.count; i++)
		text_printf(&line, "%s %s", i || device->name ? "," : "",
			    device->addresses.items[i]);
	if (device->upload_kbit)
		text_printf(&line, ", at most %" PRIu64 " kbit/s up", device->upload_kbit);
	if (device->isolated)
		text_append(&line, ", isolated");
	if (line.broken)
		return -ENOMEM;
	(void)fputc('\n', show->out);
	table_print_title(line.bytes, show->style, show->out);
	return show_network(&without_evidence, &device->network);
}

int show_tables(const struct profile *profile, bool all, const struct table_style *style, FILE *out)
{
	const json_t *entries = json_object_get(profile->evidence, "entries");
	struct show show = {json_object_size(entries) ? entries : NULL, all, style, out};
	int result = 0;

	show_summary(profile, style, out);
	if (profile->program_count)
		result = show_programs(&show, profile);
	if (result == 0 && count_reads(profile))
		result = show_reads(&show, profile);
	if (result == 0 && profile->script_count)
		result = show_scripts(&show, profile);
	if (result == 0 && profile->library_count)
		result = show_libraries(&show, profile);
	if (result == 0)
		result = show_network(&show, &profile->network);
	for (size_t i = 0; result == 0 && i < profile->device_count; i++)
		result = show_device(&show, &profile->devices[i]);
	return result;
}

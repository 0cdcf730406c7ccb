/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/check_findings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MESSAGE_SIZE 512

struct check {
	const struct profile *profile;
	const char *architecture;
	finding_fn found;
	void *context;
};

static void report(const struct check *check, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void report(const struct check *check, const char *place, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	check->found(check->context, place, message);
}

static void find_other_architecture(const struct check *check)
{
	const char *architecture = check->profile->architecture;

	/* a recording's profile is of another device anyway */
	if (!architecture || !check->architecture || !mac_is_zero(&check->profile->device_mac))
		return;
	if (strcmp(architecture, check->architecture) != 0)
		report(check, "/device/architecture", "learnt on %s, this machine is %s",
		       architecture, check->architecture);
}

static void find_incomplete_cycles(const struct check *check)
{
	const json_t *cycles = json_object_get(check->profile->evidence, "cycles");
	const json_t *cycle;
	size_t i;

	if (json_array_size(cycles) == 0)
		report(check, "/evidence", "nothing says when or for how long it was learnt");
	json_array_foreach(cycles, i, cycle)
	{
		const char *reason = json_string_value(json_object_get(cycle, "incomplete_reason"));
		char place[48];

		if (!json_is_false(json_object_get(cycle, "complete")))
			continue;
		(void)snprintf(place, sizeof(place), "/evidence/cycles/%zu", i);
		report(check, place, "incomplete cycle: %s",
		       reason ? reason : "no reason is given");
	}
}

static void find_missing_checksums(const struct check *check)
{
	const struct profile *profile = check->profile;
	const char *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < profile->program_count; i++) {
		if (profile->programs[i].sha256)
			continue;
		count++;
		if (!first)
			first = profile->programs[i].path;
	}
	if (count)
		report(check, "/policy/programs",
		       "%zu without a checksum, the first is %s; such a program is only a name",
		       count, first);
}

static int compare_path(const void *path, const void *program)
{
	return strcmp(path, ((const struct profile_program *)program)->path);
}

/* Programs are in canonical order: by path. */
static bool is_program(const struct profile *profile, const char *path)
{
	return bsearch(path, profile->programs, profile->program_count, sizeof(*profile->programs),
		       compare_path) != NULL;
}

static void find_strange_owners(const struct check *check)
{
	const struct profile *profile = check->profile;
	const struct profile_network *network = &profile->network;

	for (size_t i = 0; i < network->listener_count; i++) {
		_cleanup_(freep) char *label = NULL;

		if (!network->listeners[i].program ||
		    is_program(profile, network->listeners[i].program))
			continue;
		label = listener_label(&network->listeners[i]);
		report(check, "/policy/listeners", "its program is not in the profile: %s",
		       label ? label : "");
	}
	for (size_t i = 0; i < network->connection_count; i++) {
		_cleanup_(freep) char *label = NULL;

		if (!network->connections[i].program ||
		    is_program(profile, network->connections[i].program))
			continue;
		label = connection_label(&network->connections[i]);
		report(check, "/policy/connections", "its program is not in the profile: %s",
		       label ? label : "");
	}
}

static bool is_wide(const struct profile_connection *connection)
{
	if (connection->peer_kind == PEER_ROLE)
		return connection->role == ROLE_INTERNET;
	if (connection->peer_kind == PEER_DOMAIN)
		return !strchr(connection->name, '.');
	return connection->peer_kind == PEER_ADDRESS && connection->prefix_length == 0;
}

static void find_wide_peers(const struct check *check)
{
	const struct profile_network *network = &check->profile->network;

	for (size_t i = 0; i < network->connection_count; i++) {
		_cleanup_(freep) char *label = NULL;

		if (!is_wide(&network->connections[i]))
			continue;
		label = connection_label(&network->connections[i]);
		report(check, "/policy/connections", "open to peers that were never seen: %s",
		       label ? label : "");
	}
}

static void (*const finders[])(const struct check *check) = {
	find_other_architecture, find_incomplete_cycles, find_missing_checksums,
	find_strange_owners,	 find_wide_peers,
};

void check_findings(const struct profile *profile, const char *architecture, finding_fn found,
		    void *context)
{
	const struct check check = {profile, architecture, found, context};

	for (size_t i = 0; i < array_length(finders); i++)
		finders[i](&check);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/filter.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/parts.h"

typedef bool (*keep_fn)(const void *item, const struct profile_filter *filter);

static bool fits(const char *pattern, const char *text)
{
	if (!pattern)
		return true;
	if (!text)
		return false;
	if (strpbrk(pattern, "*?["))
		return fnmatch(pattern, text, 0) == 0;
	return strstr(text, pattern) != NULL;
}

static void keep_items(void *array, size_t *count, size_t item_size, keep_fn keep, clear_fn clear,
		       const struct profile_filter *filter)
{
	char *items = array;
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		char *item = items + i * item_size;

		if (!keep(item, filter)) {
			clear(item);
			continue;
		}
		if (kept != i)
			memcpy(items + kept * item_size, item, item_size);
		kept++;
	}
	*count = kept;
}

static bool keep_program(const void *item, const struct profile_filter *filter)
{
	const struct profile_program *program = item;

	return !filter->peer && fits(filter->program, program->path);
}

static bool keep_script(const void *item, const struct profile_filter *filter)
{
	const struct profile_script *script = item;

	return !filter->peer &&
	       (fits(filter->program, script->path) || fits(filter->program, script->interpreter));
}

static bool keep_library(const void *item, const struct profile_filter *filter)
{
	(void)item;
	return !filter->program && !filter->peer;
}

static bool keep_listener(const void *item, const struct profile_filter *filter)
{
	const struct profile_listener *listener = item;

	return !filter->peer && fits(filter->program, listener->program);
}

static bool keep_connection(const void *item, const struct profile_filter *filter)
{
	const struct profile_connection *connection = item;
	char *label = filter->peer ? peer_label(connection) : NULL;
	/* "role gateway": what is asked for is the part after the kind */
	const char *peer = label ? strchr(label, ' ') : NULL;
	bool keep = fits(filter->peer, peer ? peer + 1 : NULL) &&
		    fits(filter->program, connection->program);

	free(label);
	return keep;
}

static bool keep_name(const void *item, const struct profile_filter *filter)
{
	return !filter->program && fits(filter->peer, *(char *const *)item);
}

static void clear_name(void *item)
{
	free(*(char **)item);
}

static bool keep_device(const void *item, const struct profile_filter *filter)
{
	const struct profile_device *device = item;

	(void)filter;
	return device->network.listener_count || device->network.connection_count ||
	       device->network.names.count;
}

static void keep_network(struct profile_network *network, const struct profile_filter *filter)
{
	keep_items(network->listeners, &network->listener_count, sizeof(*network->listeners),
		   keep_listener, listener_clear, filter);
	keep_items(network->connections, &network->connection_count, sizeof(*network->connections),
		   keep_connection, connection_clear, filter);
	keep_items(network->names.items, &network->names.count, sizeof(*network->names.items),
		   keep_name, clear_name, filter);
}

void profile_keep(struct profile *profile, const struct profile_filter *filter)
{
	if (!filter->program && !filter->peer)
		return;
	keep_items(profile->programs, &profile->program_count, sizeof(*profile->programs),
		   keep_program, program_clear, filter);
	keep_items(profile->scripts, &profile->script_count, sizeof(*profile->scripts), keep_script,
		   script_clear, filter);
	keep_items(profile->libraries, &profile->library_count, sizeof(*profile->libraries),
		   keep_library, library_clear, filter);
	keep_network(&profile->network, filter);
	for (size_t i = 0; i < profile->device_count; i++)
		keep_network(&profile->devices[i].network, filter);
	keep_items(profile->devices, &profile->device_count, sizeof(*profile->devices), keep_device,
		   device_clear, filter);
	json_decref(profile->signature);
	profile->signature = NULL;
}

static bool is_other_program(const void *item, const struct profile_filter *filter)
{
	return strcmp(((const struct profile_program *)item)->path, filter->program) != 0;
}

static bool is_other_script(const void *item, const struct profile_filter *filter)
{
	return strcmp(((const struct profile_script *)item)->path, filter->program) != 0;
}

static bool is_other_library(const void *item, const struct profile_filter *filter)
{
	return strcmp(((const struct profile_library *)item)->path, filter->program) != 0;
}

void profile_drop_program(struct profile *profile, const char *path)
{
	const struct profile_filter exact = {.program = path};

	keep_items(profile->programs, &profile->program_count, sizeof(*profile->programs),
		   is_other_program, program_clear, &exact);
}

void profile_drop_script(struct profile *profile, const char *path)
{
	const struct profile_filter exact = {.program = path};

	keep_items(profile->scripts, &profile->script_count, sizeof(*profile->scripts),
		   is_other_script, script_clear, &exact);
}

void profile_drop_library(struct profile *profile, const char *path)
{
	const struct profile_filter exact = {.program = path};

	keep_items(profile->libraries, &profile->library_count, sizeof(*profile->libraries),
		   is_other_library, library_clear, &exact);
}

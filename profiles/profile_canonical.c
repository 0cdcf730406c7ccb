/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "profiles/parts.h"

/* Moves what duplicate knows and kept does not into kept; duplicate is cleared afterwards. */
typedef void (*join_fn)(void *kept, void *duplicate);

/* Sorts, and of several items with one identity keeps the first. */
static void sort_and_join(void *array, size_t *count, size_t item_size, compare_fn compare,
			  join_fn join, clear_fn clear)
{
	char *items = array;
	size_t kept = 0;

	if (is_ascending(array, *count, item_size, compare))
		return;
	qsort(items, *count, item_size, compare);
	for (size_t i = 1; i < *count; i++) {
		char *item = items + i * item_size;

		if (compare(items + kept * item_size, item) == 0) {
			if (join)
				join(items + kept * item_size, item);
			clear(item);
			continue;
		}
		kept++;
		if (kept != i)
			memcpy(items + kept * item_size, item, item_size);
	}
	*count = kept + 1;
}

static void clear_string(void *item)
{
	free(*(char **)item);
}

static void sort_strings(struct string_list *list)
{
	sort_and_join(list->items, &list->count, sizeof(*list->items), string_compare, NULL,
		      clear_string);
}

/* Hands the items of one list over to the other. Where memory is out they stay where they are. */
static void move_strings(struct string_list *to, struct string_list *from)
{
	while (from->count > 0 &&
	       array_reserve(&to->items, &to->capacity, to->count, sizeof(*to->items)) == 0)
		to->items[to->count++] = from->items[--from->count];
}

static void clear_vector(void *item)
{
	string_list_free(item);
}

static void clear_vectors(struct profile_program *program)
{
	while (program->argument_count > 0)
		string_list_free(&program->arguments[--program->argument_count]);
}

static bool is_covered(const struct string_list *places, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	size_t low = 0;
	size_t high = places->count;

	if (!slash || !slash[1])
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *place = places->items[middle];
		int order = strncmp(place, path, length);

		if (order == 0 && !place[length])
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* A directory stands for the files right in it: these need not be there as well. */
static void sort_places(struct string_list *places)
{
	struct string_list kept = {0};

	sort_strings(places);
	/* a directory comes before what is in it, and is never covered itself */
	kept = *places;
	kept.count = 0;
	for (size_t i = 0; i < places->count; i++) {
		char *place = places->items[i];

		if (is_covered(&kept, place))
			free(place);
		else
			kept.items[kept.count++] = place;
	}
	*places = kept;
}

static void sort_program(struct profile_program *program)
{
	sort_strings(&program->users);
	sort_strings(&program->parents);
	if (program->any_arguments) {
		clear_vectors(program);
		string_list_free(&program->reads);
		program->knows_reads = false;
	}
	sort_places(&program->reads);
	sort_and_join(program->arguments, &program->argument_count, sizeof(*program->arguments),
		      string_list_compare, NULL, clear_vector);
}

/* The same file seen twice: whatever either of them did, it does. */
static void join_programs(void *kept, void *duplicate)
{
	struct profile_program *to = kept;
	struct profile_program *from = duplicate;

	to->phase |= from->phase;
	to->any_arguments |= from->any_arguments;
	to->knows_reads |= from->knows_reads;
	move_strings(&to->reads, &from->reads);
	move_strings(&to->users, &from->users);
	move_strings(&to->parents, &from->parents);
	while (from->argument_count > 0 && !to->any_arguments) {
		struct string_list *vector = program_add_arguments(to);

		if (!vector)
			break;
		*vector = from->arguments[--from->argument_count];
	}
}

static void join_listeners(void *kept, void *duplicate)
{
	struct profile_listener *to = kept;
	const struct profile_listener *from = duplicate;

	to->ipv4 |= from->ipv4;
	to->ipv6 |= from->ipv6;
}

static void join_networks(struct profile_network *to, struct profile_network *from)
{
	while (from->listener_count > 0) {
		struct profile_listener *listener = network_add_listener(to);

		if (!listener)
			break;
		*listener = from->listeners[--from->listener_count];
	}
	while (from->connection_count > 0) {
		struct profile_connection *connection = network_add_connection(to);

		if (!connection)
			break;
		*connection = from->connections[--from->connection_count];
	}
	move_strings(&to->names, &from->names);
}

static void join_devices(void *kept, void *duplicate)
{
	struct profile_device *to = kept;
	struct profile_device *from = duplicate;

	move_strings(&to->addresses, &from->addresses);
	join_networks(&to->network, &from->network);
}

static void sort_network(struct profile_network *network)
{
	sort_and_join(network->listeners, &network->listener_count, sizeof(*network->listeners),
		      listener_compare, join_listeners, listener_clear);
	sort_and_join(network->connections, &network->connection_count,
		      sizeof(*network->connections), connection_compare, NULL, connection_clear);
	sort_strings(&network->names);
}

void profile_canonicalise(struct profile *profile)
{
	sort_and_join(profile->programs, &profile->program_count, sizeof(*profile->programs),
		      program_compare, join_programs, program_clear);
	for (size_t i = 0; i < profile->program_count; i++)
		sort_program(&profile->programs[i]);
	sort_and_join(profile->scripts, &profile->script_count, sizeof(*profile->scripts),
		      script_compare, NULL, script_clear);
	sort_and_join(profile->libraries, &profile->library_count, sizeof(*profile->libraries),
		      library_compare, NULL, library_clear);
	sort_network(&profile->network);
	sort_strings(&profile->bridge_lan);
	sort_and_join(profile->devices, &profile->device_count, sizeof(*profile->devices),
		      device_compare, join_devices, device_clear);
	for (size_t i = 0; i < profile->device_count; i++) {
		sort_strings(&profile->devices[i].addresses);
		sort_network(&profile->devices[i].network);
	}
}

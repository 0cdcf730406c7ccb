/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/profile.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "profiles/parts.h"

struct profile *profile_new(void)
{
	return calloc(1, sizeof(struct profile));
}

void program_clear(void *item)
{
	struct profile_program *program = item;

	free(program->path);
	free(program->sha256);
	string_list_free(&program->users);
	string_list_free(&program->parents);
	for (size_t i = 0; i < program->argument_count; i++)
		string_list_free(&program->arguments[i]);
	free(program->arguments);
	string_list_free(&program->reads);
}

void script_clear(void *item)
{
	struct profile_script *script = item;

	free(script->path);
	free(script->sha256);
	free(script->interpreter);
}

void library_clear(void *item)
{
	struct profile_library *library = item;

	free(library->path);
	free(library->sha256);
}

void listener_clear(void *item)
{
	struct profile_listener *listener = item;

	free(listener->program);
}

void connection_clear(void *item)
{
	struct profile_connection *connection = item;

	free(connection->name);
	free(connection->program);
}

static void network_clear(struct profile_network *network)
{
	for (size_t i = 0; i < network->listener_count; i++)
		listener_clear(&network->listeners[i]);
	free(network->listeners);
	for (size_t i = 0; i < network->connection_count; i++)
		connection_clear(&network->connections[i]);
	free(network->connections);
	string_list_free(&network->names);
}

void device_clear(void *item)
{
	struct profile_device *device = item;

	free(device->name);
	string_list_free(&device->addresses);
	network_clear(&device->network);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	free(profile->device_name);
	free(profile->model);
	free(profile->architecture);
	free(profile->operating_system);
	free(profile->kernel);
	for (size_t i = 0; i < profile->program_count; i++)
		program_clear(&profile->programs[i]);
	free(profile->programs);
	for (size_t i = 0; i < profile->script_count; i++)
		script_clear(&profile->scripts[i]);
	free(profile->scripts);
	for (size_t i = 0; i < profile->library_count; i++)
		library_clear(&profile->libraries[i]);
	free(profile->libraries);
	network_clear(&profile->network);
	string_list_free(&profile->bridge_lan);
	free(profile->bridge_wan);
	for (size_t i = 0; i < profile->device_count; i++)
		device_clear(&profile->devices[i]);
	free(profile->devices);
	json_decref(profile->evidence);
	json_decref(profile->signature);
	free(profile);
}

void profile_freep(struct profile **profile)
{
	profile_free(*profile);
}

/* One more zeroed item at the end of a growing array, or NULL. */
static void *add_item(void *array_pointer, size_t *capacity, size_t *count, size_t item_size)
{
	char **array = array_pointer;
	char *item;

	if (array_reserve(array_pointer, capacity, *count, item_size) < 0)
		return NULL;
	item = *array + (*count)++ * item_size;
	memset(item, 0, item_size);
	return item;
}

struct profile_program *profile_add_program(struct profile *profile)
{
	return add_item(&profile->programs, &profile->program_capacity, &profile->program_count,
			sizeof(*profile->programs));
}

struct profile_script *profile_add_script(struct profile *profile)
{
	return add_item(&profile->scripts, &profile->script_capacity, &profile->script_count,
			sizeof(*profile->scripts));
}

struct profile_library *profile_add_library(struct profile *profile)
{
	return add_item(&profile->libraries, &profile->library_capacity, &profile->library_count,
			sizeof(*profile->libraries));
}

struct profile_device *profile_add_device(struct profile *profile)
{
	return add_item(&profile->devices, &profile->device_capacity, &profile->device_count,
			sizeof(*profile->devices));
}

struct profile_listener *network_add_listener(struct profile_network *network)
{
	return add_item(&network->listeners, &network->listener_capacity, &network->listener_count,
			sizeof(*network->listeners));
}

struct profile_connection *network_add_connection(struct profile_network *network)
{
	return add_item(&network->connections, &network->connection_capacity,
			&network->connection_count, sizeof(*network->connections));
}

struct string_list *program_add_arguments(struct profile_program *program)
{
	return add_item(&program->arguments, &program->argument_capacity, &program->argument_count,
			sizeof(*program->arguments));
}

int string_list_add(struct string_list *list, const char *string)
{
	char *copy = strdup(string);

	if (!copy ||
	    array_reserve(&list->items, &list->capacity, list->count, sizeof(*list->items)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	list->items[list->count++] = copy;
	return 0;
}

bool string_list_contains(const struct string_list *list, const char *string)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], string) == 0)
			return true;
	return false;
}

void string_list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){0};
}

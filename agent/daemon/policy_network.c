/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/policy_network.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "profiles/profile_json.h"

static const char *const evidence_parts[] = {"addresses", "roles"};

int policy_memory_new(const char *name, const void *bytes, size_t size, int *ret_memory,
		      struct error *error)
{
	_cleanup_(closep) int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result;

	if (memory < 0)
		return error_set(error, errno, "cannot make memory for the policy: %s",
				 strerror(errno));
	result = write_all(memory, bytes, size);
	if (result == 0 && fcntl(memory, F_ADD_SEALS,
				 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		result = -errno;
	if (result < 0)
		return error_set(error, -result, "cannot keep the policy in memory: %s",
				 strerror(-result));
	*ret_memory = take_fd(&memory);
	return 0;
}

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int copy_listener(const struct profile_listener *from, struct profile_network *network)
{
	struct profile_listener *to = network_add_listener(network);

	if (!to)
		return -ENOMEM;
	*to = *from;
	return copy_text(from->program, &to->program);
}

static int copy_connection(const struct profile_connection *from, struct profile_network *network)
{
	struct profile_connection *to = network_add_connection(network);
	int result;

	if (!to)
		return -ENOMEM;
	*to = *from;
	to->program = NULL;
	result = copy_text(from->name, &to->name);
	return result < 0 ? result : copy_text(from->program, &to->program);
}

static int copy_network(const struct profile_network *from, struct profile_network *to)
{
	int result = 0;

	for (size_t i = 0; i < from->listener_count && result == 0; i++)
		result = copy_listener(&from->listeners[i], to);
	for (size_t i = 0; i < from->connection_count && result == 0; i++)
		result = copy_connection(&from->connections[i], to);
	for (size_t i = 0; i < from->names.count && result == 0; i++)
		result = string_list_add(&to->names, from->names.items[i]);
	return result;
}

/* Whom each program runs as: whether a user is one program's alone shows in all of them. */
static int copy_users(const struct profile_program *from, struct profile *to)
{
	struct profile_program *program = profile_add_program(to);
	int result;

	if (!program)
		return -ENOMEM;
	program->phase = PHASE_BOTH;
	program->any_arguments = true;
	result = copy_text(from->path, &program->path);
	for (size_t i = 0; i < from->users.count && result == 0; i++)
		result = string_list_add(&program->users, from->users.items[i]);
	return result;
}

static int copy_evidence(const json_t *from, json_t **ret_evidence)
{
	json_t *evidence = json_object();

	for (size_t i = 0; i < array_length(evidence_parts); i++) {
		json_t *part = json_object_get(from, evidence_parts[i]);

		if (part && json_object_set(evidence, evidence_parts[i], part) < 0) {
			json_decref(evidence);
			return -ENOMEM;
		}
	}
	*ret_evidence = evidence;
	return evidence ? 0 : -ENOMEM;
}

static int trim(const struct profile *profile, struct profile *trimmed)
{
	int result = copy_network(&profile->network, &trimmed->network);

	for (size_t i = 0; i < profile->program_count && result == 0; i++)
		result = copy_users(&profile->programs[i], trimmed);
	if (result == 0 && profile->evidence)
		result = copy_evidence(profile->evidence, &trimmed->evidence);
	return result;
}

static int count_programs(const struct profile_network *network, size_t *ret_count)
{
	struct string_list seen = {0};
	int result = 0;

	for (size_t i = 0; i < network->connection_count && result == 0; i++) {
		const char *program = network->connections[i].program;

		if (program && !string_list_contains(&seen, program))
			result = string_list_add(&seen, program);
	}
	*ret_count = seen.count;
	string_list_free(&seen);
	return result;
}

static int summarise(const struct profile_network *network, struct policy_network *summary)
{
	*summary = (struct policy_network){
		.listeners = network->listener_count,
		.connections = network->connection_count,
		.names = network->names.count,
	};
	for (size_t i = 0; i < network->connection_count; i++)
		summary->names += network->connections[i].name != NULL;
	return count_programs(network, &summary->bound_programs);
}

int policy_network_take(const struct profile *profile, struct policy_network *ret_summary,
			int *ret_memory, struct error *error)
{
	_cleanup_(profile_freep) struct profile *trimmed = profile_new();
	_cleanup_(freep) char *text = NULL;
	int result = trimmed ? trim(profile, trimmed) : -ENOMEM;

	if (result == 0)
		result = summarise(&profile->network, ret_summary);
	if (result < 0)
		return error_set(error, -result, "out of memory");
	result = profile_format(trimmed, &text, error);
	return result < 0 ? result
			  : policy_memory_new("rtguard-network", text, strlen(text), ret_memory,
					      error);
}

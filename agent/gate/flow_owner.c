/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/flow_owner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/process_info.h"
#include "observe/host/socket_owner.h"

/* Unconnected datagram sockets of one port, requests of any raw socket: more are nobody's. */
#define CANDIDATES 8

/* Somebody waits for the answer, and without one the packet is dropped: half a processor, where a
 * watcher has 1/33. */
#define SHARE_DIVISOR 2
#define SHARE_MOST_NS (2 * NS_PER_S)

struct flow_owner {
	struct socket_source *source;
	struct socket_holder *holder;
};

int flow_owner_new(struct flow_owner **ret_owner)
{
	struct flow_owner *owner = calloc(1, sizeof(*owner));

	if (!owner)
		return -ENOMEM;
	if (socket_source_new(SOCKET_SOURCE_BEST, &owner->source) < 0 ||
	    socket_holder_new(NULL, &owner->holder) < 0) {
		flow_owner_free(owner);
		return -ENOMEM;
	}
	socket_holder_allow(owner->holder, SHARE_DIVISOR, SHARE_MOST_NS);
	*ret_owner = owner;
	return 0;
}

void flow_owner_free(struct flow_owner *owner)
{
	if (!owner)
		return;
	socket_source_free(owner->source);
	socket_holder_free(owner->holder);
	free(owner);
}

void flow_program_clear(struct flow_program *program)
{
	free(program->program);
	*program = (struct flow_program){.user = UINT32_MAX};
}

/* In a mount namespace of its own a process gives its program any path: one counts only where the
 * same file lies there for us too. */
static bool lies_there(pid_t pid, const char *path)
{
	char running[32];
	struct stat its;
	struct stat ours;

	(void)snprintf(running, sizeof(running), "/proc/%d/exe", (int)pid);
	return stat(running, &its) == 0 && stat(path, &ours) == 0 && its.st_dev == ours.st_dev &&
	       its.st_ino == ours.st_ino;
}

/* All candidates have to be of one program. Takes the programs. */
static struct flow_program agree(struct socket_search *searches, size_t count)
{
	struct flow_program found = {.user = UINT32_MAX};
	bool differ = count == 0;

	for (size_t i = 0; i < count; i++) {
		if (!searches[i].program || !lies_there(searches[i].pid, searches[i].program) ||
		    (found.program && strcmp(found.program, searches[i].program) != 0))
			differ = true;
		else if (!found.program)
			found.program = take_pointer(searches[i].program);
		if (!found.pid)
			found.pid = searches[i].pid;
		free(searches[i].program);
	}
	if (differ)
		flow_program_clear(&found);
	else if (found.pid && process_user_read(found.pid, &found.user) < 0)
		found.user = UINT32_MAX;
	return found;
}

int flow_owner_find(struct flow_owner *owner, const struct observed_flow *flow,
		    struct flow_program *ret_program)
{
	struct socket_search searches[CANDIDATES] = {0};
	uint32_t inodes[CANDIDATES];
	size_t count = socket_owner_candidates(owner->source, flow, inodes, CANDIDATES);
	int result;

	if (count > CANDIDATES)
		count = 0;
	for (size_t i = 0; i < count; i++)
		searches[i].inode = inodes[i];
	result = socket_holder_find(owner->holder, SOCKET_SEARCH_QUICK, searches, count);
	*ret_program = agree(searches, count);
	if (result < 0)
		flow_program_clear(ret_program);
	return result;
}

int flow_owner_find_all(struct flow_owner *owner, const struct observed_flow *flows, size_t count,
			struct flow_program *ret_programs)
{
	_cleanup_(freep) struct socket_search *searches =
		calloc(count ? count : 1, CANDIDATES * sizeof(*searches));
	_cleanup_(freep) size_t *counts = calloc(count ? count : 1, sizeof(*counts));
	size_t total = 0;
	int result;

	if (!searches || !counts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint32_t inodes[CANDIDATES];

		counts[i] = socket_owner_candidates(owner->source, &flows[i], inodes, CANDIDATES);
		if (counts[i] > CANDIDATES)
			counts[i] = 0;
		for (size_t j = 0; j < counts[i]; j++)
			searches[total++].inode = inodes[j];
	}
	result = socket_holder_find(owner->holder, SOCKET_SEARCH_THOROUGH, searches, total);
	total = 0;
	for (size_t i = 0; i < count; i++) {
		ret_programs[i] = agree(searches + total, counts[i]);
		total += counts[i];
	}
	return result;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXECUTION_STAGE_H
#define EXECUTION_STAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "observe/host/execution_watch.h"

/*
 * A place of its own for execution_watch: a mount and pid namespace with a tmpfs in it (or, for the
 * process connector, this machine as it is). One process watches, another one acts.
 *
 * Checks run in those processes, so they don't use cmocka: a failed one says where and ends its
 * process, and the stage fails.
 */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

struct sighting {
	enum observation_kind kind;
	char path[256];
	char sha256[65]; /* "" : none */
	char user[64];
	char parent[256];
	char arguments[512]; /* joined with '|'; "-" : not told */
	char applet[64];
	char unreadable[64];
	char interpreter[256];
	char program[256];
	bool is_new;
	bool pins_arguments;
	uint8_t source;
	uint64_t seen;
	uint64_t lost;
};

struct sightings {
	struct sighting *items;
	size_t count;
	size_t capacity;
	struct execution_layers layers;
};

/* The first of that kind and path at or after *from (moved on; NULL: from the start), or NULL. */
const struct sighting *find_sighting(const struct sightings *sightings, enum observation_kind kind,
				     const char *path, size_t *from);

struct stage {
	const char *name;
	bool machine;	     /* the initial namespaces; else namespaces of its own */
	bool within_session; /* the watcher is started by a login session's shell that acts, too */
	void (*before_watch)(void);		/* in the watcher, e.g. to drop capabilities */
	void (*prepare)(const char *directory); /* before the watcher starts */
	void (*act)(const char *directory);	/* by the process that is not watched for */
	void (*act_in_session)(const char *directory);
	void (*check)(const struct sightings *sightings, const char *directory);
};

/* Returns whether all checks held. */
bool stage_run(const struct stage *stage);

/* A copy with some bytes behind it, so that its checksum is its own. */
void copy_with_trailer(const char *source, const char *target, const char *trailer);
void sha256_of(const char *path, char hex[65]);

/* Starts with argv[0] of its own, waits for its end if asked. Returns the pid. */
pid_t start_program(const char *path, const char *const *argv, bool wait);
void wait_for(pid_t pid);
bool ended_well(pid_t pid); /* waits */

#endif

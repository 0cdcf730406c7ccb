/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What interpreters and multi-call binaries read: files, or whole directories where the files'
 * names cannot be told in advance. A row whose path ends in a slash is a directory, and counts the
 * rows of files right in it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "learn/build.h"
#include "learn/learner_private.h"

/* Files of one directory that one program reads before the directory stands for them. */
#define READ_SIBLING_LIMIT 4

/* The root directory never does: so many of its files are listed. */
#define READ_ROOT_LIMIT 64

/* ---- learning ---- */

static struct read_value *note_place(struct learner *learner, const struct observation *observation,
				     const char *place, bool *ret_is_new)
{
	key_start(&learner->key);
	key_string(&learner->key, observation->read.program);
	key_string(&learner->key, place);
	return state_note(learner->state, TABLE_READS, &learner->key, observation->time_ns,
			  ret_is_new);
}

static bool is_listed(struct learner *learner, const struct observation *observation)
{
	key_start(&learner->key);
	key_string(&learner->key, observation->read.program);
	key_string(&learner->key, observation->read.path);
	return state_find(learner->state, TABLE_READS, &learner->key);
}

void take_read(struct learner *learner, const struct observation *observation)
{
	const struct observed_read *read = &observation->read;
	const char *slash = read->path ? strrchr(read->path, '/') : NULL;
	_cleanup_(freep) char *place = NULL;
	struct read_value *directory;
	bool is_root = slash == read->path;
	uint32_t limit = is_root ? READ_ROOT_LIMIT : READ_SIBLING_LIMIT - 1;

	if (!slash || !slash[1] || !read->program)
		return;
	place = strndup(read->path, (size_t)(slash - read->path) + 1);
	directory = place ? note_place(learner, observation, place, NULL) : NULL;
	if (!directory)
		return;
	if (!is_root && read->is_new)
		directory->has_new = directory->is_whole = 1;
	if (directory->is_whole)
		return;
	if (is_listed(learner, observation)) {
		(void)note_place(learner, observation, read->path, NULL);
	} else if (directory->files < limit) {
		directory->files++;
		(void)note_place(learner, observation, read->path, NULL);
	} else if (!is_root) {
		directory->is_whole = 1;
	}
}

/* ---- the profile ---- */

/* Programs of one path, whatever their checksums. */
struct same_path {
	size_t first; /* index in profile->programs, plus one */
};

struct readers {
	struct map *by_path;
	size_t *next; /* of each program: the next one with its path, plus one; 0: none */
};

static int index_readers(struct build *build, struct readers *readers)
{
	const struct profile *profile = build->profile;

	for (size_t i = 0; i < profile->program_count; i++) {
		const struct profile_program *program = &profile->programs[i];
		struct same_path *same;

		if (!program->knows_reads)
			continue;
		same = map_add(readers->by_path, program->path, strlen(program->path));
		if (!same)
			return -ENOMEM;
		readers->next[i] = same->first;
		same->first = i + 1;
	}
	return 0;
}

static int read_evidence(struct build *build, const char *program, const char *place,
			 const struct read_value *value)
{
	_cleanup_(freep) char *label = NULL;
	json_t *entry;

	if (asprintf(&label, "read %s %s", program, place) < 0) {
		label = NULL;
		return -ENOMEM;
	}
	entry = seen_to_json(&value->seen);
	if (entry && value->has_new && json_put(entry, "new_files", json_true()) < 0) {
		json_decref(entry);
		return -ENOMEM;
	}
	return json_put(build->entries, label, entry);
}

/* A directory that does not stand for its files is only counted by. */
static bool is_place(const char *path, const struct read_value *value)
{
	size_t length = strlen(path);

	return length > 1 && (path[length - 1] != '/' || value->is_whole);
}

static int add_reads(struct build *build, const struct readers *readers)
{
	for (const struct read_value *value = state_next(build->state, TABLE_READS, NULL); value;
	     value = state_next(build->state, TABLE_READS, value)) {
		struct key_reader reader = state_key(value);
		bool broken = false;
		_cleanup_(freep) char *path =
			to_profile_text(key_read_string(&reader, &broken), &broken);
		_cleanup_(freep) char *place =
			to_profile_text(key_read_string(&reader, &broken), &broken);
		const struct same_path *same;

		if (broken || !path || !place)
			return -ENOMEM;
		same = map_peek(readers->by_path, path, strlen(path));
		if (!same || !is_place(place, value))
			continue;
		for (size_t i = same->first; i; i = readers->next[i - 1])
			if (string_list_add(&build->profile->programs[i - 1].reads, place) < 0)
				return -ENOMEM;
		if (read_evidence(build, path, place, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int build_reads(struct build *build)
{
	size_t count = build->profile->program_count;
	_cleanup_(freep) size_t *next = calloc(count ? count : 1, sizeof(*next));
	struct readers readers = {.next = next};
	int result;

	if (!next)
		return -ENOMEM;
	result = map_new(&readers.by_path, count ? count : 1, sizeof(struct same_path), NULL, NULL);
	if (result == 0)
		result = index_readers(build, &readers);
	if (result == 0)
		result = add_reads(build, &readers);
	map_free(readers.by_path);
	return result;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile's programs, libraries and scripts, as a block. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "enforce/policy_build.h"

#define NONE UINT32_MAX

/* Entries of one content, as a list in the order of the profile. */
struct group {
	uint32_t first;
	uint32_t last;
};

struct groups {
	struct group *groups;
	uint32_t count;
	uint32_t *next; /* of each entry */
};

struct compile {
	struct policy_build build;
	const struct profile *profile;
	struct groups programs;
	struct groups scripts;
	struct program_policy header;
};

static int groups_new(struct groups *groups, size_t entries)
{
	groups->groups = calloc(entries + 1, sizeof(*groups->groups));
	groups->next = calloc(entries + 1, sizeof(*groups->next));
	return groups->groups && groups->next ? 0 : -ENOMEM;
}

static void groups_clear(struct groups *groups)
{
	free(groups->groups);
	free(groups->next);
}

static uint32_t groups_add(struct groups *groups, uint32_t entry)
{
	groups->groups[groups->count] = (struct group){entry, entry};
	groups->next[entry] = NONE;
	return groups->count++;
}

static void groups_append(struct groups *groups, uint32_t group, uint32_t entry)
{
	groups->next[groups->groups[group].last] = entry;
	groups->groups[group].last = entry;
	groups->next[entry] = NONE;
}

/* ---- which contents there are ---- */

/* What can't be read has no content, and is never permitted by one. NULL then. */
static struct policy_content *content_of(struct compile *compile, const char *sha256)
{
	uint8_t bytes[32];
	uint32_t index;

	if (!sha256 || hex_decode(sha256, bytes, sizeof(bytes)) < 0)
		return NULL;
	index = policy_build_content(&compile->build, bytes);
	if (compile->build.failed)
		return NULL;
	return policy_build_at(&compile->build, PART_CONTENTS, index);
}

static void group_entry(struct groups *groups, struct policy_content *content, uint32_t use,
			uint32_t *group, uint32_t entry)
{
	if (content->uses & use) {
		groups_append(groups, *group, entry);
		return;
	}
	content->uses |= use;
	*group = groups_add(groups, entry);
}

static void take_entries(struct compile *compile)
{
	const struct profile *profile = compile->profile;
	struct policy_content *content;

	for (uint32_t i = 0; i < profile->program_count; i++) {
		policy_build_path(&compile->build, profile->programs[i].path);
		content = content_of(compile, profile->programs[i].sha256);
		if (content)
			group_entry(&compile->programs, content, CONTENT_PROGRAM, &content->program,
				    i);
	}
	for (uint32_t i = 0; i < profile->script_count; i++) {
		policy_build_path(&compile->build, profile->scripts[i].path);
		content = content_of(compile, profile->scripts[i].sha256);
		if (content)
			group_entry(&compile->scripts, content, CONTENT_SCRIPT, &content->script,
				    i);
	}
	for (uint32_t i = 0; i < profile->library_count; i++) {
		policy_build_path(&compile->build, profile->libraries[i].path);
		content = content_of(compile, profile->libraries[i].sha256);
		if (!content)
			continue;
		compile->header.libraries += !(content->uses & CONTENT_LIBRARY);
		content->uses |= CONTENT_LIBRARY;
	}
	compile->header.programs = compile->programs.count;
	compile->header.scripts = compile->scripts.count;
}

/* ---- programs ---- */

/* How the entries of one content may be called, all together. */
struct manner {
	bool pinned;
	bool by_name;
	bool knows_reads;
};

static struct manner manner_of(const struct compile *compile, uint32_t first)
{
	const struct profile *profile = compile->profile;
	struct manner manner = {.knows_reads = true};
	bool any_interpreter = false, any_multi_call = false;

	for (uint32_t i = first; i != NONE; i = compile->programs.next[i])
		manner.pinned |= !profile->programs[i].any_arguments;
	if (!manner.pinned)
		return manner;
	for (uint32_t i = first; i != NONE; i = compile->programs.next[i]) {
		const struct profile_program *entry = &profile->programs[i];
		enum program_class class = program_class_by_name(entry->path);

		/* of one that is called by another file's name argv[0] decides, not its own */
		manner.by_name |= class != PROGRAM_INTERPRETER;
		any_interpreter |= entry->any_arguments && class == PROGRAM_INTERPRETER;
		any_multi_call |= entry->any_arguments && class == PROGRAM_MULTI_CALL;
		if (!entry->any_arguments)
			manner.knows_reads &= entry->knows_reads;
	}
	if (any_multi_call || (any_interpreter && !manner.by_name))
		manner.pinned = false;
	return manner;
}

static struct policy_range take_words(struct compile *compile, const struct string_list *list)
{
	struct policy_range range = {policy_build_count(&compile->build, PART_WORDS),
				     (uint32_t)list->count};

	for (size_t i = 0; i < list->count; i++)
		policy_build_word(&compile->build, list->items[i]);
	return range;
}

static void take_entry(struct compile *compile, const struct profile_program *entry, bool pinned)
{
	struct policy_range users = take_words(compile, &entry->users);
	uint32_t path = policy_build_string(&compile->build, entry->path);
	bool ordinary = pinned && program_class_by_name(entry->path) == PROGRAM_ORDINARY;
	struct policy_entry *record;

	(void)policy_build_add(&compile->build, PART_ENTRIES, &record);
	if (record)
		*record = (struct policy_entry){
			.path = path,
			.users = users,
			.flags = (entry->any_arguments ? ENTRY_ANY_ARGUMENTS : 0) |
				 (ordinary ? ENTRY_ORDINARY : 0),
		};
}

/* A vector as program_policy_permits_arguments() compares it: with an applet's name first where
 * names matter, "" for any interpreter's. */
static void take_vector(struct compile *compile, const struct profile_program *entry,
			const struct string_list *list, bool by_name)
{
	bool interprets = program_class_by_name(entry->path) == PROGRAM_INTERPRETER;
	bool has_applet = by_name && !interprets;
	_cleanup_(freep) const char **whole = calloc(list->count + 2, sizeof(*whole));
	struct arguments arguments = {.vector = whole};
	struct policy_vector *record;
	struct policy_range words;
	size_t script;

	if (!whole) {
		compile->build.failed = -ENOMEM;
		return;
	}
	if (!has_applet)
		whole[arguments.count++] = by_name ? "" : entry->path;
	for (size_t i = 0; i < list->count; i++)
		whole[arguments.count++] = list->items[i];
	if (!arguments.count) /* a multi-call binary without even a name */
		return;
	if (has_applet)
		policy_skip_multiplexer(&arguments);
	script = policy_script_word(
		has_applet ? policy_called_name(arguments.vector[0]) : entry->path, &arguments);
	words.first = policy_build_count(&compile->build, PART_WORDS);
	if (has_applet)
		policy_build_word(&compile->build, policy_called_name(arguments.vector[0]));
	else if (by_name)
		policy_build_word(&compile->build, "");
	for (size_t i = 1; i < arguments.count; i++)
		policy_build_word(&compile->build, arguments.vector[i]);
	words.count = policy_build_count(&compile->build, PART_WORDS) - words.first;
	(void)policy_build_add(&compile->build, PART_VECTORS, &record);
	if (record)
		*record = (struct policy_vector){
			.words = words,
			.script = !script   ? POLICY_NOWHERE
				  : by_name ? (uint32_t)script
					    : (uint32_t)script - 1,
		};
}

static int compare_texts(const void *a, const void *b, void *context)
{
	const char *strings = context;

	return strcmp(strings + *(const uint32_t *)a, strings + *(const uint32_t *)b);
}

static struct policy_range take_reads(struct compile *compile, uint32_t first)
{
	struct policy_range range = {.first = policy_build_count(&compile->build, PART_WORDS)};

	for (uint32_t i = first; i != NONE; i = compile->programs.next[i]) {
		const struct profile_program *entry = &compile->profile->programs[i];

		if (!entry->any_arguments)
			range.count += take_words(compile, &entry->reads).count;
	}
	if (compile->build.failed || !range.count)
		return (struct policy_range){0};
	qsort_r(policy_build_at(&compile->build, PART_WORDS, range.first), range.count,
		sizeof(uint32_t), compare_texts, policy_build_at(&compile->build, PART_STRINGS, 0));
	return range;
}

static int compare_paths(const void *a, const void *b)
{
	uint32_t left = ((const struct policy_entry *)a)->path;
	uint32_t right = ((const struct policy_entry *)b)->path;

	return (left > right) - (left < right);
}

static void take_program(struct compile *compile, uint32_t first)
{
	struct policy_build *build = &compile->build;
	struct manner manner = manner_of(compile, first);
	struct policy_program program = {
		.entries.first = policy_build_count(build, PART_ENTRIES),
		.vectors.first = policy_build_count(build, PART_VECTORS),
		.flags = (manner.pinned ? PROGRAM_PINNED : 0) |
			 (manner.by_name ? PROGRAM_BY_NAME : 0) |
			 (manner.pinned && manner.knows_reads ? PROGRAM_KNOWS_READS : 0),
	};
	struct policy_program *record;

	for (uint32_t i = first; i != NONE && !build->failed; i = compile->programs.next[i]) {
		const struct profile_program *entry = &compile->profile->programs[i];

		take_entry(compile, entry, manner.pinned);
		for (size_t j = 0; manner.pinned && j < entry->argument_count; j++)
			take_vector(compile, entry, &entry->arguments[j], manner.by_name);
	}
	program.entries.count = policy_build_count(build, PART_ENTRIES) - program.entries.first;
	program.vectors.count = policy_build_count(build, PART_VECTORS) - program.vectors.first;
	if (program.flags & PROGRAM_KNOWS_READS)
		program.reads = take_reads(compile, first);
	(void)policy_build_add(build, PART_PROGRAMS, &record);
	if (!record)
		return;
	qsort(policy_build_at(build, PART_ENTRIES, program.entries.first), program.entries.count,
	      sizeof(struct policy_entry), compare_paths);
	*record = program;
	compile->header.pinned += manner.pinned;
}

static void pin_contents(struct compile *compile)
{
	for (uint32_t i = 0; i < policy_build_count(&compile->build, PART_CONTENTS); i++) {
		struct policy_content *content = policy_build_at(&compile->build, PART_CONTENTS, i);
		const struct policy_program *program;

		if (!(content->uses & CONTENT_PROGRAM))
			continue;
		program = policy_build_at(&compile->build, PART_PROGRAMS, content->program);
		if (program->flags & PROGRAM_PINNED)
			content->uses |= CONTENT_PINNED;
	}
}

/* ---- scripts ---- */

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void take_script(struct compile *compile, uint32_t first)
{
	struct policy_build *build = &compile->build;
	struct policy_script script = {
		.interpreters.first = policy_build_count(build, PART_WORDS),
	};
	struct policy_script *record;

	for (uint32_t i = first; i != NONE; i = compile->scripts.next[i]) {
		const char *interpreter = compile->profile->scripts[i].interpreter;

		if (interpreter)
			policy_build_word(build, interpreter);
		else
			script.any_interpreter = 1;
	}
	script.interpreters.count =
		policy_build_count(build, PART_WORDS) - script.interpreters.first;
	(void)policy_build_add(build, PART_SCRIPTS, &record);
	if (!record)
		return;
	if (script.interpreters.count)
		qsort(policy_build_at(build, PART_WORDS, script.interpreters.first),
		      script.interpreters.count, sizeof(uint32_t), compare_numbers);
	*record = script;
}

/* ---- rtguard itself ---- */

static void take_own(struct compile *compile, const struct own_content *own)
{
	for (size_t i = 0; own && i < own->count; i++) {
		uint32_t index = policy_build_content(&compile->build, own->sha256[i]);
		struct policy_content *content;
		struct policy_program *program;

		if (compile->build.failed)
			return;
		content = policy_build_at(&compile->build, PART_CONTENTS, index);
		content->uses |= own->uses[i] & (CONTENT_PROGRAM | CONTENT_LIBRARY);
		if (!(own->uses[i] & CONTENT_PROGRAM))
			continue;
		/* permitted without a word about how */
		content->uses &= ~(uint32_t)CONTENT_PINNED;
		content->program = policy_build_add(&compile->build, PART_PROGRAMS, &program);
	}
}

static int compile_all(struct compile *compile, const struct own_content *own, void **ret_block,
		       size_t *ret_size)
{
	const struct profile *profile = compile->profile;
	size_t entries = profile->program_count + profile->script_count + profile->library_count +
			 (own ? own->count : 0);
	int result = policy_build_start(&compile->build, entries);

	if (result == 0)
		result = groups_new(&compile->programs, profile->program_count);
	if (result == 0)
		result = groups_new(&compile->scripts, profile->script_count);
	if (result < 0)
		return result;
	take_entries(compile);
	for (uint32_t i = 0; i < compile->programs.count && !compile->build.failed; i++)
		take_program(compile, compile->programs.groups[i].first);
	for (uint32_t i = 0; i < compile->scripts.count && !compile->build.failed; i++)
		take_script(compile, compile->scripts.groups[i].first);
	if (!compile->build.failed)
		pin_contents(compile);
	take_own(compile, own);
	return policy_build_finish(&compile->build, &compile->header, ret_block, ret_size);
}

int program_policy_compile(const struct profile *profile, const struct own_content *own,
			   void **ret_block, size_t *ret_size, struct error *error)
{
	struct compile compile = {.profile = profile};
	int result = compile_all(&compile, own, ret_block, ret_size);

	policy_build_clear(&compile.build);
	groups_clear(&compile.programs);
	groups_clear(&compile.scripts);
	if (result == -EFBIG)
		return error_set(
			error, EFBIG,
			"the profile's programs take more than %u MiB of memory; a profile "
			"of one device has fewer",
			POLICY_SIZE_LIMIT >> 20);
	if (result < 0)
		return error_set(error, -result, "cannot prepare the profile's programs: %s",
				 strerror(-result));
	return 0;
}

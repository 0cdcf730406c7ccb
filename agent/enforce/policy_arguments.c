/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a pinned program may run with these arguments: docs/enforcing.md, "Interpreters". */
#include <string.h>

#include "base/text.h"
#include "enforce/policy_block.h"

const char *policy_called_name(const char *argv0)
{
	const char *name = path_base_name(argv0);

	return *name == '-' ? name + 1 : name;
}

void policy_skip_multiplexer(struct arguments *arguments)
{
	while (arguments->count > 1 && arguments->vector[1][0] != '-' &&
	       program_class_by_name(policy_called_name(arguments->vector[0])) ==
		       PROGRAM_MULTI_CALL) {
		arguments->vector++;
		arguments->count--;
	}
}

/* The kernel puts a script behind its interpreter and one argument of the "#!" line at most; a word
 * without any slash is that argument. */
static size_t kernel_script_word(const struct arguments *arguments)
{
	for (size_t i = 1; i < arguments->count && i <= 2; i++)
		if (strchr(arguments->vector[i], '/'))
			return i;
	return 0;
}

size_t policy_script_word(const char *path, const struct arguments *arguments)
{
	const char *script;

	if (!takes_script_argument(path))
		return kernel_script_word(arguments);
	script = script_argument(path, arguments);
	for (size_t i = 1; script && i < arguments->count; i++) {
		const char *word = arguments->vector[i];

		if (word == script ||
		    (word[0] == '-' && word[1] && word + 2 == script)) /* -fFILE */
			return i;
	}
	return 0;
}

/* ---- one question ---- */

struct question {
	const struct program_policy *policy;
	const struct policy_program *program;
	struct arguments arguments; /* a view: begins with argv[0] or with the applet */
	const char *applet;	    /* NULL: argv[0] does not matter */
};

/* The words as vectors have them: from the applet, or without argv[0]. */
static size_t word_count(const struct question *question)
{
	return question->arguments.count - (question->applet ? 0 : 1);
}

static const char *word_at(const struct question *question, size_t i)
{
	if (question->applet)
		return i ? question->arguments.vector[i] : question->applet;
	return question->arguments.vector[i + 1];
}

/* "" stands for the name of any interpreter: the vector is of a file that is called by one. */
static bool is_word(const struct question *question, const char *learnt, size_t i)
{
	if (question->applet && i == 0 && !*learnt)
		return program_class_by_name(question->applet) == PROGRAM_INTERPRETER;
	return strcmp(learnt, word_at(question, i)) == 0;
}

static bool begins_like(const struct question *question, const struct policy_vector *vector,
			size_t count)
{
	const uint32_t *words = policy_words(question->policy, &vector->words);

	for (size_t i = 0; i < count; i++)
		if (!is_word(question, policy_string(question->policy, words[i]), i))
			return false;
	return true;
}

static const struct policy_vector *vectors_of(const struct question *question)
{
	return (const struct policy_vector *)policy_part(question->policy, PART_VECTORS) +
	       question->program->vectors.first;
}

static const struct policy_entry *entries_of(const struct question *question)
{
	return (const struct policy_entry *)policy_part(question->policy, PART_ENTRIES) +
	       question->program->entries.first;
}

static bool was_learnt(const struct question *question)
{
	const struct policy_vector *vectors = vectors_of(question);
	size_t count = word_count(question);

	if (question->arguments.is_cut)
		return false;
	for (uint32_t i = 0; i < question->program->vectors.count; i++)
		if (vectors[i].words.count == count && begins_like(question, &vectors[i], count))
			return true;
	return false;
}

/* Both lists are sorted by number. */
static bool is_interpreter_of(const struct question *question, uint32_t index)
{
	const struct policy_script *script =
		(const struct policy_script *)policy_part(question->policy, PART_SCRIPTS) + index;
	const uint32_t *interpreters = policy_words(question->policy, &script->interpreters);
	const struct policy_entry *entries = entries_of(question);
	uint32_t left = 0;
	uint32_t right = 0;

	if (script->any_interpreter)
		return true;
	while (left < script->interpreters.count && right < question->program->entries.count) {
		if (interpreters[left] == entries[right].path)
			return true;
		if (interpreters[left] < entries[right].path)
			left++;
		else
			right++;
	}
	return false;
}

/* The options before a script are what they were before one while learning, or there are none but
 * the one that names it. */
static bool options_permitted(const struct question *question, const char *path, size_t word)
{
	const struct policy_vector *vectors = vectors_of(question);
	size_t count = question->applet ? word : word - 1; /* of a vector's words before it */

	if (word == 1 || (word == 2 && script_is_option(path) &&
			  strcmp(question->arguments.vector[1], "-f") == 0))
		return true;
	for (uint32_t i = 0; i < question->program->vectors.count; i++)
		if (vectors[i].script == count && begins_like(question, &vectors[i], count))
			return true;
	return false;
}

/* awk -f known -e 'code': what follows must not be options again. */
static bool only_operands_follow(const struct question *question, size_t script)
{
	const struct arguments *arguments = &question->arguments;

	for (size_t i = script + 1; i < arguments->count; i++) {
		const char *word = arguments->vector[i];

		if (strcmp(word, "--") == 0)
			return true;
		if (word[0] == '-' && word[1])
			return false;
	}
	return true;
}

static bool runs_learnt_script(const struct question *question, const char *path,
			       const struct content *script)
{
	size_t word = policy_script_word(path, &question->arguments);

	if (!script || !(script->uses & CONTENT_SCRIPT) || !word ||
	    script->script >= question->policy->parts[PART_SCRIPTS].count)
		return false;
	if (script_is_option(path) && !only_operands_follow(question, word))
		return false;
	return is_interpreter_of(question, script->script) &&
	       options_permitted(question, path, word);
}

/* ---- multi-call binaries ---- */

/* Under its own name it runs as no applet, and no vector was noted. */
static bool is_own(const struct question *question, const char *name)
{
	const struct policy_entry *entries = entries_of(question);

	for (uint32_t i = 0; i < question->program->entries.count; i++)
		if (entries[i].flags & ENTRY_ORDINARY &&
		    is_own_name(policy_string(question->policy, entries[i].path), name))
			return true;
	return false;
}

static bool is_free_name(const struct question *question, const char *name)
{
	const struct policy_entry *entries = entries_of(question);

	for (uint32_t i = 0; i < question->program->entries.count; i++) {
		const char *path = policy_string(question->policy, entries[i].path);

		if (entries[i].flags & ENTRY_ANY_ARGUMENTS &&
		    strcmp(path_base_name(path), name) == 0)
			return true;
	}
	return false;
}

static bool is_learnt_applet(const struct question *question)
{
	const struct policy_vector *vectors = vectors_of(question);

	for (uint32_t i = 0; i < question->program->vectors.count; i++)
		if (vectors[i].words.count && begins_like(question, &vectors[i], 1))
			return true;
	return false;
}

static bool permits_applet(struct question *question, const struct content *script)
{
	policy_skip_multiplexer(&question->arguments);
	question->applet = policy_called_name(question->arguments.vector[0]);
	if (was_learnt(question) || is_free_name(question, question->applet))
		return true;
	if (program_class_by_name(question->applet) != PROGRAM_ORDINARY)
		return runs_learnt_script(question, question->applet, script);
	return is_learnt_applet(question) || is_own(question, question->applet);
}

bool program_policy_permits_arguments(const struct program_policy *policy, uint32_t index,
				      const struct arguments *arguments,
				      const struct content *script)
{
	struct question question = {
		.policy = policy,
		.program = policy_program(policy, index),
		.arguments = *arguments,
	};

	if (!question.program)
		return false;
	if (!(question.program->flags & PROGRAM_PINNED))
		return true;
	if (!arguments->count)
		return false;
	if (question.program->flags & PROGRAM_BY_NAME)
		return permits_applet(&question, script);
	return was_learnt(&question) ||
	       runs_learnt_script(&question, program_policy_path(policy, index), script);
}

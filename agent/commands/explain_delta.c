/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "commands/event_text.h"
#include "profiles/profile_json.h"
#include "program/arguments.h"
#include "report/event_flow.h"
#include "report/event_line.h"

#define INTERPRETER_LINE 256 /* BINPRM_BUF_SIZE: as much as the kernel reads of "#!" */

/* A finding, read from its event. The texts belong to that. */
struct missed {
	enum finding_kind kind;
	const json_t *event;
	const struct profile *profile;
	const char *path;
	const char *sha256;  /* NULL: not known */
	const char *program; /* NULL: not known */
	json_t *cautions;
	const char *why_not;
};

static void caution(const struct missed *missed, const char *sentence)
{
	(void)json_array_append_new(missed->cautions, json_string(sentence));
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Who ran it, by name where there is one. */
static void add_user(struct profile_program *entry, uint64_t user)
{
	struct passwd *known = getpwuid((uid_t)user);
	char number[24];

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)user);
	(void)string_list_add(&entry->users, known ? known->pw_name : number);
}

static struct profile_program *add_entry(struct profile *delta, const char *path,
					 const char *sha256)
{
	struct profile_program *entry = profile_add_program(delta);

	if (!entry)
		return NULL;
	entry->path = copy(path);
	entry->sha256 = copy(sha256);
	entry->phase = PHASE_STEADY;
	return entry;
}

/* The vector as a profile has it: from the applet on, or what follows the interpreter's name. */
static int add_arguments(const struct missed *missed, struct profile_program *entry)
{
	const json_t *arguments = json_object_get(missed->event, EVENT_KEY_ARGUMENTS);
	bool multi_call = program_class_by_name(missed->path) == PROGRAM_MULTI_CALL;
	struct string_list *vector;

	if (json_array_size(arguments) == 0 ||
	    json_is_true(json_object_get(missed->event, EVENT_KEY_ARGUMENTS_CUT)))
		return -ENODATA;
	vector = program_add_arguments(entry);
	if (!vector)
		return -ENOMEM;
	for (size_t i = multi_call ? 0 : 1; i < json_array_size(arguments); i++) {
		const char *word = json_string_value(json_array_get(arguments, i));
		const char *slash = i == 0 && word ? strrchr(word, '/') : NULL;

		if (!word || string_list_add(vector, slash ? slash + 1 : word) < 0)
			return -EINVAL;
	}
	return 0;
}

/* The interpreter that the file itself names, as it is now. Whether it is a script. */
static bool read_interpreter(const char *path, char interpreter[PATH_MAX])
{
	char line[INTERPRETER_LINE] = {0};
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char *start;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    pread(fd, line, sizeof(line) - 1, 0) < 2 || memcmp(line, "#!", 2) != 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	start[strcspn(start, " \t")] = '\0';
	return realpath(start, interpreter) != NULL;
}

static int add_script(const struct missed *missed, struct profile *delta, const char *interpreter)
{
	struct profile_script *entry = profile_add_script(delta);

	if (!entry)
		return -ENOMEM;
	entry->path = copy(missed->path);
	entry->sha256 = copy(missed->sha256);
	entry->interpreter = copy(interpreter);
	return 0;
}

static int permit_program(struct missed *missed, struct profile *delta)
{
	const json_t *user = json_object_get(missed->event, EVENT_KEY_USER);
	const json_t *ancestors = json_object_get(missed->event, EVENT_KEY_ANCESTORS);
	const char *parent = json_string_value(json_array_get(ancestors, 0));
	char interpreter[PATH_MAX];
	struct profile_program *entry;

	if (!missed->sha256)
		return -ENODATA;
	if (read_interpreter(missed->path, interpreter))
		return add_script(missed, delta, interpreter);
	entry = add_entry(delta, missed->path, missed->sha256);
	if (!entry)
		return -ENOMEM;
	if (json_is_integer(user))
		add_user(entry, (uint64_t)json_integer_value(user));
	if (parent && *parent == '/')
		(void)string_list_add(&entry->parents, parent);
	entry->any_arguments = program_class_by_name(missed->path) == PROGRAM_ORDINARY;
	if (entry->any_arguments)
		return 0;
	caution(missed, "This program runs whatever its arguments name: the delta permits the "
			"arguments of this one run.");
	return add_arguments(missed, entry);
}

static int permit_library(struct missed *missed, struct profile *delta)
{
	struct profile_library *entry;

	if (!missed->sha256)
		return -ENODATA;
	entry = profile_add_library(delta);
	if (!entry)
		return -ENOMEM;
	entry->path = copy(missed->path);
	entry->sha256 = copy(missed->sha256);
	return 0;
}

static int permit_script(struct missed *missed, struct profile *delta)
{
	return missed->sha256 ? add_script(missed, delta, missed->program) : -ENODATA;
}

static int permit_arguments(struct missed *missed, struct profile *delta)
{
	struct profile_program *entry = add_entry(delta, missed->path, missed->sha256);

	caution(missed, "An interpreter with code in its arguments can do anything: a script in a "
			"file, known by its checksum, is the narrower permission.");
	return entry ? add_arguments(missed, entry) : -ENOMEM;
}

static int permit_read(struct missed *missed, struct profile *delta)
{
	const struct profile_program *known = NULL;
	struct profile_program *entry;

	for (size_t i = 0; i < missed->profile->program_count && !known; i++)
		if (missed->program && !missed->profile->programs[i].any_arguments &&
		    strcmp(missed->profile->programs[i].path, missed->program) == 0)
			known = &missed->profile->programs[i];
	if (!known) {
		missed->why_not =
			"The profile has no such program any more that reads only what it "
			"was learnt to.";
		return -ENOENT;
	}
	caution(missed, "A file that an interpreter may read can be code to it, whatever its "
			"name.");
	entry = add_entry(delta, known->path, known->sha256);
	if (!entry)
		return -ENOMEM;
	entry->knows_reads = true;
	return string_list_add(&entry->reads, missed->path);
}

static int permit_user(struct missed *missed, struct profile *delta)
{
	struct profile_program *entry;
	struct stat status;

	if (stat(missed->path, &status) < 0) {
		missed->why_not = "The file is not there any more, so that its owner is not known.";
		return -ENOENT;
	}
	caution(missed, "The program runs with its owner's rights, whoever starts it.");
	entry = add_entry(delta, missed->path, missed->sha256);
	if (!entry)
		return -ENOMEM;
	entry->any_arguments = program_class_by_name(missed->path) == PROGRAM_ORDINARY;
	add_user(entry, status.st_uid);
	return 0;
}

static int permit_connection(struct missed *missed, struct profile *delta)
{
	struct finding_flow flow;

	return event_flow_read(missed->event, &flow)
		       ? explain_permit_connection(&flow, missed->program, delta, missed->cautions)
		       : -ENODATA;
}

static int permit_listener(struct missed *missed, struct profile *delta)
{
	struct finding_flow flow;

	return event_flow_read(missed->event, &flow)
		       ? explain_permit_listener(&flow, delta, missed->cautions)
		       : -ENODATA;
}

static int permit_name(struct missed *missed, struct profile *delta)
{
	struct finding_flow flow;

	return event_flow_read(missed->event, &flow)
		       ? explain_permit_name(&flow, delta, missed->cautions)
		       : -ENODATA;
}

/* NULL: no entry can permit it, and why. */
static const struct {
	int (*permit)(struct missed *missed, struct profile *delta);
	const char *why_not;
} answers[FINDING_KIND_COUNT] = {
	[FINDING_PROGRAM_UNKNOWN] = {permit_program, NULL},
	[FINDING_PROGRAM_CHANGED] = {permit_program, NULL},
	[FINDING_EXECUTABLE_OPENED] = {permit_library, NULL},
	[FINDING_SCRIPT_UNKNOWN] = {permit_script, NULL},
	[FINDING_READ_UNKNOWN] = {permit_read, NULL},
	[FINDING_ARGUMENTS_UNKNOWN] = {permit_arguments, NULL},
	[FINDING_IMAGE_UNKNOWN] = {permit_program, NULL},
	[FINDING_USER_UNKNOWN] = {permit_user, NULL},
	[FINDING_FILESYSTEM_UNTRUSTED] = {NULL, "No entry permits it: a FUSE filesystem may show "
						"other content each time. Copy the program to "
						"another filesystem."},
	[FINDING_FILE_TOO_LARGE] = {NULL, "No entry permits it: the file is larger than what is "
					  "hashed (enforce --file-size-limit)."},
	[FINDING_FILE_UNREADABLE] = {NULL, "No entry permits it: the file could not be read. The "
					   "kernel's log may say what is wrong with the disk."},
	[FINDING_ENVIRONMENT_CODE] =
		{NULL, "No entry permits it: a variable such as BASH_ENV, PERL5OPT or "
		       "PYTHONINSPECT makes the interpreter run code that nobody "
		       "checks. Start it without (docs/enforcing.md names them)."},
	[FINDING_CONNECTION_UNKNOWN] = {permit_connection, NULL},
	[FINDING_CONNECTION_PROGRAM] = {permit_connection, NULL},
	[FINDING_SERVICE_UNKNOWN] = {permit_listener, NULL},
	[FINDING_FORWARD_UNKNOWN] = {NULL, "No entry permits it: a profile of this host says "
					   "nothing of what passes through (enforce --forwarded "
					   "leave does not look at that)."},
	[FINDING_NAME_UNKNOWN] = {permit_name, NULL},
	[FINDING_ANSWER_UNASKED] = {NULL, "No entry permits it: nobody asked, so that it may be "
					  "forged."},
	[FINDING_ANSWER_REBINDING] = {NULL, "No entry permits it: a public name that leads into "
					    "the local network opens that to whoever owns the "
					    "name. A host of the local network can be an entry "
					    "by its address."},
	[FINDING_ANSWER_UNREADABLE] = {NULL, "No entry permits it: port 53 of resolvers is for "
					     "DNS alone."},
};

/* Of policy what has entries. */
static json_t *fragment_of(struct profile *delta)
{
	_cleanup_(freep) char *text = NULL;
	json_t *document;
	json_t *policy;
	json_t *result = NULL;
	const char *key;
	json_t *value;
	void *next;

	if (profile_format(delta, &text, NULL) < 0)
		return NULL;
	document = json_loads(text, 0, NULL);
	policy = json_object_get(document, "policy");
	json_object_foreach_safe(policy, next, key, value)
	{
		if (json_array_size(value) == 0)
			(void)json_object_del(policy, key);
	}
	if (policy)
		result = json_pack("{s:O}", "policy", policy);
	json_decref(document);
	return result;
}

json_t *explain_delta(const json_t *event, const struct profile *profile, json_t *cautions,
		      const char **ret_why)
{
	_cleanup_(profile_freep) struct profile *delta = profile_new();
	struct missed missed = {
		.kind = event_finding_kind(event),
		.event = event,
		.profile = profile,
		.path = event_text(event, EVENT_KEY_PATH, ""),
		.sha256 = event_text(event, EVENT_KEY_SHA256, NULL),
		.program = event_text(event, EVENT_KEY_PROGRAM, NULL),
		.cautions = cautions,
		.why_not = "What is known of it is not enough: the path, the checksum or the "
			   "arguments are missing or were cut.",
	};
	json_t *fragment = NULL;

	if (!answers[missed.kind].permit) {
		*ret_why = answers[missed.kind].why_not ? answers[missed.kind].why_not
							: "It is no finding that is known here.";
		return NULL;
	}
	if (delta && answers[missed.kind].permit(&missed, delta) == 0)
		fragment = fragment_of(delta);
	if (!fragment)
		*ret_why = missed.why_not;
	return fragment;
}

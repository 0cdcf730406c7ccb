/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/finding.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	const char *text;
} kinds[FINDING_KIND_COUNT] = {
	[FINDING_NONE] = {"none", "is permitted"},
	[FINDING_PROGRAM_UNKNOWN] = {"program-unknown", "is not in the profile"},
	[FINDING_PROGRAM_CHANGED] = {"program-changed", "has other content than the profile says"},
	[FINDING_EXECUTABLE_OPENED] = {"executable-opened", "is unknown code and was opened"},
	[FINDING_SCRIPT_UNKNOWN] = {"script-unknown", "is no script of the profile"},
	[FINDING_READ_UNKNOWN] = {"read-unknown", "is nothing this interpreter was seen to read"},
	[FINDING_ARGUMENTS_UNKNOWN] = {"arguments-unknown", "was never run with these arguments"},
	[FINDING_IMAGE_UNKNOWN] = {"image-unknown", "runs and is not in the profile"},
	[FINDING_USER_UNKNOWN] = {"user-unknown", "would become a user it never was"},
	[FINDING_FILESYSTEM_UNTRUSTED] = {"filesystem-untrusted",
					  "lies where content cannot be vouched for"},
	[FINDING_FILE_TOO_LARGE] = {"file-too-large", "is too large to be checked"},
	[FINDING_FILE_UNREADABLE] = {"file-unreadable", "could not be read to be checked"},
	[FINDING_ENVIRONMENT_CODE] = {"environment-code", "was given code in its environment"},
	[FINDING_CONNECTION_UNKNOWN] = {"connection-unknown", "is no connection of the profile"},
	[FINDING_CONNECTION_PROGRAM] = {"connection-program",
					"is a connection of another program in the profile"},
	[FINDING_SERVICE_UNKNOWN] = {"service-unknown", "is no listener of the profile"},
	[FINDING_FORWARD_UNKNOWN] = {"forward-unknown", "would pass through, which nothing does"},
	[FINDING_NAME_UNKNOWN] = {"name-unknown", "is no name of the profile"},
	[FINDING_ANSWER_UNASKED] = {"answer-unasked", "answers no question that was asked"},
	[FINDING_ANSWER_REBINDING] = {"answer-rebinding", "puts a public name at a local address"},
	[FINDING_ANSWER_UNREADABLE] = {"answer-unreadable", "is no DNS, to or from a resolver"},
};

static const char *const layers[LAYER_COUNT] = {
	[LAYER_PERMISSION] = "permission", [LAYER_CONNECTOR] = "connector", [LAYER_SWEEP] = "sweep",
	[LAYER_RULES] = "rules",	   [LAYER_GATE] = "gate",
};

static const char *const actions[ACTION_COUNT] = {
	[ACTION_REPORTED] = "reported", [ACTION_DENIED] = "denied",   [ACTION_KILLED] = "killed",
	[ACTION_DROPPED] = "dropped",	[ACTION_REFUSED] = "refused",
};

const char *finding_kind_name(enum finding_kind kind)
{
	return (size_t)kind < array_length(kinds) ? kinds[kind].name : NULL;
}

enum finding_kind finding_kind_parse(const char *name)
{
	for (unsigned int kind = FINDING_NONE + 1; kind < FINDING_KIND_COUNT; kind++)
		if (strcmp(kinds[kind].name, name) == 0)
			return kind;
	return FINDING_NONE;
}

const char *finding_kind_text(enum finding_kind kind)
{
	return (size_t)kind < array_length(kinds) ? kinds[kind].text : NULL;
}

const char *finding_layer_name(enum finding_layer layer)
{
	return (size_t)layer < array_length(layers) ? layers[layer] : NULL;
}

const char *finding_action_name(enum finding_action action)
{
	return (size_t)action < array_length(actions) ? actions[action] : NULL;
}

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* As ip_address has it: two equal ones compare with memcmp. */
static bool is_address(const struct ip_address *address)
{
	static const struct ip_address none;
	size_t used = address->family == 4 ? 4 : address->family == 6 ? 16 : 0;

	return (address->family == 0 || used > 0) &&
	       memcmp(address->bytes + used, none.bytes, sizeof(none.bytes) - used) == 0;
}

bool finding_is_valid(const struct finding *finding)
{
	if (finding->kind == FINDING_NONE || finding->kind >= FINDING_KIND_COUNT ||
	    finding->layer >= LAYER_COUNT || finding->action >= ACTION_COUNT ||
	    finding->arguments_size > sizeof(finding->arguments) ||
	    !is_ended(finding->path, sizeof(finding->path)) ||
	    !is_ended(finding->program, sizeof(finding->program)) ||
	    finding->flow.way >= WAY_COUNT || !is_address(&finding->flow.local) ||
	    !is_address(&finding->flow.remote) ||
	    !is_ended(finding->flow.name, sizeof(finding->flow.name)))
		return false;
	for (size_t i = 0; i < FINDING_ANCESTORS; i++)
		if (!is_ended(finding->ancestors[i], sizeof(finding->ancestors[i])))
			return false;
	return true;
}

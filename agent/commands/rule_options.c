/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/rule_options.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define RATE_LIMIT 1000000 /* XT_HASHLIMIT_SCALE_v2 has room for this many a second */

/* The place of a text among words; -EINVAL for none of them. */
static int word_parse(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return (int)i;
	return -EINVAL;
}

static int take_binding(const char *text, void *value)
{
	static const char *const words[] = {
		[BIND_NONE] = "none",
		[BIND_LOOKUP] = "lookup",
		[BIND_USER] = "user",
	};
	int word = word_parse(text, words, array_length(words));

	if (word >= 0)
		*(enum rules_binding *)value = (enum rules_binding)word;
	return word < 0 ? word : 0;
}

/* One of two words, the second of which makes a bool true. */
static int take_either(const char *text, const char *no, const char *yes, void *value)
{
	const char *const words[] = {no, yes};
	int word = word_parse(text, words, array_length(words));

	if (word >= 0)
		*(bool *)value = word == 1;
	return word < 0 ? word : 0;
}

static int take_unknown_names(const char *text, void *value)
{
	return take_either(text, "refuse", "permit", value);
}

static int take_inbound(const char *text, void *value)
{
	return take_either(text, "any", "lan", value);
}

static int take_forwarded(const char *text, void *value)
{
	return take_either(text, "refuse", "leave", value);
}

static int take_rate(const char *text, void *value)
{
	uint64_t rate;

	if (number_parse(text, RATE_LIMIT, &rate) < 0)
		return -EINVAL;
	*(uint32_t *)value = (uint32_t)rate;
	return 0;
}

void rule_options_fill(struct command_option *lines, struct rules_options *options)
{
	const struct command_option filled[RULE_OPTION_COUNT] = {
		{"bind", 0, take_binding, &options->binding, "lookup, user or none"},
		{"reject", .value = &options->reject},
		{"unknown-names", 0, take_unknown_names, &options->permit_unknown_names,
		 "refuse or permit"},
		{"answer-ping", .value = &options->answer_ping},
		{"inbound", 0, take_inbound, &options->inbound_from_lan, "lan or any"},
		{"inbound-rate", 0, take_rate, &options->inbound_per_s,
		 "a number of connections a second"},
		{"forwarded", 0, take_forwarded, &options->leave_forwarded, "refuse or leave"},
	};

	memcpy(lines, filled, sizeof(filled));
}

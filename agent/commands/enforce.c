/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/unblocked.h"
#include "commands/commands.h"
#include "commands/enforce_preview.h"
#include "commands/options.h"
#include "commands/rule_options.h"
#include "control/dispatch.h"
#include "daemon/enforcing.h"
#include "profiles/signature.h"

#define NAME		   "enforce"
#define DEFAULT_PROFILE	   "/etc/rtguard/profile.json"
#define DEFAULT_STATE	   "/var/lib/rtguard"
#define DEFAULT_SIZE_LIMIT (UINT64_C(1) << 30)

#define EXPECTED_NAME_TIME "a duration such as 60s, at most 7d"

struct request {
	struct enforcing_config config;
	struct option_list keys;
	const char *settings; /* as given: names with commas */
	bool audit;
	bool yes;
	int told; /* standard error: from here on nobody waits for its reader */
};

static int take_size(const char *text, void *value)
{
	uint64_t mebibytes;

	if (number_parse(text, UINT64_C(1) << 20, &mebibytes) < 0 || mebibytes == 0)
		return -EINVAL;
	*(uint64_t *)value = mebibytes << 20;
	return 0;
}

static int take_backend(const char *text, void *value)
{
	if (strcmp(text, "nftables") != 0 && strcmp(text, "iptables") != 0)
		return -EINVAL;
	*(const char **)value = text;
	return 0;
}

static int take_seconds(const char *text, void *value)
{
	uint64_t duration_ns;

	if (option_take_duration(text, &duration_ns) < 0 || duration_ns / NS_PER_S > NAME_TTL_MOST)
		return -EINVAL;
	*(uint32_t *)value = (uint32_t)(duration_ns / NS_PER_S);
	return 0;
}

static int take_queue(const char *text, void *value)
{
	struct rules_options *rules = value;
	uint64_t queue;

	if (number_parse(text, UINT16_MAX - RULE_QUEUE_COUNT, &queue) < 0)
		return -EINVAL;
	rules->first_queue = (uint16_t)queue;
	rules->log_group = (uint16_t)queue;
	return 0;
}

static bool read_request(struct request *request, int argc, char **argv, int *ret_code)
{
	struct enforcing_config *config = &request->config;
	struct enforcing_network *network = &config->network;
	struct command_option options[RULE_OPTION_COUNT + 18] = {
		[RULE_OPTION_COUNT] = {"audit", .value = &request->audit},
		{"yes", 'y', .value = &request->yes},
		{"confirm", 0, option_take_duration, &config->confirm_ns, EXPECTED_DURATION},
		{"allow-unsigned", .value = &config->source.allow_unsigned},
		{"any-machine", .value = &config->source.any_machine},
		{"key", 'k', option_take_listed, &request->keys, NULL},
		{"settings", 0, option_take_text, &request->settings, NULL},
		{"quarantine", 0, option_take_text, &config->quarantine, NULL},
		{"file-limit", 0, take_size, &config->file_size_limit,
		 "a number of MiB, at least 1"},
		{"without-fanotify", .value = &config->without_fanotify},
		{"rules-only", .value = &config->without_programs},
		{"programs-only", .value = &network->off},
		{"backend", 0, take_backend, &network->backend, "nftables or iptables"},
		{"name-floor", 0, take_seconds, &network->names.floor_s, EXPECTED_NAME_TIME},
		{"name-grace", 0, take_seconds, &network->names.grace_s, EXPECTED_NAME_TIME},
		{"queue", 0, take_queue, &network->rules, "a number from 0 to 65533"},
		{"control", 0, option_take_text, &config->control, NULL},
		{"state", 0, option_take_text, &config->state, NULL},
	};

	rule_options_fill(options, &network->rules);
	return options_read(options, array_length(options), argc, argv, ret_code);
}

static enum enforcing_answer ask(void *context, const struct enforcing_preview *preview)
{
	const struct request *request = context;
	_cleanup_(freep) char *text = NULL;
	char answer[16];
	size_t size;

	if (request->yes) {
		FILE *stream = open_memstream(&text, &size);

		if (stream) {
			enforce_preview_print(preview, stream);
			if (fclose(stream) == 0)
				(void)unblocked_write(request->told, text, size);
		}
		return ENFORCING_GO;
	}
	enforce_preview_print(preview, stderr);
	if (!isatty(STDIN_FILENO)) {
		(void)fprintf(stderr, "Nobody can be asked here; --yes says yes.\n");
		return ENFORCING_REFUSED;
	}
	(void)fprintf(stderr, "Enforce now? [y/N] ");
	if (!fgets(answer, sizeof(answer), stdin))
		return ENFORCING_REFUSED;
	return answer[0] == 'y' || answer[0] == 'Y' ? ENFORCING_GO : ENFORCING_REFUSED;
}

static void tell(void *context, const char *sentence)
{
	const struct request *request = context;
	char text[800];
	char line[sizeof(text) + 16];
	int size;

	text_printable(sentence, text, sizeof(text));
	size = snprintf(line, sizeof(line), "rtguard: %s\n", text);
	(void)unblocked_write(request->told, line, (size_t)size);
}

/* "memfd,ptrace" as a list; the copy holds its words. Returns how many, more than the limit when
 * they do not fit. */
static size_t split(char *copy, const char **names, size_t limit)
{
	size_t count = 0;
	char *rest = copy;
	char *word;

	while ((word = strsep(&rest, ",")) != NULL && count <= limit)
		if (*word && count++ < limit)
			names[count - 1] = word;
	return count;
}

static int run(struct request *request)
{
	static const char *const usual_keys[] = {TRUSTED_KEYS};
	struct enforcing_config *config = &request->config;
	_cleanup_(freep) char *settings = strdup(request->settings ? request->settings : "");
	_cleanup_(freep) char *version_file = NULL;
	const char *names[32];
	struct error error = {0};
	int result;

	if (!settings || asprintf(&version_file, "%s/profile-version", config->state) < 0)
		return command_trouble(NAME, "out of memory");
	config->settings = names;
	config->setting_count = split(settings, names, array_length(names));
	if (config->setting_count > array_length(names))
		return command_misused(NAME, "--settings: more than %zu names",
				       array_length(names));
	config->mode = request->audit ? GUARD_AUDIT : GUARD_ENFORCE;
	config->source.keys = request->keys.count ? request->keys.items : usual_keys;
	config->source.key_count = request->keys.count ? request->keys.count : 1;
	config->source.version_file = version_file;
	config->ask = ask;
	config->tell = tell;
	config->context = request;
	request->told = unblocked_open(STDERR_FILENO);
	result = enforcing_run(config, &error);
	if (request->told >= 0)
		(void)close(request->told);
	if (result < 0)
		return command_trouble(NAME, "%s", error.message);
	return command_finish(NAME, EXIT_FINE);
}

int command_enforce(int argc, char **argv)
{
	_cleanup_(freep) const char **keys = calloc((size_t)argc, sizeof(char *));
	struct request request = {
		.config = {.source = {.profile = DEFAULT_PROFILE},
			   .control = CONTROL_SOCKET,
			   .state = DEFAULT_STATE,
			   .network = {.rules = RULES_OPTIONS_DEFAULT, .names = NAME_TIMES_DEFAULT},
			   .file_size_limit = DEFAULT_SIZE_LIMIT},
		.keys = {keys, 0},
	};
	int code;

	if (!keys)
		return command_trouble(NAME, "out of memory");
	if (!read_request(&request, argc, argv, &code))
		return code;
	if (optind < argc)
		request.config.source.profile = argv[optind++];
	if (optind < argc)
		return command_misused(NAME, "'%s' is not expected here", argv[optind]);
	if (request.audit && request.config.confirm_ns)
		return command_misused(NAME, "--confirm goes back to audit, which --audit is "
					     "already");
	if (request.config.without_programs && request.config.network.off)
		return command_misused(NAME, "--rules-only and --programs-only leave nothing to "
					     "enforce");
	if (geteuid() != 0)
		return command_trouble(NAME, "only root can hold a machine to its profile; try "
					     "sudo");
	return run(&request);
}

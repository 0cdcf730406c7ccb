/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/doctor_report.h"
#include "commands/options.h"

#define NAME	       "doctor"
#define MODULES_SIZE   256
#define MODULES_LISTED "/sys/kernel/security/lsm"

/* "lockdown,yama,bpf" */
static void read_security_modules(char out[MODULES_SIZE])
{
	_cleanup_(freep) char *bytes = NULL;
	size_t size;

	out[0] = '\0';
	if (file_read(MODULES_LISTED, MODULES_SIZE - 1, &bytes, &size, NULL) == 0) {
		bytes[strcspn(bytes, "\n")] = '\0';
		text_printable(bytes, out, MODULES_SIZE);
	}
}

static int report(struct doctor_result *result, bool json)
{
	const struct table_style style = table_style_of(stdout);
	int code;

	doctor_layers(result->findings, result->offline, result->layers);
	code = json ? doctor_report_json(result, stdout)
		    : doctor_report_text(result, &style, stdout);
	if (code < 0)
		return command_trouble(NAME, "cannot write the result: %s", strerror(-code));
	return command_finish(NAME, doctor_gaps(result) ? EXIT_FINDINGS : EXIT_FINE);
}

static int examine_running(bool json)
{
	struct doctor_result result = {0};
	char modules[MODULES_SIZE];
	char kernel[2 * sizeof(((struct utsname *)NULL)->release) + 16];
	struct utsname names;

	if (uname(&names) < 0)
		return command_trouble(NAME, "cannot ask the kernel its name: %s", strerror(errno));
	(void)snprintf(kernel, sizeof(kernel), "Linux %s %s", names.release, names.machine);
	read_security_modules(modules);
	result.kernel = kernel;
	result.security_modules = modules;
	capabilities_probe(result.findings);
	result.holds_connections = doctor_network(result.network);
	doctor_surroundings(result.surroundings);
	return report(&result, json);
}

static int examine_config(const char *path, const char *release, bool json)
{
	struct doctor_result result = {.security_modules = "", .offline = true};
	struct error error = {0};

	result.kernel = strcmp(path, "-") == 0 ? "standard input" : path;
	if (capabilities_from_config(path, release, result.findings, &error) < 0)
		return command_trouble(NAME, "%s", error.message);
	return report(&result, json);
}

int command_doctor(int argc, char **argv)
{
	const char *config = NULL;
	const char *release = NULL;
	bool json = false;
	const struct command_option options[] = {
		{"kernel-config", .take = option_take_text, .value = &config},
		{"release", .take = option_take_text, .value = &release},
		{"json", .value = &json},
	};
	int code;

	if (!options_read(options, array_length(options), argc, argv, &code))
		return code;
	if (optind != argc)
		return command_misused(NAME, "%s: expected options alone", argv[optind]);
	if (release && !config)
		return command_misused(NAME, "--release goes with --kernel-config");
	return config ? examine_config(config, release, json) : examine_running(json);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/capabilities.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/capability_table.h"

void finding_set(struct capability_finding *finding, enum capability_state state,
		 const char *format, ...)
{
	va_list arguments;

	finding->state = state;
	va_start(arguments, format);
	(void)vsnprintf(finding->detail, sizeof(finding->detail), format, arguments);
	va_end(arguments);
}

static void describe(const struct capability_row *row, struct capability_finding *finding)
{
	finding->name = row->name;
	finding->what = row->what;
	finding->open = finding->state == CAPABILITY_ON ? NULL : row->open;
	finding->remedy = finding->state == CAPABILITY_ON			? NULL
			  : finding->state == CAPABILITY_MISSING || !row->unset ? row->kernel
										: row->unset;
}

/* The option that this configuration lacks, or NONE. */
static enum kernel_option lacking(const struct capability_row *row,
				  const struct kernel_config *config)
{
	for (size_t i = 0; i < NEEDS_MAX; i++)
		if (row->needs[i] != OPTION_NONE && !config->set[row->needs[i]])
			return row->needs[i];
	return OPTION_NONE;
}

static void judge_fault(const struct capability_row *row, const struct kernel_config *config,
			struct capability_finding *finding)
{
	bool faulty = !kernel_release_before(config->release, row->since) &&
		      kernel_release_before(config->release, row->until);
	char release[32];

	kernel_release_format(config->release, release, sizeof(release));
	finding_set(finding, faulty ? CAPABILITY_MISSING : CAPABILITY_ON, "Linux %s", release);
}

static void judge(const struct capability_row *row, const struct kernel_config *config,
		  struct capability_finding *finding)
{
	enum kernel_option missing = lacking(row, config);
	char since[32];

	kernel_release_format(row->since, since, sizeof(since));
	if (!kernel_release_is_none(row->until))
		judge_fault(row, config, finding);
	else if (row->pointless_without && !config->set[row->pointless_without])
		finding_set(finding, CAPABILITY_ON, "%s is not set",
			    kernel_option_name(row->pointless_without));
	else if (row->closed_by && config->set[row->closed_by])
		finding_set(finding, CAPABILITY_ON, "%s=y", kernel_option_name(row->closed_by));
	else if (missing != OPTION_NONE)
		finding_set(finding, CAPABILITY_MISSING, "%s is not set",
			    kernel_option_name(missing));
	else if (kernel_release_before(config->release, row->since))
		finding_set(finding, CAPABILITY_MISSING, "from Linux %s on", since);
	else if (!kernel_release_is_none(row->closed_since) &&
		 !kernel_release_before(config->release, row->closed_since))
		finding_set(finding, CAPABILITY_ON, "so by default");
	else if (row->is_decided_later)
		finding_set(finding, CAPABILITY_UNKNOWN, "depends on how it is set");
	else
		finding_set(finding, CAPABILITY_ON, "in the configuration");
}

void capabilities_judge(const struct kernel_config *config,
			struct capability_finding ret_findings[CAPABILITY_COUNT])
{
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		ret_findings[i] = (struct capability_finding){.capability = i};
		judge(&capability_table[i], config, &ret_findings[i]);
		describe(&capability_table[i], &ret_findings[i]);
	}
}

/* Why the running kernel lacks something, where its configuration can be read. */
static void explain(const struct capability_row *row, const struct kernel_config *config,
		    struct capability_finding *finding)
{
	enum kernel_option missing = lacking(row, config);
	size_t length = strlen(finding->detail);

	if (finding->state == CAPABILITY_MISSING && missing != OPTION_NONE)
		(void)snprintf(finding->detail + length, sizeof(finding->detail) - length,
			       "; %s is not set", kernel_option_name(missing));
}

void capabilities_probe_below(const char *root,
			      struct capability_finding ret_findings[CAPABILITY_COUNT])
{
	struct kernel_config config;
	bool explained = kernel_config_running(&config) == 0;

	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		const struct capability_row *row = &capability_table[i];

		ret_findings[i] = (struct capability_finding){.capability = i};
		row->probe(row, root, &ret_findings[i]);
		if (explained)
			explain(row, &config, &ret_findings[i]);
		describe(row, &ret_findings[i]);
	}
}

void capabilities_probe(struct capability_finding ret_findings[CAPABILITY_COUNT])
{
	capabilities_probe_below("", ret_findings);
}

int capabilities_from_config(const char *path, const char *release,
			     struct capability_finding ret_findings[CAPABILITY_COUNT],
			     struct error *error)
{
	struct kernel_config config;
	int result;

	result = kernel_config_read(path, &config, error);
	if (result < 0)
		return result;
	if (release && kernel_release_parse(release, &config.release) < 0)
		return error_set(error, EINVAL, "%s: expected a kernel's version such as 6.1.90",
				 release);
	if (kernel_release_is_none(config.release))
		return error_set(error, EINVAL,
				 "%s: does not say which kernel it is of; say it with --release "
				 "VERSION",
				 path);
	capabilities_judge(&config, ret_findings);
	return 0;
}

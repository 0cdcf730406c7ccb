/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/enforce_preview.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands/table.h"

static void print_policy(const struct policy_summary *policy, FILE *out)
{
	char path[PATH_MAX];
	char device[sizeof(policy->device)];

	text_printable(policy->profile, path, sizeof(path));
	text_printable(policy->device, device, sizeof(device));
	(void)fprintf(out, "%s, of %s: %zu programs (%zu pinned), %zu libraries, %zu scripts; ",
		      path, device[0] ? device : "a device without a name", policy->counts.programs,
		      policy->counts.pinned, policy->counts.libraries, policy->counts.scripts);
	if (policy->is_signed)
		(void)fprintf(out, "version %" PRIu64 ", signed by %s\n", policy->signature.version,
			      policy->signature.key_id);
	else
		(void)fprintf(out, "not signed\n");
}

static void print_running(const struct enforcing_preview *preview, FILE *out)
{
	static const struct table_column columns[] = {
		{"PROCESSES", true, false},
		{"PID", true, false},
		{"PROGRAM", false, true},
		{"WHY", false, false},
	};
	const struct table_style style = table_style_of(out);
	struct table *table = table_new(columns, array_length(columns));

	for (size_t i = 0; table && i < preview->running_count; i++) {
		const struct finding *finding = &preview->running[i];
		char processes[16];
		char pid[16];
		const char *cells[] = {processes, pid, finding->path,
				       finding_kind_text(finding->kind)};

		(void)snprintf(processes, sizeof(processes), "%" PRIu32, finding->repeats + 1);
		(void)snprintf(pid, sizeof(pid), "%" PRId32, finding->pid);
		(void)table_add(table, cells);
	}
	if (table)
		table_print(table, &style, out);
	table_free(table);
	if (preview->running_left_out)
		(void)fprintf(out, "and %zu more programs\n", preview->running_left_out);
}

static void print_recent(const struct enforcing_preview *preview, FILE *out)
{
	static const struct table_column columns[] = {
		{"TIMES", true, false},
		{"WHAT", false, true},
		{"FINDING", false, false},
	};
	const struct table_style style = table_style_of(out);
	struct table *table = table_new(columns, array_length(columns));

	for (size_t i = 0; table && i < preview->recent_count; i++) {
		const struct recent_finding *recent = &preview->recent[i];
		char times[24];
		const char *cells[] = {times, recent->what, recent->kind};

		(void)snprintf(times, sizeof(times), "%" PRIu64, recent->count);
		(void)table_add(table, cells);
	}
	if (table)
		table_print(table, &style, out);
	table_free(table);
	if (preview->recent_left_out)
		(void)fprintf(out, "and %zu more\n", preview->recent_left_out);
}

static void print_network(const struct enforcing_preview *preview, FILE *out)
{
	const struct policy_network *network = &preview->policy->network;

	if (!preview->backend) {
		(void)fprintf(out, "Connections are not held to it (--programs-only).\n");
		return;
	}
	(void)fprintf(out,
		      "Connections are held to it by %s: %zu listeners, %zu connections of %zu "
		      "programs, %zu names.\n",
		      preview->backend, network->listeners, network->connections,
		      network->bound_programs, network->names);
	if (network->connections == 0)
		(void)fprintf(out, "WARNING: the profile permits no connection at all: this host "
				   "will reach nobody, and look up no name.\n");
	if (network->listeners == 0)
		(void)fprintf(out, "WARNING: the profile permits no listener: nobody will reach "
				   "this host, over ssh neither.\n");
	if (preview->refuses_forwarded)
		(void)fprintf(out, "WARNING: this host forwards packets, and all of them will be "
				   "refused (--forwarded leave does not touch them).\n");
}

static void print_programs(const struct enforcing_preview *preview, FILE *out)
{
	if (!preview->holds_programs) {
		(void)fprintf(out, "Programs are not held to it (--rules-only).\n");
	} else if (preview->running_count) {
		(void)fprintf(out, "Of what runs now this would be ended:\n");
		print_running(preview, out);
	} else {
		(void)fprintf(out, "Everything that runs now is in the profile.\n");
	}
}

void enforce_preview_print(const struct enforcing_preview *preview, FILE *out)
{
	print_policy(preview->policy, out);
	print_network(preview, out);
	print_programs(preview, out);
	if (preview->recent_count) {
		(void)fprintf(out, "The last 24 hours brought what would be stopped now "
				   "('rtguard events' has the whole story):\n");
		print_recent(preview, out);
	}
}

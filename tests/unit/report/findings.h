/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_FINDINGS_H
#define TEST_FINDINGS_H

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "report/finding.h"

/* One that was stopped before it ran; its checksum is made of one byte. */
static inline struct finding make_finding(const char *path, uint8_t checksum_byte)
{
	struct finding finding = {
		.time_ns = UINT64_C(1772438400000000000), /* 2026-03-02T08:00:00Z */
		.size = 1234,
		.pid = 77,
		.user = 1000,
		.kind = FINDING_PROGRAM_UNKNOWN,
		.layer = LAYER_PERMISSION,
		.action = ACTION_DENIED,
		.hashed = 1,
		.arguments = "tool\0-x",
		.arguments_size = 8,
	};

	memset(finding.sha256, checksum_byte, sizeof(finding.sha256));
	(void)snprintf(finding.path, sizeof(finding.path), "%s", path);
	(void)snprintf(finding.program, sizeof(finding.program), "/usr/bin/dash");
	(void)snprintf(finding.ancestors[0], sizeof(finding.ancestors[0]), "/usr/sbin/sshd");
	return finding;
}

/* One about a packet that was refused. */
static inline struct finding make_flow_finding(const char *remote, uint16_t port, const char *name)
{
	struct finding finding = {
		.time_ns = UINT64_C(1772438400000000000),
		.user = UINT32_MAX,
		.kind = FINDING_CONNECTION_UNKNOWN,
		.layer = LAYER_RULES,
		.action = ACTION_DROPPED,
		.flow = {.way = WAY_OUT,
			 .protocol = IPPROTO_UDP,
			 .local_port = 40000,
			 .remote_port = port},
	};

	(void)ip_parse("192.0.2.1", &finding.flow.local);
	(void)ip_parse(remote, &finding.flow.remote);
	(void)snprintf(finding.program, sizeof(finding.program), "/usr/bin/dash");
	(void)snprintf(finding.flow.name, sizeof(finding.flow.name), "%s", name);
	return finding;
}

#endif

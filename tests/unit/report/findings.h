/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_FINDINGS_H
#define TEST_FINDINGS_H

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

#endif

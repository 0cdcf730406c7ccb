/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture_file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

pcap_t *capture_file_open(const char *name)
{
	const char *directory = getenv("RTGUARD_CAPTURES");
	char error[PCAP_ERRBUF_SIZE];
	char path[PATH_MAX];
	pcap_t *capture;

	if (!directory)
		directory = CAPTURES_BESIDE_SOURCE;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	capture = pcap_open_offline(path, error);
	if (!capture) {
		print_message("skipped, no capture: %s (RTGUARD_CAPTURES says where they are)\n",
			      error);
		skip();
	}
	return capture;
}

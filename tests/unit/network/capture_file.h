/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_CAPTURE_FILE_H
#define TESTS_CAPTURE_FILE_H

#include <pcap/pcap.h>

/* Opens a shared capture ("dns/zeek-mdns.pcap"), found by the environment variable RTGUARD_CAPTURES
 * or beside the source tree. Where there is none the test is skipped and says so. */
pcap_t *capture_file_open(const char *name);

#endif

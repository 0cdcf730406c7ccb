/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_RECORDINGS_H
#define DAEMON_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/error.h"
#include "observe/observation.h"

/* Whose traffic a recording holds. */
struct recorded_device {
	bool is_named; /* else it is what a cooked capture marks as the capturing host's own */
	struct mac_address mac;
	struct ip_address address; /* counts when mac is zero */
};

#define EXPECTED_DEVICE "a MAC address such as 94:10:3e:35:01:c1, or an IP address"
/* The MAC address, or an IP address where frames have none, from text. 0 or -EINVAL. */
int recorded_device_parse(const char *text, struct recorded_device *ret_device);

/* Several capture files read in turn as one stream, about one device. */
struct recordings {
	const char *const *files;
	size_t file_count;
	struct recorded_device device;
	observation_fn deliver;
	void (*begin_file)(void *context, const char *path); /* may be NULL */
	void *context;
};

/* A recording that is cut or damaged is -EBADMSG, after everything before the damage and all other
 * recordings were delivered. *ret_heard (set in that case too): whether the device sent anything at
 * all; if not, its address may be wrong. Without a device that is an error: nothing says whose
 * recording it is. */
int recordings_read(const struct recordings *recordings, bool *ret_heard, struct error *error);

#endif

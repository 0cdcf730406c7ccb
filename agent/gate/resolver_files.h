/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_RESOLVER_FILES_H
#define GATE_RESOLVER_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "profiles/profile.h"

/* The files in which a host's resolvers are written down (resolv.conf(5)): its own, and those of
 * local resolvers, which say whom these ask. */

#define RESOLVERS_MAX 64

/* In the order of ip_compare(), none twice. */
struct resolver_list {
	struct ip_address items[RESOLVERS_MAX];
	size_t count;
};

/* Adds the nameserver lines of one file. Scopes ("%eth0") are taken off; what is no address of a
 * host is left out. */
void resolver_file_parse(const char *bytes, size_t size, struct resolver_list *list);

/* Reads all files that are there; those that cannot be read name nobody. */
void resolver_files_read(struct resolver_list *ret_list);

/* An inotify descriptor that becomes readable when one of them may have changed, appeared, or gone,
 * and the names in the way to them. To be opened anew, before reading, each time one did:
 * directories come and go. Or negative errno. */
int resolver_files_watch(struct string_list *ret_names);

/* Takes what the descriptor tells; whether it is about one of them. Directories in which everybody
 * makes files, as /tmp, are among those watched. */
bool resolver_files_changed(int fd, const struct string_list *names);

#endif

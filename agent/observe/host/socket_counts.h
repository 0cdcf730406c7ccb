/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_SOCKET_COUNTS_H
#define OBSERVE_HOST_SOCKET_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many UDP and UDP-Lite sockets there are, which the kernel keeps count of (/proc/net/sockstat
 * and sockstat6): much cheaper to read than the sockets themselves.
 */
struct socket_counts;

/* Returns 0, -ENOENT (no such file) or -ENOMEM. */
int socket_counts_new(struct socket_counts **ret_counts);
void socket_counts_free(struct socket_counts *counts);

/* Whether the number of sockets of the protocol differs from what it was when last read. True also
 * when it can't be told. */
bool socket_counts_changed(const struct socket_counts *counts, uint8_t protocol);

/* Reads the numbers as they are now. */
void socket_counts_read(struct socket_counts *counts);

/* The number behind "NAME: inuse " in the text, or -1. */
int64_t socket_counts_parse(const char *text, const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef APPLIANCE_NET_H
#define APPLIANCE_NET_H

/* Resolves the name and connects. Returns a socket or -1. family: AF_INET, AF_INET6 or AF_UNSPEC.
 */
int net_connect(const char *name, const char *port, int family, int type);

/* A dual-stack TCP listener on the port. Returns a socket or -1. */
int net_listen(unsigned short port);

/* Sends the text and reads one answer of at most size - 1 bytes within two seconds. Returns its
 * length, or -1. */
int net_ask(int fd, const void *question, int question_size, char *answer, int size);

#endif

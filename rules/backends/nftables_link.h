/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_NFTABLES_LINK_H
#define BACKENDS_NFTABLES_LINK_H

#include <stdint.h>

#include <netlink/msg.h>

#include "base/text.h"

/*
 * The kernel's nf_tables by netlink (linux/netfilter/nf_tables.h), where libnftables is too slow or
 * has no words: single members of sets, and what is in force. All errors are the kernel's, as
 * negative errno.
 */
struct nftables_link {
	int fd;
	uint32_t sequence; /* of the last message */
};

#define NFTABLES_LINK_INIT                                                                         \
	{                                                                                          \
		.fd = -1                                                                           \
	}

int nftables_link_open(struct nftables_link *link);
void nftables_link_close(struct nftables_link *link);

/* A request about our table, family inet; attributes are to follow. NULL: memory is out. type: of
 * enum nf_tables_msg_types. */
struct nl_msg *nftables_message(unsigned int type, int flags);

/* ---- transactions ---- */

/* Messages that take effect together or not at all. Zeroed is empty. */
struct nftables_batch {
	struct text messages;
	uint32_t first_sequence; /* of its beginning */
	uint32_t last_sequence;	 /* of the last message */
	size_t last_place;	 /* of that message among the bytes */
};

/* Takes the message over, also when it fails: 0 or -ENOMEM. message NULL: -ENOMEM. */
int nftables_batch_add(struct nftables_link *link, struct nftables_batch *batch,
		       struct nl_msg *message);
void nftables_batch_free(struct nftables_batch *batch);

/* Returns when the kernel has committed all of it (0), or refused: its first error, nothing done.
 * -ENOBUFS, -ETIMEDOUT: what it said is lost, and it may have done it or not; the link is a new
 * one. An empty batch is done. */
int nftables_batch_commit(struct nftables_link *link, struct nftables_batch *batch);

/* Takes a table of family inet away, with all that is in it. -ENOENT: there is none. */
int nftables_table_delete(struct nftables_link *link, const char *name);

/* ---- questions ---- */

typedef int (*nftables_each_fn)(void *context, const struct nlmsghdr *message);

/* Asks, and calls back for each message of the answer, which ends early when that fails. Takes the
 * request over. -EINTR: somebody changed it meanwhile, what was called back for is of no use. */
int nftables_ask(struct nftables_link *link, struct nl_msg *request, nftables_each_fn each,
		 void *context);

/* The number of the kernel's last transaction in this network namespace, anybody's. */
int nftables_generation(struct nftables_link *link, uint32_t *ret_generation);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_BUILD_CONNECTIONS_H
#define LEARN_BUILD_CONNECTIONS_H

#include "learn/build.h"
#include "learn/generalise.h"

/* Generalises the contacts into the network's connections, one for each entry and program, and
 * writes their evidence. answers: see generalise(). Returns 0 or -ENOMEM. */
int build_connections(struct build *build, const char *label_prefix,
		      const struct contacts *contacts, const struct answering *answering,
		      struct port_set *answers, struct profile_network *network);

/* Puts one entry of evidence; label and entry are taken over, NULL of either is -ENOMEM. */
int put_evidence(struct build *build, const char *label_prefix, char *label, json_t *entry);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_PORT_CLASSES_H
#define LEARN_PORT_CLASSES_H

#include "learn/drafts.h"

/* Good–Turing over samples: how many members of a class does one more sample bring that were never
 * seen? Estimated as those seen in one sample only, divided by the samples. */
struct good_turing {
	uint64_t samples; /* in which any member was seen */
	uint32_t distinct;
	uint32_t seen_once;
};

void good_turing_add(struct good_turing *estimate, uint64_t samples);

/* Whether learning longer would not close the class; at_least: multiple of the members it takes. */
bool good_turing_is_open(const struct good_turing *estimate, unsigned int at_least);

/* Keeps the numbers as evidence; NULL is allowed. */
void good_turing_keep(const struct good_turing *estimate, struct draft *draft);

/* Whether it uses the same high port at both ends, on the local network: a port that was agreed
 * upon, or one that is drawn at random each time. */
bool contact_is_symmetric(const struct contact *contact);

/* Adds classes of ports that are open: peer-to-peer sockets, ports drawn at random on the local
 * network. Returns 0 or -ENOMEM. */
int add_port_classes(const struct contacts *contacts, const struct port_set *answers,
		     struct draft_set *set);

#endif

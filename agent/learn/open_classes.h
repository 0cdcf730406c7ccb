/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_OPEN_CLASSES_H
#define LEARN_OPEN_CLASSES_H

#include "learn/drafts.h"

/* The entry for one contact alone, without its port: pattern, host or address. */
struct draft_key contact_atom(const struct contact *contact);

/* Adds the entries for public peers over TCP and UDP, after add_port_classes(). Returns 0 or
 * -ENOMEM. */
int add_public_classes(const struct contacts *contacts, const struct port_set *answers,
		       struct draft_set *set);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKENDS_IP_SETS_H
#define BACKENDS_IP_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "rules/program.h"

/*
 * The kernel's sets of addresses (ipset(8)) through libipset, which never prints here. Calls return
 * when the kernel has acknowledged. One user at a time: the library keeps the types of sets it has
 * seen for the whole process.
 *
 * Members are handed over as numbers. As text the library would look each one's protocol up in
 * /etc/protocols, which small systems do not have.
 */
struct ip_sets;

/* Whether the kernel has sets at this moment: opening would load their module. */
bool ip_sets_are_there(void);

/* Errors: -EPERM; -ENOMEM. */
int ip_sets_open(struct ip_sets **ret_sets, struct error *error);
void ip_sets_close(struct ip_sets *sets);
void ip_sets_closep(struct ip_sets **sets);

/* Whether the kernel has every type of set that programs can contain: -EOPNOTSUPP names it and its
 * option. */
int ip_sets_probe(struct ip_sets *sets, struct error *error);

/* An empty set of that kind; family: enum rule_family, of no account for sets of ports. Errors:
 * -EEXIST; -EIO for what else the kernel refuses. */
int ip_sets_create(struct ip_sets *sets, const char *name, const struct rule_set *kind,
		   unsigned int family, struct error *error);

/* Puts all members of the family into the set of that name, many in one message. Errors as below,
 * with some of them in. */
int ip_sets_fill(struct ip_sets *sets, const char *name, const struct rule_set *set,
		 unsigned int family, struct error *error);

/* One member of the set of that name, of its kind. In there already: its time is renewed. Errors:
 * -ENOSPC, the set is full; -ENOENT, there is no such set. */
int ip_sets_add(struct ip_sets *sets, const char *name, const struct rule_set *kind,
		const struct rule_member *member, struct error *error);

/* Not there is no error. */
int ip_sets_remove(struct ip_sets *sets, const char *name, const struct rule_set *kind,
		   const struct rule_member *member, struct error *error);

/* Errors: -EBUSY, a rule refers to it. */
int ip_sets_destroy(struct ip_sets *sets, const char *name, struct error *error);

struct ip_set_listed {
	char name[32]; /* IPSET_MAXNAMELEN */
	unsigned int references;
};

/* All sets of this network namespace whose names begin with the prefix; to be freed. */
int ip_sets_list(struct ip_sets *sets, const char *prefix, struct ip_set_listed **ret_listed,
		 size_t *ret_count, struct error *error);

/* What rules call a set by. -ENOENT: there is none of that name. */
int ip_sets_index(struct ip_sets *sets, const char *name, uint16_t *ret_index);

#endif

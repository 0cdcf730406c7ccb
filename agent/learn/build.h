/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_BUILD_H
#define LEARN_BUILD_H

#include <jansson.h>

#include "learn/learner.h"
#include "learn/state.h"
#include "profiles/profile.h"

/*
 * From the tables to a profile's policy, and for each entry its evidence. The order in which things
 * were seen leaves no trace in the policy. All return 0 or -ENOMEM.
 */
struct build {
	struct state *state;
	struct profile *profile;
	bool counting;		    /* only connections is wanted: no evidence is kept */
	json_t *entries;	    /* evidence.entries: label to what was seen */
	json_t *addresses;	    /* evidence.addresses: name to addresses */
	json_t *roles;		    /* evidence.roles: role to addresses */
	struct novelty connections; /* counted by entries of the policy; unseen_probability unset */
};

/* Programs, scripts, libraries. */
int build_host(struct build *build);

/* What programs read; they must be there (reads.c). */
int build_reads(struct build *build);

/* Listeners, connections and names of one station. label_prefix goes before the evidence's labels.
 */
int build_network(struct build *build, const struct mac_address *station, const char *label_prefix,
		  struct profile_network *network);

/* Every station of which anything was seen, each once. To be freed. */
int build_stations(const struct state *state, struct mac_address **ret_stations, size_t *ret_count);

/* A path is a label and may hold any byte, a profile is UTF-8: what is not is escaped. Takes the
 * text over; NULL for NULL, and with *broken set when memory is out. */
char *to_profile_text(char *text, bool *broken);

/* {"count", "first_seen", "last_seen"}, or NULL when memory is out. */
json_t *seen_to_json(const struct seen *seen);

/* Takes part into whole: counts add up, times widen. */
void seen_merge(struct seen *whole, const struct seen *part);

/* Puts value (taken over, NULL is -ENOMEM) into object. */
int json_put(json_t *object, const char *key, json_t *value);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/build_connections.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define LISTED_HOSTS	 8 /* that a domain or pattern stands for */
#define LISTED_ADDRESSES 8 /* of one entry */

/* What was seen of an entry: the contacts that it covers. */
struct sightings {
	struct seen seen;
	uint32_t ttl_min_s;
	uint32_t ttl_max_s;
	bool has_ttl;
	json_t *hosts;
	json_t *addresses;
	size_t hosts_not_listed;
	size_t addresses_not_listed;
};

static int list(json_t **list, const char *text, size_t limit, size_t *not_listed)
{
	if (!*list)
		*list = json_array();
	if (!*list)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(*list); i++)
		if (strcmp(json_string_value(json_array_get(*list, i)), text) == 0)
			return 0;
	if (json_array_size(*list) >= limit) {
		++*not_listed;
		return 0;
	}
	return json_array_append_new(*list, json_string(text)) == 0 ? 0 : -ENOMEM;
}

static int take_sighting(struct sightings *sightings, const struct contact *contact)
{
	const struct contact_value *value = contact->value;
	char address[IP_TEXT_SIZE];

	seen_merge(&sightings->seen, &value->seen);
	if (value->name_sources & 1u << NAME_FROM_DNS) {
		if (!sightings->has_ttl || value->ttl_min_s < sightings->ttl_min_s)
			sightings->ttl_min_s = value->ttl_min_s;
		if (value->ttl_max_s > sightings->ttl_max_s)
			sightings->ttl_max_s = value->ttl_max_s;
		sightings->has_ttl = true;
	}
	if (contact->name &&
	    list(&sightings->hosts, contact->name, LISTED_HOSTS, &sightings->hosts_not_listed) < 0)
		return -ENOMEM;
	if (contact->address.family == 0)
		return 0;
	ip_format(&contact->address, address);
	return list(&sightings->addresses, address, LISTED_ADDRESSES,
		    &sightings->addresses_not_listed);
}

/* A named public contact keeps no address: its answers do. */
static int list_host_addresses(struct build *build, const struct draft_key *draft,
			       struct sightings *sightings)
{
	json_t *known = json_object_get(build->addresses, draft->name);
	size_t i;
	json_t *item;

	json_array_foreach(known, i, item)
	{
		if (list(&sightings->addresses, json_string_value(item), LISTED_ADDRESSES,
			 &sightings->addresses_not_listed) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int put_number(json_t *entry, const char *key, uint64_t number)
{
	return number ? json_put(entry, key, json_integer((json_int_t)number)) : 0;
}

/* The entry takes hosts and addresses over. */
static int fill_entry(json_t *entry, const struct draft *draft, struct sightings *sightings)
{
	int result = 0;

	if (sightings->hosts && draft->key.peer_kind != PEER_HOST)
		result = json_put(entry, "hosts", json_incref(sightings->hosts));
	if (result == 0 && sightings->addresses)
		result = json_put(entry, "addresses", json_incref(sightings->addresses));
	if (result == 0)
		result = put_number(entry, "hosts_not_listed", sightings->hosts_not_listed);
	if (result == 0)
		result = put_number(entry, "addresses_not_listed", sightings->addresses_not_listed);
	if (result == 0 && sightings->has_ttl)
		result = json_put(entry, "ttl_min", json_integer(sightings->ttl_min_s));
	if (result == 0 && sightings->has_ttl)
		result = json_put(entry, "ttl_max", json_integer(sightings->ttl_max_s));
	if (result == 0 && draft->samples) {
		result = put_number(entry, "distinct", draft->distinct);
		if (result == 0)
			result = json_put(entry, "seen_once", json_integer(draft->seen_once));
		if (result == 0)
			result = put_number(entry, "samples", draft->samples);
	}
	/* Nothing was seen of it: something else that was seen brings it with it. */
	if (result == 0 && sightings->seen.count == 0)
		result = json_put(entry, "implied", json_true());
	return result;
}

static json_t *entry_of(const struct draft *draft, struct sightings *sightings)
{
	json_t *entry = sightings->seen.count ? seen_to_json(&sightings->seen)
					      : json_pack("{s:i}", "count", 0);

	if (entry && fill_entry(entry, draft, sightings) < 0) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

static int compare_json_strings(const void *a, const void *b)
{
	return strcmp(json_string_value(*(json_t *const *)a),
		      json_string_value(*(json_t *const *)b));
}

static int sort_strings(json_t *array)
{
	size_t count = json_array_size(array);
	json_t **items = calloc(count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		items[i] = json_incref(json_array_get(array, i));
	qsort(items, count, sizeof(*items), compare_json_strings);
	for (size_t i = 0; i < count; i++)
		(void)json_array_set_new(array, i, items[i]);
	free(items);
	return 0;
}

static void count_entry(struct novelty *novelty, const struct seen *seen)
{
	if (seen->count == 0)
		return;
	novelty->observations += seen->count;
	novelty->distinct++;
	novelty->seen_once += seen->count == 1;
	if (seen->first_ns > novelty->last_new_ns)
		novelty->last_new_ns = seen->first_ns;
}

/* Order of a contact against what a draft says as far as contacts are sorted by it. */
static int compare_to_draft(const struct contact *contact, const struct draft_key *draft)
{
	uint16_t port = draft->icmp_type ? draft->icmp_type : draft->port;

	if (contact->protocol != draft->protocol)
		return contact->protocol < draft->protocol ? -1 : 1;
	if (draft->port_kind != PORT_NUMBER)
		return 0;
	if (contact->port != port)
		return contact->port < port ? -1 : 1;
	return draft->peer_kind == PEER_HOST
		       ? strcmp(contact->name ? contact->name : "", draft->name)
		       : 0;
}

static size_t first_candidate(const struct contacts *contacts, const struct draft_key *draft)
{
	size_t low = 0;
	size_t high = contacts->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_to_draft(&contacts->items[middle], draft) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sightings_free(struct sightings *sightings)
{
	json_decref(sightings->hosts);
	json_decref(sightings->addresses);
	*sightings = (struct sightings){0};
}

/* One station's entries in the making. */
struct entries {
	struct build *build;
	const char *prefix;
	const struct contacts *contacts;
	const struct port_set *answers;
	struct profile_network *network;
	struct sightings *sightings; /* by program, of the draft at hand */
};

/* What was seen of a draft, program by program; who was seen joins those that need it. */
static int look(const struct entries *entries, struct draft *draft)
{
	const struct contacts *contacts = entries->contacts;
	int result = 0;

	for (size_t i = first_candidate(contacts, &draft->key);
	     result == 0 && i < contacts->count &&
	     compare_to_draft(&contacts->items[i], &draft->key) == 0;
	     i++) {
		const struct contact *contact = &contacts->items[i];

		if (contact_is_answer(contact, entries->answers) ||
		    !draft_covers(&draft->key, contact))
			continue;
		result = program_set_add(&draft->programs, contact->program);
		if (result == 0)
			result = take_sighting(&entries->sightings[contact->program], contact);
	}
	/* an entry of nobody's: packets alone show that it is needed */
	if (result == 0 && program_set_is_empty(&draft->programs))
		result = program_set_add(&draft->programs, 0);
	return result;
}

static int fill_connection(struct profile_connection *connection, const char *program,
			   const struct draft_key *key)
{
	bool broken = false;

	connection->protocol = key->protocol;
	connection->peer_kind = (enum profile_peer_kind)key->peer_kind;
	connection->role = (enum profile_role)key->role;
	connection->address = key->address;
	connection->prefix_length = key->prefix_length;
	connection->port_kind = (enum profile_port_kind)key->port_kind;
	connection->port = key->port;
	connection->local_port = key->local_port;
	connection->icmp_type = key->icmp_type;
	if (key->name[0]) {
		connection->name = strdup(key->name);
		if (!connection->name)
			return -ENOMEM;
	}
	if (!program)
		return 0;
	connection->program = to_profile_text(strdup(program), &broken);
	return broken || !connection->program ? -ENOMEM : 0;
}

/* The entry of one program, with its evidence. */
static int emit(const struct entries *entries, const struct draft *draft, uint32_t program)
{
	struct build *build = entries->build;
	struct sightings *sightings = &entries->sightings[program];
	struct profile_connection *connection = network_add_connection(entries->network);
	int result = -ENOMEM;

	if (connection)
		result = fill_connection(connection, entries->contacts->programs[program],
					 &draft->key);
	if (result == 0 && draft->key.peer_kind == PEER_HOST)
		result = list_host_addresses(build, &draft->key, sightings);
	if (result == 0 && sightings->addresses)
		result = sort_strings(sightings->addresses);
	if (result < 0)
		return result;
	count_entry(&build->connections, &sightings->seen);
	return put_evidence(build, entries->prefix, connection_label(connection),
			    entry_of(draft, sightings));
}

static int build_draft(const struct entries *entries, struct draft *draft)
{
	size_t count = entries->contacts->program_count;
	int result = look(entries, draft);

	for (uint32_t program = 0; program < count; program++) {
		if (!program_set_has(&draft->programs, program))
			continue;
		if (result == 0)
			result = emit(entries, draft, program);
		sightings_free(&entries->sightings[program]);
	}
	return result;
}

int build_connections(struct build *build, const char *prefix, const struct contacts *contacts,
		      const struct answering *answering, struct port_set *answers,
		      struct profile_network *network)
{
	struct entries entries = {
		.build = build,
		.prefix = prefix,
		.contacts = contacts,
		.answers = answers,
		.network = network,
		.sightings = calloc(contacts->program_count, sizeof(struct sightings)),
	};
	struct drafts drafts = {0};
	int result =
		entries.sightings ? generalise(contacts, answering, answers, &drafts) : -ENOMEM;

	for (size_t i = 0; result == 0 && i < drafts.count; i++)
		result = build_draft(&entries, &drafts.items[i]);
	drafts_free(&drafts);
	free(entries.sightings);
	return result;
}

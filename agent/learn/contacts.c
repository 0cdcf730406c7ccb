/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/contacts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hostname.h"
#include "base/map.h"
#include "base/text.h"
#include "profiles/peer_place.h"

static void drop_last(struct contacts *contacts)
{
	struct contact *contact = &contacts->items[--contacts->count];

	free(contact->name);
	free(contact->pattern);
	free(contact->domain);
}

void contacts_free(struct contacts *contacts)
{
	while (contacts->count > 0)
		drop_last(contacts);
	for (size_t i = 0; i < contacts->program_count; i++)
		free(contacts->programs[i]);
	free(contacts->items);
	free(contacts->programs);
	*contacts = (struct contacts){0};
}

/* The smallest name of each address that an answer gave: a device that remembers an address asks no
 * more. Values are pointers to names, owned by the map. */
static void free_name(void *value, void *context)
{
	(void)context;
	free(*(char **)value);
}

static int load_known(struct state *state, const struct mac_address *station, struct map **ret_map)
{
	struct map *known;
	int result = map_new(&known, 65536, sizeof(char *), free_name, NULL);

	if (result < 0)
		return result;
	for (void *value = state_next(state, TABLE_ADDRESSES, NULL); value;
	     value = state_next(state, TABLE_ADDRESSES, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		bool broken = false;
		char *name = key_read_string(&reader, &broken);
		struct ip_address address = key_read_address(&reader);
		char **best = NULL;

		if (name && mac_equal(&mac, station)) {
			best = map_add(known, &address, sizeof(address));
			broken = !best;
		}
		if (best && (!*best || strcmp(name, *best) < 0)) {
			free(*best);
			*best = take_pointer(name);
		}
		free(name);
		if (broken) {
			map_free(known);
			return -ENOMEM;
		}
	}
	*ret_map = known;
	return 0;
}

/* Bits of the roles that addresses have played, by address. */
static int load_roles(struct state *state, const struct mac_address *station, struct map **ret_map)
{
	struct map *roles;
	int result = map_new(&roles, 4096, sizeof(uint8_t), NULL, NULL);

	if (result < 0)
		return result;
	for (void *value = state_next(state, TABLE_ROLES, NULL); value;
	     value = state_next(state, TABLE_ROLES, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		struct ip_address address = key_read_address(&reader);
		uint8_t role = (uint8_t)key_read_number(&reader, 1);
		uint8_t *bits;

		if (!mac_equal(&mac, station) || role > PEER_ROLE_BROADCAST)
			continue;
		bits = map_add(roles, &address, sizeof(address));
		if (!bits) {
			map_free(roles);
			return -ENOMEM;
		}
		*bits |= (uint8_t)(1u << role);
	}
	*ret_map = roles;
	return 0;
}

static enum profile_role place_of(const struct contact *contact)
{
	bool is_broadcast = contact->flags & CONTACT_LINK_BROADCAST ||
			    contact->roles & 1u << PEER_ROLE_BROADCAST;

	/* by name alone: public */
	return contact->address.family ? peer_place(&contact->address, is_broadcast)
				       : ROLE_INTERNET;
}

uint16_t contact_own_port(const struct contact *contact)
{
	return contact->flags & CONTACT_SAME_PORT ? contact->port : contact->local_port;
}

bool contact_is_resolver(const struct contact *contact)
{
	return (contact->protocol == IPPROTO_UDP || contact->protocol == IPPROTO_TCP) &&
	       peer_is_resolver(contact->port, contact->place,
				contact->roles & 1u << PEER_ROLE_RESOLVER);
}

static int name_contact(struct contact *contact, const struct domains *domains)
{
	char pattern[NAME_SIZE];
	const char *domain;

	if (!contact->name || contact->place != ROLE_INTERNET)
		return 0;
	domain_number_pattern(domains, contact->name, pattern);
	contact->pattern = strdup(pattern);
	domain = domain_of(domains, contact->name);
	if (domain && !domain_is_shared(domains, domain))
		contact->domain = strdup(domain);
	else
		domain = NULL;
	return !contact->pattern || (domain && !contact->domain) ? -ENOMEM : 0;
}

struct loading {
	struct contacts *contacts;
	const struct domains *domains;
	struct map *known;
	struct map *roles;
	struct map *programs; /* path to index */
};

static int find_program(struct loading *loading, char **program, uint32_t *ret_index)
{
	struct contacts *contacts = loading->contacts;
	uint32_t *index;

	*ret_index = 0;
	if (!*program)
		return 0;
	index = map_add(loading->programs, *program, strlen(*program));
	if (!index || array_reserve(&contacts->programs, &contacts->program_capacity,
				    contacts->program_count, sizeof(char *)) < 0)
		return -ENOMEM;
	if (*index == 0) {
		*index = (uint32_t)contacts->program_count;
		contacts->programs[contacts->program_count++] = take_pointer(*program);
	}
	*ret_index = *index;
	return 0;
}

static int load_contact(struct loading *loading, struct contact *contact, struct key_reader *reader)
{
	_cleanup_(freep) char *program = NULL;
	bool broken = false;
	uint8_t *roles;
	char **known;

	contact->protocol = (uint8_t)key_read_number(reader, 1);
	contact->port = (uint16_t)key_read_number(reader, 2);
	contact->local_port = (uint16_t)key_read_number(reader, 2);
	contact->flags = (uint8_t)key_read_number(reader, 1);
	contact->address = key_read_address(reader);
	contact->name = key_read_string(reader, &broken);
	program = key_read_string(reader, &broken);
	if (broken || find_program(loading, &program, &contact->program) < 0)
		return -ENOMEM;
	roles = map_peek(loading->roles, &contact->address, sizeof(contact->address));
	contact->roles = roles ? *roles : 0;
	contact->place = place_of(contact);
	known = map_peek(loading->known, &contact->address, sizeof(contact->address));
	if (!contact->name && known && contact->place == ROLE_INTERNET) {
		contact->name = strdup(*known);
		if (!contact->name)
			return -ENOMEM;
	}
	return name_contact(contact, loading->domains);
}

static int load_all(struct loading *loading, struct state *state, const struct mac_address *station)
{
	struct contacts *contacts = loading->contacts;

	for (void *value = state_next(state, TABLE_CONTACTS, NULL); value;
	     value = state_next(state, TABLE_CONTACTS, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		struct contact *contact;

		if (!mac_equal(&mac, station))
			continue;
		if (array_reserve(&contacts->items, &contacts->capacity, contacts->count,
				  sizeof(struct contact)) < 0)
			return -ENOMEM;
		contact = &contacts->items[contacts->count++];
		*contact = (struct contact){.value = value};
		if (load_contact(loading, contact, &reader) < 0)
			return -ENOMEM;
		/* none of ours has one that is no host name */
		if (contact->name && !hostname_is_valid(contact->name))
			drop_last(contacts);
	}
	return 0;
}

static int compare_contacts(const void *left, const void *right)
{
	const struct contact *a = left;
	const struct contact *b = right;
	int order;

	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	order = strcmp(a->name ? a->name : "", b->name ? b->name : "");
	return order ? order : ip_compare(&a->address, &b->address);
}

int contacts_find_program(struct contacts *contacts, const char *program, uint32_t *ret_index)
{
	char *copy;

	*ret_index = 0;
	if (!program)
		return 0;
	for (uint32_t i = 1; i < contacts->program_count; i++) {
		if (strcmp(contacts->programs[i], program) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	copy = strdup(program);
	if (!copy || array_reserve(&contacts->programs, &contacts->program_capacity,
				   contacts->program_count, sizeof(char *)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	*ret_index = (uint32_t)contacts->program_count;
	contacts->programs[contacts->program_count++] = copy;
	return 0;
}

int contacts_load(struct state *state, const struct mac_address *station,
		  const struct domains *domains, struct contacts *ret_contacts)
{
	struct contacts contacts = {0};
	struct loading loading = {.contacts = &contacts, .domains = domains};
	int result =
		array_reserve(&contacts.programs, &contacts.program_capacity, 0, sizeof(char *));

	if (result == 0)
		contacts.programs[contacts.program_count++] = NULL;
	if (result == 0)
		result = load_known(state, station, &loading.known);
	if (result == 0)
		result = load_roles(state, station, &loading.roles);
	if (result == 0)
		result = map_new(&loading.programs, 16384, sizeof(uint32_t), NULL, NULL);
	if (result == 0)
		result = load_all(&loading, state, station);
	map_free(loading.known);
	map_free(loading.roles);
	map_free(loading.programs);
	if (result < 0) {
		contacts_free(&contacts);
		return result;
	}
	if (contacts.count > 0)
		qsort(contacts.items, contacts.count, sizeof(struct contact), compare_contacts);
	*ret_contacts = contacts;
	return 0;
}

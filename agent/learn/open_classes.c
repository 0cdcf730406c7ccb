/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains, server farms and open classes: where several peers stand for those not yet seen. */
#include "learn/open_classes.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "learn/port_classes.h"
#include "profiles/peer_place.h"
#include "profiles/port.h"

#define DOMAIN_NAMES 2 /* so many different names of one owner stand for all of its names */

#define PORT_NTP 123

/* One peer of a class, a class being protocol and port. */
struct atom {
	struct draft_key key; /* with the port */
	const char *domain;   /* or NULL */
	uint64_t samples;
	bool gone;	/* covered by something wider */
	bool by_socket; /* only ever reached from a socket that is open as a whole */
};

struct atoms {
	struct atom *items;
	size_t count;
	size_t capacity;
};

struct draft_key contact_atom(const struct contact *contact)
{
	bool numbered = contact->pattern && strcmp(contact->pattern, contact->name) != 0;

	if (!contact->name)
		return draft_address(contact->protocol, &contact->address,
				     contact->address.family == 4 ? 32 : 128);
	return numbered ? draft_name(contact->protocol, PEER_PATTERN, contact->pattern)
			: draft_name(contact->protocol, PEER_HOST, contact->name);
}

static int compare_classes(const struct atom *a, const struct atom *b)
{
	if (a->key.protocol != b->key.protocol)
		return a->key.protocol < b->key.protocol ? -1 : 1;
	return a->key.port == b->key.port ? 0 : a->key.port < b->key.port ? -1 : 1;
}

static int compare_atoms(const void *left, const void *right)
{
	const struct atom *a = left;
	const struct atom *b = right;
	int order = compare_classes(a, b);

	return order ? order : memcmp(&a->key, &b->key, sizeof(a->key));
}

static void unite(struct atom *atom, const struct atom *other)
{
	atom->samples |= other->samples;
	atom->by_socket &= other->by_socket;
}

static bool is_public(const struct contact *contact, const struct port_set *answers)
{
	return contact->place == ROLE_INTERNET && !contact_is_answer(contact, answers) &&
	       (contact->protocol == IPPROTO_TCP || contact->protocol == IPPROTO_UDP) &&
	       !contact_is_resolver(contact);
}

static bool from_open_socket(const struct contact *contact, struct draft_set *set)
{
	struct draft_key key = draft_role(contact->protocol, ROLE_INTERNET, PORT_HIGH, 0);

	key.local_port = contact->local_port;
	return contact->local_port && map_peek(set->map, &key, sizeof(key));
}

/* Sorted, each peer of a class once. */
static int collect(const struct contacts *contacts, const struct port_set *answers,
		   struct draft_set *set, struct atoms *atoms)
{
	size_t kept = 0;

	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = &contacts->items[i];
		struct atom *atom;

		if (!is_public(contact, answers))
			continue;
		if (array_reserve(&atoms->items, &atoms->capacity, atoms->count,
				  sizeof(struct atom)) < 0)
			return -ENOMEM;
		atom = &atoms->items[atoms->count++];
		*atom = (struct atom){.domain = contact->domain,
				      .samples = contact->value->samples,
				      .by_socket = from_open_socket(contact, set)};
		atom->key = contact_atom(contact);
		draft_set_port(&atom->key, contact->port);
	}
	if (atoms->count > 0)
		qsort(atoms->items, atoms->count, sizeof(struct atom), compare_atoms);
	for (size_t i = 0; i < atoms->count; i++) {
		if (kept > 0 && compare_atoms(&atoms->items[kept - 1], &atoms->items[i]) == 0)
			unite(&atoms->items[kept - 1], &atoms->items[i]);
		else
			atoms->items[kept++] = atoms->items[i];
	}
	atoms->count = kept;
	return 0;
}

/* Names of one domain, over all ports. */
static int compare_by_domain(const void *left, const void *right)
{
	const struct atom *a = *(const struct atom *const *)left;
	const struct atom *b = *(const struct atom *const *)right;
	int order;

	order = strcmp(a->domain, b->domain);
	return order ? order : strcmp(a->key.name, b->key.name);
}

static bool same_domain(const struct atom *a, const struct atom *b)
{
	return strcmp(a->domain, b->domain) == 0;
}

/* Time servers are named by whoever runs the pool: their names say nothing of an owner. */
static bool speaks_for_owner(const struct atom *atom)
{
	return atom->domain && !(atom->key.protocol == IPPROTO_UDP && atom->key.port == PORT_NTP);
}

static void widen_domain(struct atom **atoms, size_t count, struct draft_set *set)
{
	size_t names = 1;

	for (size_t i = 1; i < count; i++)
		names += strcmp(atoms[i]->key.name, atoms[i - 1]->key.name) != 0;
	if (names < DOMAIN_NAMES)
		return;
	for (size_t i = 0; i < count; i++) {
		struct draft_key key =
			draft_name(atoms[i]->key.protocol, PEER_DOMAIN, atoms[i]->domain);

		key.port_kind = PORT_ANY;
		draft_set_add(set, &key);
	}
}

static void mark_covered(struct atoms *atoms, struct draft_set *set)
{
	for (size_t i = 0; i < atoms->count; i++) {
		struct atom *atom = &atoms->items[i];
		struct draft_key key;

		if (!atom->domain)
			continue;
		key = draft_name(atom->key.protocol, PEER_DOMAIN, atom->domain);
		key.port_kind = PORT_ANY;
		atom->gone = map_peek(set->map, &key, sizeof(key)) != NULL;
	}
}

static int widen_domains(struct atoms *atoms, struct draft_set *set)
{
	struct atom **named = calloc(atoms->count + 1, sizeof(struct atom *));
	size_t count = 0;
	size_t end;

	if (!named)
		return -ENOMEM;
	for (size_t i = 0; i < atoms->count; i++)
		if (speaks_for_owner(&atoms->items[i]))
			named[count++] = &atoms->items[i];
	if (count > 0)
		qsort(named, count, sizeof(struct atom *), compare_by_domain);
	for (size_t begin = 0; begin < count; begin = end) {
		for (end = begin + 1; end < count && same_domain(named[begin], named[end]);)
			end++;
		widen_domain(named + begin, end - begin, set);
	}
	free(named);
	mark_covered(atoms, set);
	return 0;
}

static struct draft_key farm_of(const struct draft_key *key)
{
	struct draft_key farm = *key;

	farm.prefix_length = (uint8_t)peer_farm_prefix_length(&key->address);
	farm.address = peer_farm(&key->address);
	return farm;
}

/* Two or more addresses of one prefix become the prefix. Atoms of a class are sorted, so that the
 * addresses of a farm follow each other. */
static void gather_farms(struct atom *atoms, size_t count)
{
	size_t end;

	for (size_t begin = 0; begin < count; begin = end) {
		struct draft_key farm;

		end = begin + 1;
		if (atoms[begin].gone || atoms[begin].key.peer_kind != PEER_ADDRESS)
			continue;
		farm = farm_of(&atoms[begin].key);
		while (end < count && atoms[end].key.peer_kind == PEER_ADDRESS) {
			struct draft_key other = farm_of(&atoms[end].key);

			if (memcmp(&farm, &other, sizeof(farm)) != 0)
				break;
			unite(&atoms[begin], &atoms[end]);
			atoms[end++].gone = true;
		}
		if (end > begin + 1)
			atoms[begin].key = farm;
	}
}

/* A named peer over TCP was chosen by somebody; relays given by address and datagrams may go
 * anywhere. */
static bool counts(const struct atom *atom)
{
	return !atom->gone &&
	       (atom->key.protocol == IPPROTO_UDP || atom->key.peer_kind == PEER_ADDRESS);
}

static bool may_open(uint8_t protocol, uint16_t port)
{
	return (protocol == IPPROTO_UDP && port == PORT_NTP) ||
	       port_kind_covers(PORT_HIGH, protocol, 0, 0, port);
}

static void settle_class(struct atom *atoms, size_t count, struct draft_set *set)
{
	const struct draft_key *first = &atoms[0].key;
	struct good_turing estimate = {0};

	gather_farms(atoms, count);
	for (size_t i = 0; i < count; i++)
		if (counts(&atoms[i]))
			good_turing_add(&estimate, atoms[i].samples);
	if (may_open(first->protocol, first->port) && good_turing_is_open(&estimate, 1)) {
		struct draft_key key =
			draft_role(first->protocol, ROLE_INTERNET, PORT_NUMBER, first->port);

		good_turing_keep(&estimate, draft_set_add(set, &key));
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!atoms[i].gone && !atoms[i].by_socket)
			draft_set_add(set, &atoms[i].key);
}

int add_public_classes(const struct contacts *contacts, const struct port_set *answers,
		       struct draft_set *set)
{
	struct atoms atoms = {0};
	size_t end;
	int result = collect(contacts, answers, set, &atoms);

	if (result == 0)
		result = widen_domains(&atoms, set);
	for (size_t begin = 0; result == 0 && begin < atoms.count; begin = end) {
		for (end = begin + 1; end < atoms.count &&
				      compare_classes(&atoms.items[begin], &atoms.items[end]) == 0;)
			end++;
		settle_class(atoms.items + begin, end - begin, set);
	}
	free(atoms.items);
	return result;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/drafts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profiles/match.h"
#include "profiles/peer_place.h"
#include "profiles/port.h"

/* More than a profile may hold; what is beyond does not get into it either. */
#define DRAFT_LIMIT (2 * PROFILE_ENTRY_LIMIT)

static void dispose(void *value, void *context)
{
	(void)context;
	program_set_free(&((struct draft *)value)->programs);
}

int draft_set_new(struct draft_set *set)
{
	*set = (struct draft_set){0};
	return map_new(&set->map, DRAFT_LIMIT, sizeof(struct draft), dispose, NULL);
}

void draft_set_free(struct draft_set *set)
{
	map_free(set->map);
}

struct draft *draft_set_add(struct draft_set *set, const struct draft_key *key)
{
	struct draft *draft = set->broken ? NULL : map_add(set->map, key, sizeof(*key));

	if (draft)
		draft->key = *key;
	else
		set->broken = true;
	return draft;
}

void draft_set_add_program(struct draft_set *set, struct draft *draft, uint32_t program)
{
	if (draft && program_set_add(&draft->programs, program) < 0)
		set->broken = true;
}

void draft_set_add_programs(struct draft_set *set, struct draft *draft,
			    const struct program_set *programs)
{
	if (draft && program_set_unite(&draft->programs, programs) < 0)
		set->broken = true;
}

void draft_set_port(struct draft_key *key, uint16_t port)
{
	if (protocol_has_types(key->protocol))
		key->icmp_type = (uint8_t)port;
	else if (protocol_has_ports(key->protocol))
		key->port = port;
}

/* Structure assignment may leave padding behind: the whole is cleared first. */
static struct draft_key blank(uint8_t protocol, enum profile_peer_kind kind)
{
	struct draft_key key;

	memset(&key, 0, sizeof(key));
	key.protocol = protocol;
	key.peer_kind = (uint8_t)kind;
	return key;
}

struct draft_key draft_role(uint8_t protocol, enum profile_role role,
			    enum profile_port_kind port_kind, uint16_t port)
{
	struct draft_key key = blank(protocol, PEER_ROLE);

	key.role = (uint8_t)role;
	key.port_kind = (uint8_t)port_kind;
	if (port_kind == PORT_NUMBER)
		draft_set_port(&key, port);
	return key;
}

struct draft_key draft_name(uint8_t protocol, enum profile_peer_kind kind, const char *name)
{
	struct draft_key key = blank(protocol, kind);

	snprintf(key.name, sizeof(key.name), "%s", name);
	return key;
}

struct draft_key draft_address(uint8_t protocol, const struct ip_address *address,
			       unsigned int prefix_length)
{
	struct draft_key key = blank(protocol, PEER_ADDRESS);

	key.address = *address;
	key.prefix_length = (uint8_t)prefix_length;
	return key;
}

static bool ports_imply(const struct draft_key *wide, const struct draft_key *narrow)
{
	if (wide->local_port && wide->local_port != narrow->local_port)
		return false;
	if (wide->port_kind == PORT_ANY)
		return true;
	if (narrow->port_kind == PORT_NUMBER)
		return wide->port_kind != PORT_SAME &&
		       port_kind_covers((enum profile_port_kind)wide->port_kind, wide->protocol,
					wide->port, 0, narrow->port);
	if (wide->port_kind == PORT_HIGH && wide->protocol != IPPROTO_TCP)
		return narrow->port_kind == PORT_HIGH || narrow->port_kind == PORT_EPHEMERAL ||
		       narrow->port_kind == PORT_SAME;
	return wide->port_kind == narrow->port_kind;
}

static bool role_implies(const struct draft_key *wide, const struct draft_key *narrow)
{
	if (narrow->peer_kind == PEER_ROLE)
		return narrow->role == wide->role ||
		       (wide->role == ROLE_LAN &&
			(narrow->role == ROLE_GATEWAY || narrow->role == ROLE_DHCP_SERVER));
	/* Local peers never become names or addresses: what has one of these is public. */
	return wide->role == ROLE_INTERNET;
}

bool draft_implies(const struct draft_key *wide, const struct draft_key *narrow)
{
	if (wide->protocol != narrow->protocol || wide->icmp_type != narrow->icmp_type ||
	    !ports_imply(wide, narrow))
		return false;
	switch (wide->peer_kind) {
	case PEER_ROLE:
		return role_implies(wide, narrow);
	case PEER_DOMAIN:
		return narrow->peer_kind != PEER_ROLE && narrow->peer_kind != PEER_ADDRESS &&
		       name_in_domain(narrow->name, wide->name);
	case PEER_HOST:
	case PEER_PATTERN:
		return narrow->peer_kind == wide->peer_kind &&
		       strcmp(narrow->name, wide->name) == 0;
	default:
		return narrow->peer_kind == PEER_ADDRESS &&
		       narrow->prefix_length >= wide->prefix_length &&
		       ip_in_prefix(&narrow->address, &wide->address, wide->prefix_length);
	}
}

/* Whether it can imply anything but itself; most drafts cannot, which keeps finishing quick. */
static bool is_wide(const struct draft_key *key)
{
	return key->port_kind != PORT_NUMBER || key->peer_kind == PEER_ROLE ||
	       key->peer_kind == PEER_DOMAIN ||
	       (key->peer_kind == PEER_ADDRESS &&
		key->prefix_length < (key->address.family == 4 ? 32 : 128));
}

/* Whether a wider draft implies it; all that do take its programs over. */
static bool give_way(struct draft_set *set, struct draft *const *wide, size_t count,
		     const struct draft *draft)
{
	bool implied = false;

	for (size_t i = 0; i < count; i++) {
		if (wide[i] == draft || !draft_implies(&wide[i]->key, &draft->key))
			continue;
		draft_set_add_programs(set, wide[i], &draft->programs);
		implied = true;
	}
	return implied;
}

static int compare_drafts(const void *a, const void *b)
{
	return memcmp(&((const struct draft *)a)->key, &((const struct draft *)b)->key,
		      sizeof(struct draft_key));
}

static size_t collect_wide(const struct draft_set *set, struct draft **wide)
{
	size_t count = 0;

	for (struct draft *draft = map_next(set->map, NULL); draft;
	     draft = map_next(set->map, draft))
		if (is_wide(&draft->key))
			wide[count++] = draft;
	return count;
}

int draft_set_finish(struct draft_set *set, struct drafts *ret_drafts)
{
	size_t count = map_count(set->map);
	_cleanup_(freep) struct draft **wide = calloc(count + 1, sizeof(*wide));
	_cleanup_(freep) struct draft **kept = calloc(count + 1, sizeof(*kept));
	struct drafts drafts = {.items = calloc(count + 1, sizeof(struct draft))};
	size_t wide_count;

	if (!wide || !kept || !drafts.items) {
		free(drafts.items);
		return -ENOMEM;
	}
	wide_count = collect_wide(set, wide);
	for (struct draft *draft = map_next(set->map, NULL); draft;
	     draft = map_next(set->map, draft))
		if (!give_way(set, wide, wide_count, draft))
			kept[drafts.count++] = draft;
	if (set->broken) {
		free(drafts.items);
		return -ENOMEM;
	}
	/* Only now: what was given over came from drafts further on. */
	for (size_t i = 0; i < drafts.count; i++) {
		drafts.items[i] = *kept[i];
		kept[i]->programs = (struct program_set){0};
	}
	if (drafts.count > 0)
		qsort(drafts.items, drafts.count, sizeof(struct draft), compare_drafts);
	*ret_drafts = drafts;
	return 0;
}

void drafts_free(struct drafts *drafts)
{
	for (size_t i = 0; i < drafts->count; i++)
		program_set_free(&drafts->items[i].programs);
	free(drafts->items);
	*drafts = (struct drafts){0};
}

static bool peer_covers(const struct draft_key *draft, const struct contact *contact)
{
	switch (draft->peer_kind) {
	case PEER_HOST:
	case PEER_DOMAIN:
	case PEER_PATTERN:
		return contact->name && contact->place == ROLE_INTERNET &&
		       peer_covers_name((enum profile_peer_kind)draft->peer_kind, draft->name,
					contact->name);
	case PEER_ADDRESS:
		return contact->address.family == draft->address.family &&
		       ip_in_prefix(&contact->address, &draft->address, draft->prefix_length);
	default:
		break;
	}
	switch (draft->role) {
	case ROLE_RESOLVER:
		return contact_is_resolver(contact);
	case ROLE_GATEWAY:
		return contact->roles & 1u << PEER_ROLE_GATEWAY;
	case ROLE_DHCP_SERVER:
		return contact->roles & 1u << PEER_ROLE_DHCP_SERVER;
	default:
		return contact->place == (enum profile_role)draft->role;
	}
}

bool draft_covers(const struct draft_key *draft, const struct contact *contact)
{
	struct port_rule rule = {
		.kind = (enum profile_port_kind)draft->port_kind,
		.number = draft->port,
		.local_port = draft->local_port,
		.icmp_type = draft->icmp_type,
	};

	return draft->protocol == contact->protocol &&
	       port_rule_covers(&rule, draft->protocol, contact_own_port(contact), contact->port) &&
	       peer_covers(draft, contact);
}

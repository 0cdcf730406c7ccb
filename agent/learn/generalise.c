/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/generalise.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "learn/drafts.h"
#include "learn/open_classes.h"
#include "learn/port_classes.h"
#include "profiles/port.h"

#define PORT_DHCP_SERVER   67
#define PORT_DHCP_CLIENT   68
#define PORT_SSDP	   1900
#define PORT_DHCPV6_SERVER 547

/* ICMP and ICMPv6 echo requests: a device that probes whether it is connected picks any target. */
#define ICMP_ECHO   8
#define ICMPV6_ECHO 128

bool port_set_has(const struct port_set *set, uint16_t port)
{
	return set->bits[port / 8] >> port % 8 & 1;
}

void port_set_add(struct port_set *set, uint16_t port)
{
	set->bits[port / 8] |= (uint8_t)(1u << port % 8);
}

bool contact_is_answer(const struct contact *contact, const struct port_set *answers)
{
	if (contact->protocol != IPPROTO_UDP || contact->place != ROLE_LAN)
		return false;
	return (contact->flags & CONTACT_ASKED) || port_set_has(answers, contact_own_port(contact));
}

/* A port that was asked, one that is the same at both ends, and one from which the station reached
 * several ports of neighbours: there it listens. */
static int derive_answers(const struct contacts *contacts, struct port_set *answers)
{
	uint16_t *remote_of = calloc(65536, sizeof(*remote_of));

	if (!remote_of)
		return -ENOMEM;
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = &contacts->items[i];
		uint16_t port = contact_own_port(contact);

		if (contact->protocol != IPPROTO_UDP || contact->place == ROLE_INTERNET ||
		    port == 0)
			continue;
		if (contact->flags & CONTACT_ASKED ||
		    (contact->flags & CONTACT_SAME_PORT && port >= PORT_HIGH_FIRST))
			port_set_add(answers, port);
		if (contact->place != ROLE_LAN || contact->flags & CONTACT_ASKED ||
		    port == PORT_DHCP_SERVER || port == PORT_DHCP_CLIENT)
			continue;
		if (remote_of[port] == 0)
			remote_of[port] = contact->port;
		else if (remote_of[port] != contact->port)
			port_set_add(answers, port);
	}
	free(remote_of);
	return 0;
}

/* What the contacts say together: the programs that do it. */
struct habits {
	struct program_set local;     /* take part in discovery on the local network */
	struct program_set announces; /* UPnP: subscribers will be called at the URL they give */
};

static bool is_dhcp(uint16_t port)
{
	return port == PORT_DHCP_SERVER || port == PORT_DHCP_CLIENT || port == PORT_DHCPV6_SERVER;
}

static enum profile_role role_of(const struct contact *contact)
{
	if (contact_is_resolver(contact))
		return ROLE_RESOLVER;
	if (contact->place != ROLE_LAN)
		return contact->place;
	if (contact->protocol == IPPROTO_UDP && is_dhcp(contact->port) &&
	    (contact->roles & 1u << PEER_ROLE_DHCP_SERVER))
		return ROLE_DHCP_SERVER;
	return contact->roles & 1u << PEER_ROLE_GATEWAY ? ROLE_GATEWAY : ROLE_LAN;
}

/* Whether its port is one of those that are drawn at random: the class stands for it. */
static bool is_drawn(const struct contact *contact, struct draft_set *set)
{
	struct draft_key same = draft_role(IPPROTO_UDP, contact->place, PORT_SAME, 0);

	return contact_is_symmetric(contact) && map_peek(set->map, &same, sizeof(same));
}

static void note_habit(struct draft_set *set, struct program_set *habit,
		       const struct contact *contact)
{
	if (program_set_add(habit, contact->program) < 0)
		set->broken = true;
}

static void take_local(struct draft_set *set, const struct contact *contact, struct habits *habits)
{
	struct draft_key key =
		draft_role(contact->protocol, role_of(contact), PORT_NUMBER, contact->port);

	if (!is_drawn(contact, set))
		draft_set_add_program(set, draft_set_add(set, &key), contact->program);
	if (contact->protocol == IPPROTO_UDP && !is_dhcp(contact->port) &&
	    !contact_is_resolver(contact))
		note_habit(set, &habits->local, contact);
	if (contact->flags & CONTACT_ANNOUNCES && contact->place == ROLE_MULTICAST &&
	    contact->port == PORT_SSDP)
		note_habit(set, &habits->announces, contact);
}

/* Neither TCP nor UDP, to a public peer: as it is. */
static void take_other(struct draft_set *set, const struct contact *contact)
{
	bool is_echo = (contact->protocol == IPPROTO_ICMP && contact->port == ICMP_ECHO) ||
		       (contact->protocol == IPPROTO_ICMPV6 && contact->port == ICMPV6_ECHO);
	struct draft_key key;

	if (is_echo) {
		key = draft_role(contact->protocol, ROLE_INTERNET, PORT_NUMBER, contact->port);
	} else {
		key = contact_atom(contact);
		draft_set_port(&key, contact->port);
	}
	draft_set_add(set, &key);
}

static void take_contact(struct draft_set *set, const struct contact *contact,
			 const struct port_set *answers, struct habits *habits)
{
	if (contact_is_answer(contact, answers))
		note_habit(set, &habits->local, contact);
	else if (contact->place != ROLE_INTERNET || contact_is_resolver(contact))
		take_local(set, contact, habits);
	else if (contact->protocol != IPPROTO_TCP && contact->protocol != IPPROTO_UDP)
		take_other(set, contact);
}

/* What a habit brings with it, seen or not. */
static void add_habits(struct draft_set *set, const struct habits *habits)
{
	struct draft_key key;

	/* answers to what it asks of a group, and by it, go to ports of clients */
	if (!program_set_is_empty(&habits->local)) {
		key = draft_role(IPPROTO_UDP, ROLE_LAN, PORT_EPHEMERAL, 0);
		draft_set_add_programs(set, draft_set_add(set, &key), &habits->local);
	}
	/* UPnP Device Architecture 1.1 section 4: event callbacks */
	if (!program_set_is_empty(&habits->announces)) {
		key = draft_role(IPPROTO_TCP, ROLE_LAN, PORT_HIGH, 0);
		draft_set_add_programs(set, draft_set_add(set, &key), &habits->announces);
	}
}

/* What a protocol brings with it: the unicast form of a group's port, the renewal of a lease (RFC
 * 2131 section 4.4.5), the TCP retry of a truncated answer (RFC 7766 section 5). */
static void complete(struct draft_set *set, const struct draft *draft)
{
	const struct draft_key *key = &draft->key;
	struct draft_key more = *key;
	bool to_group = key->role == ROLE_MULTICAST || key->role == ROLE_BROADCAST;

	if (key->peer_kind != PEER_ROLE)
		return;
	if (key->protocol == IPPROTO_UDP && to_group && key->port_kind == PORT_NUMBER) {
		bool dhcp = is_dhcp(key->port);

		more.role = dhcp ? ROLE_DHCP_SERVER : ROLE_LAN;
		if (!dhcp || (key->port == PORT_DHCP_SERVER && key->role == ROLE_BROADCAST))
			draft_set_add_programs(set, draft_set_add(set, &more), &draft->programs);
	} else if (key->role == ROLE_RESOLVER && key->port == PORT_DNS &&
		   key->protocol == IPPROTO_UDP) {
		more.protocol = IPPROTO_TCP;
		draft_set_add_programs(set, draft_set_add(set, &more), &draft->programs);
	}
}

static void complete_all(struct draft_set *set)
{
	size_t count = map_count(set->map);
	struct draft *draft = NULL;

	/* Those that are added come after the last of those that were there. */
	for (size_t i = 0; i < count && !set->broken && (draft = map_next(set->map, draft)); i++)
		complete(set, draft);
}

/* A port that was drawn at random is none at which the station answers tomorrow. */
static void forget_drawn(const struct contacts *contacts, struct draft_set *set,
			 const struct port_set *shown, struct port_set *answers)
{
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = &contacts->items[i];

		if (is_drawn(contact, set) && !port_set_has(shown, contact->port))
			answers->bits[contact->port / 8] &= (uint8_t) ~(1u << contact->port % 8);
	}
}

static int apply(const struct contacts *contacts, const struct answering *answering,
		 struct port_set *answers, struct draft_set *set, struct habits *habits)
{
	_cleanup_(freep) struct port_set *shown = malloc(sizeof(*shown));
	int result = shown ? program_set_unite(&habits->local, &answering->seen) : -ENOMEM;

	if (result == 0)
		*shown = *answers;
	if (result == 0 && answering->derive)
		result = derive_answers(contacts, answers);
	if (result == 0)
		result = add_port_classes(contacts, answers, set);
	for (size_t i = 0; result == 0 && i < contacts->count; i++)
		take_contact(set, &contacts->items[i], answers, habits);
	if (result == 0)
		result = add_public_classes(contacts, answers, set);
	if (result < 0)
		return result;
	forget_drawn(contacts, set, shown, answers);
	add_habits(set, habits);
	complete_all(set);
	return 0;
}

int generalise(const struct contacts *contacts, const struct answering *answering,
	       struct port_set *answers, struct drafts *ret_drafts)
{
	struct habits habits = {0};
	struct draft_set set;
	int result = draft_set_new(&set);

	if (result == 0)
		result = apply(contacts, answering, answers, &set, &habits);
	if (result == 0)
		result = draft_set_finish(&set, ret_drafts);
	draft_set_free(&set);
	program_set_free(&habits.local);
	program_set_free(&habits.announces);
	return result;
}

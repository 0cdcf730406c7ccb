/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of connections under the keys of their classes. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profiles/port.h"
#include "rules/compile_private.h"

static const uint8_t peers_of_role[] = {
	[ROLE_RESOLVER] = CLASS_RESOLVER,	[ROLE_GATEWAY] = CLASS_GATEWAY,
	[ROLE_DHCP_SERVER] = CLASS_DHCP_SERVER, [ROLE_LAN] = CLASS_LAN,
	[ROLE_MULTICAST] = CLASS_MULTICAST,	[ROLE_BROADCAST] = CLASS_BROADCAST,
	[ROLE_INTERNET] = CLASS_INTERNET,
};

static uint8_t peers_of(const struct profile_connection *entry)
{
	switch (entry->peer_kind) {
	case PEER_ADDRESS:
		return CLASS_ADDRESSES;
	case PEER_ROLE:
		return peers_of_role[entry->role];
	case PEER_HOST:
	case PEER_DOMAIN:
	case PEER_PATTERN:
		break;
	}
	return CLASS_NAMES;
}

static void set_owner(const struct compiler *compiler, const struct profile_connection *entry,
		      struct class_key *key)
{
	if (compiler->options->binding == BIND_NONE || !entry->program)
		key->owner = OWNER_ANY;
	else if (compiler->users && key->port_kind != PORT_SAME &&
		 program_user(compiler->users, entry->program, &key->user))
		key->owner = OWNER_USER;
	else
		key->owner = OWNER_HELD;
}

static int add(struct drawn_entries *drawn, const struct profile_connection *entry,
	       const struct class_key *key, uint16_t port)
{
	if (array_reserve(&drawn->items, &drawn->capacity, drawn->count, sizeof(*drawn->items)) < 0)
		return -ENOMEM;
	drawn->items[drawn->count++] =
		(struct drawn_entry){.key = *key, .entry = entry, .port = port};
	return 0;
}

/* Who asks a resolver is known by its port, whatever ports the entry has: profiles/peer_place.h.
 * What goes over the plain port is held for its names anyway, whoever asks. */
static int draw_resolver(struct drawn_entries *drawn, const struct profile_connection *entry,
			 struct class_key key)
{
	static const uint16_t ports[] = {PORT_DNS, PORT_DNS_TLS};

	key.plain = true;
	key.port_kind = PORT_NUMBER;
	for (size_t i = 0; i < array_length(ports); i++) {
		struct class_key own = key;

		if (entry->port_kind == PORT_SAME ||
		    !port_kind_covers(entry->port_kind, entry->protocol, entry->port, 0, ports[i]))
			continue;
		if (ports[i] == PORT_DNS && own.owner == OWNER_HELD &&
		    (entry->protocol == IPPROTO_TCP || entry->protocol == IPPROTO_UDP))
			own.owner = OWNER_ANY;
		if (add(drawn, entry, &own, ports[i]) < 0)
			return -ENOMEM;
		if (ports[i] == PORT_DNS && entry->protocol == IPPROTO_UDP) {
			/* RFC 7766 section 5: what was cut short is asked again over TCP */
			own.protocol = IPPROTO_TCP;
			own.local_port = 0;
			if (add(drawn, entry, &own, PORT_DNS) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int draw(struct compiler *compiler, const struct profile_connection *entry,
		struct drawn_entries *drawn)
{
	struct class_key key;

	/* on the wire 0 is no protocol, and to iptables it is all of them */
	if (entry->protocol == IPPROTO_IP)
		return 0;
	memset(&key, 0, sizeof(key));
	key.peers = peers_of(entry);
	key.has_protocol = true;
	key.protocol = entry->protocol;
	if (protocol_has_types(entry->protocol)) {
		key.icmp_type = entry->icmp_type;
	} else if (protocol_has_ports(entry->protocol)) {
		key.port_kind = (uint8_t)entry->port_kind;
		key.local_port = entry->local_port;
		key.plain = entry->port_kind == PORT_NUMBER;
	}
	set_owner(compiler, entry, &key);
	if (key.peers == CLASS_RESOLVER)
		return protocol_has_ports(entry->protocol) ? draw_resolver(drawn, entry, key) : 0;
	/* the set has the protocol, and one look-up is for all */
	if (key.plain && (key.peers == CLASS_NAMES || key.peers == CLASS_ADDRESSES) &&
	    !key.local_port) {
		key.has_protocol = false;
		key.protocol = 0;
	}
	return add(drawn, entry, &key, entry->port);
}

static int compare_numbers(const uint32_t *a, const uint32_t *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static int compare_keys(const struct class_key *a, const struct class_key *b)
{
	const uint32_t left[] = {a->peers,	  a->owner,	 a->user,
				 a->has_protocol, a->protocol,	 a->port_kind,
				 a->icmp_type,	  a->local_port, a->plain};
	const uint32_t right[] = {b->peers,	   b->owner,	  b->user,
				  b->has_protocol, b->protocol,	  b->port_kind,
				  b->icmp_type,	   b->local_port, b->plain};

	return compare_numbers(left, right, array_length(left));
}

bool class_keys_equal(const struct class_key *a, const struct class_key *b)
{
	return compare_keys(a, b) == 0;
}

static int compare_drawn(const void *left, const void *right)
{
	const struct drawn_entry *a = left;
	const struct drawn_entry *b = right;
	int order = compare_keys(&a->key, &b->key);

	if (order == 0)
		order = (int)a->port - (int)b->port;
	return order ? order : (a->entry > b->entry) - (a->entry < b->entry);
}

/* Where the entries for everybody that have this key and this port stand, or would. */
static bool has_port(const struct drawn_entry *first, const struct drawn_entry *end, uint16_t port)
{
	while (first < end) {
		const struct drawn_entry *middle = first + (end - first) / 2;

		if (middle->port == port)
			return true;
		if (middle->port < port)
			first = middle + 1;
		else
			end = middle;
	}
	return false;
}

/* Whether all that an entry for one program permits is permitted by a class for everybody, whose
 * entries these are. */
static bool covers(const struct drawn_entry *first, const struct drawn_entry *end,
		   const struct drawn_entry *entry)
{
	const struct class_key *all = &first->key;
	const struct class_key *one = &entry->key;

	if (all->protocol != one->protocol || all->icmp_type != one->icmp_type ||
	    (all->local_port && all->local_port != one->local_port))
		return false;
	if (all->plain)
		return one->plain && has_port(first, end, entry->port);
	if (one->plain)
		return all->port_kind != PORT_SAME &&
		       port_kind_covers((enum profile_port_kind)all->port_kind, one->protocol, 0, 0,
					entry->port);
	return all->port_kind == PORT_ANY || all->port_kind == one->port_kind;
}

/* Of roles only: what is in sets is looked up there by the rules themselves. */
static void mark_open(struct drawn_entries *drawn)
{
	struct drawn_entry *end = drawn->items + drawn->count;
	struct drawn_entry *next;

	for (struct drawn_entry *first = drawn->items; first < end; first = next) {
		for (next = first; next < end && compare_keys(&next->key, &first->key) == 0;)
			next++;
		if (first->key.owner != OWNER_ANY || first->key.peers == CLASS_ADDRESSES ||
		    first->key.peers == CLASS_NAMES)
			continue;
		for (struct drawn_entry *other = next;
		     other < end && other->key.peers == first->key.peers; other++)
			if (other->key.owner != OWNER_ANY && covers(first, next, other))
				other->open = true;
	}
}

int draw_entries(struct compiler *compiler, struct drawn_entries *ret_drawn)
{
	const struct profile_network *network = compiler->network;
	struct drawn_entries drawn = {0};
	size_t kept = 0;

	for (size_t i = 0; i < network->connection_count; i++) {
		if (draw(compiler, &network->connections[i], &drawn) < 0) {
			free(drawn.items);
			return -ENOMEM;
		}
	}
	if (drawn.count) {
		qsort(drawn.items, drawn.count, sizeof(*drawn.items), compare_drawn);
		mark_open(&drawn);
	}
	for (size_t i = 0; i < drawn.count; i++)
		if (!drawn.items[i].open)
			drawn.items[kept++] = drawn.items[i];
	drawn.count = kept;
	*ret_drawn = drawn;
	return 0;
}

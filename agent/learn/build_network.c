/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listeners, names and roles of a station; its connections are generalised. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hostname.h"
#include "base/map.h"
#include "base/text.h"
#include "learn/build.h"
#include "learn/build_connections.h"
#include "profiles/port.h"

static int prefixed(char **ret_label, const char *prefix, char *label_taken)
{
	_cleanup_(freep) char *label = label_taken;

	if (!label || asprintf(ret_label, "%s%s", prefix, label) < 0) {
		*ret_label = NULL;
		return -ENOMEM;
	}
	return 0;
}

int put_evidence(struct build *build, const char *prefix, char *label_taken, json_t *entry)
{
	_cleanup_(freep) char *label = NULL;

	if (build->counting && entry) {
		free(label_taken);
		json_decref(entry);
		return 0;
	}
	if (!entry || prefixed(&label, prefix, label_taken) < 0) {
		if (!entry)
			free(label_taken);
		json_decref(entry);
		return -ENOMEM;
	}
	return json_put(build->entries, label, entry);
}

/* Listeners in the making: what one program offers on one port and kind of address, with the
 * families united. */
struct listener_key {
	uint8_t protocol;
	uint8_t any_address;
	uint8_t loopback;
	uint8_t reserved;
	uint16_t port;
	struct ip_address address;
	uint8_t has_program;
	char program[PROFILE_STRING_LIMIT];
};

struct listener_draft {
	struct seen seen;
	bool ipv4;
	bool ipv6;
	bool by_packets; /* seen answering; no socket was */
	bool merged;	 /* known with its program elsewhere */
};

static size_t listener_key_size(const struct listener_key *key)
{
	return offsetof(struct listener_key, program) + strlen(key->program);
}

static struct listener_draft *add_listener(struct map *drafts, const struct listener_key *key,
					   const struct seen *seen)
{
	struct listener_draft *draft = map_add(drafts, key, listener_key_size(key));

	if (draft)
		seen_merge(&draft->seen, seen);
	return draft;
}

static int collect_sockets(struct build *build, const struct mac_address *station,
			   struct map *drafts)
{
	for (const struct seen *value = state_next(build->state, TABLE_LISTENERS, NULL); value;
	     value = state_next(build->state, TABLE_LISTENERS, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		struct listener_key key;
		struct listener_draft *draft;
		struct key_text program;
		bool dual_stack;
		uint8_t family;

		if (!mac_equal(&mac, station))
			continue;
		memset(&key, 0, sizeof(key));
		key.protocol = (uint8_t)key_read_number(&reader, 1);
		dual_stack = key_read_number(&reader, 1);
		key.port = (uint16_t)key_read_number(&reader, 2);
		key.address = key_read_address(&reader);
		family = key.address.family;
		key.any_address = ip_scope(&key.address) == ADDRESS_UNSPECIFIED;
		key.loopback = ip_scope(&key.address) == ADDRESS_LOOPBACK;
		if (key.any_address || key.loopback)
			key.address = (struct ip_address){0};
		program = key_read_text(&reader);
		key.has_program = program.bytes != NULL;
		if (program.size >= sizeof(key.program))
			continue;
		if (program.bytes)
			memcpy(key.program, program.bytes, program.size);
		draft = add_listener(drafts, &key, value);
		if (!draft)
			return -ENOMEM;
		draft->ipv4 |= family != 6 || dual_stack;
		draft->ipv6 |= family == 6;
	}
	return 0;
}

/* A socket that was first seen without its program is told once more with it. */
static void merge_programless(struct map *drafts)
{
	for (struct listener_draft *known = map_next(drafts, NULL); known;
	     known = map_next(drafts, known)) {
		size_t size;
		struct listener_key key = {0};
		struct listener_draft *unknown;

		memcpy(&key, map_key(known, &size), offsetof(struct listener_key, program));
		if (!key.has_program)
			continue;
		key.has_program = 0;
		unknown = map_peek(drafts, &key, listener_key_size(&key));
		if (unknown && (!unknown->ipv4 || known->ipv4) && (!unknown->ipv6 || known->ipv6))
			unknown->merged = true;
	}
}

/* Notes whose sockets account for a port that answered by UDP, and whether there are any at all. */
static int find_sockets(struct map *drafts, uint8_t protocol, uint16_t port,
			struct contacts *contacts, struct program_set *programs, bool *ret_found)
{
	bool found = false;

	for (struct listener_draft *draft = map_next(drafts, NULL); draft;
	     draft = map_next(drafts, draft)) {
		size_t size;
		const void *bytes = map_key(draft, &size);
		struct listener_key key = {0};
		uint32_t program;

		memcpy(&key, bytes, offsetof(struct listener_key, program));
		if (draft->by_packets || key.protocol != protocol || key.port != port)
			continue;
		found = true;
		if (protocol != IPPROTO_UDP || draft->merged)
			continue;
		memcpy(&key, bytes, size);
		if (contacts_find_program(contacts, key.has_program ? key.program : NULL,
					  &program) < 0 ||
		    program_set_add(programs, program) < 0)
			return -ENOMEM;
	}
	*ret_found = found;
	return found || protocol != IPPROTO_UDP ? 0 : program_set_add(programs, 0);
}

/* A client's socket that a peer happened to write to first looks like a listener, once: those ports
 * are drawn anew for each socket. */
static bool is_client(uint8_t protocol, uint16_t port, const struct service_value *service)
{
	return protocol == IPPROTO_UDP && port >= PORT_EPHEMERAL_FIRST &&
	       !service->has_more_peers && __builtin_popcountll(service->samples) < 2;
}

/* Ports that answered without a socket having been seen: those of recordings, and short-lived ones.
 * Which address they are bound to packets do not tell, and a device's own address changes. */
static int collect_services(struct build *build, const struct mac_address *station,
			    struct map *drafts, struct port_set *answers, struct contacts *contacts,
			    struct answering *answering)
{
	for (const struct service_value *value = state_next(build->state, TABLE_SERVICES, NULL);
	     value; value = state_next(build->state, TABLE_SERVICES, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		struct listener_key key;
		struct listener_draft *draft;
		uint8_t family;
		bool has_socket;

		if (!mac_equal(&mac, station))
			continue;
		memset(&key, 0, sizeof(key));
		key.protocol = (uint8_t)key_read_number(&reader, 1);
		family = (uint8_t)key_read_number(&reader, 1);
		key.port = (uint16_t)key_read_number(&reader, 2);
		key.any_address = 1;
		if (is_client(key.protocol, key.port, value))
			continue;
		if (key.protocol == IPPROTO_UDP)
			port_set_add(answers, key.port);
		if (find_sockets(drafts, key.protocol, key.port, contacts, &answering->seen,
				 &has_socket) < 0)
			return -ENOMEM;
		if (has_socket)
			continue;
		draft = add_listener(drafts, &key, &value->seen);
		if (!draft)
			return -ENOMEM;
		draft->by_packets = true;
		draft->ipv4 |= family == 4;
		draft->ipv6 |= family == 6;
	}
	return 0;
}

static int emit_listener(struct build *build, const char *prefix, struct profile_network *network,
			 const struct listener_draft *draft)
{
	size_t size;
	const void *bytes = map_key(draft, &size);
	struct profile_listener *listener = network_add_listener(network);
	struct listener_key key = {0};
	bool broken = false;
	json_t *entry;

	if (!listener)
		return -ENOMEM;
	memcpy(&key, bytes, size);
	listener->protocol = key.protocol;
	listener->any_address = key.any_address;
	listener->loopback = key.loopback;
	listener->address = key.address;
	listener->ipv4 = draft->ipv4;
	listener->ipv6 = draft->ipv6;
	listener->port = key.port;
	if (key.has_program) {
		listener->program = to_profile_text(strdup(key.program), &broken);
		if (broken || !listener->program)
			return -ENOMEM;
	}
	entry = seen_to_json(&draft->seen);
	if (!entry ||
	    json_put(entry, "seen", json_string(draft->by_packets ? "answering" : "socket")) < 0) {
		json_decref(entry);
		return -ENOMEM;
	}
	return put_evidence(build, prefix, listener_label(listener), entry);
}

/* Ports that follow from what the station sent. */
static int add_derived(const struct port_set *answers, const struct contacts *contacts,
		       struct map *drafts)
{
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = &contacts->items[i];
		uint16_t port = contact_own_port(contact);
		struct listener_key key;
		struct listener_draft *draft;

		if (contact->protocol != IPPROTO_UDP || contact->place == ROLE_INTERNET ||
		    port == 0 || !port_set_has(answers, port))
			continue;
		memset(&key, 0, sizeof(key));
		key.protocol = IPPROTO_UDP;
		key.port = port;
		key.any_address = 1;
		draft = add_listener(drafts, &key, &contact->value->seen);
		if (!draft)
			return -ENOMEM;
		draft->by_packets = true;
		draft->ipv4 |= contact->address.family != 6;
		draft->ipv6 |= contact->address.family == 6;
	}
	return 0;
}

static int build_names(struct build *build, const struct mac_address *station, const char *prefix,
		       struct profile_network *network)
{
	for (const struct name_value *value = state_next(build->state, TABLE_NAMES, NULL); value;
	     value = state_next(build->state, TABLE_NAMES, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		bool broken = false;
		_cleanup_(freep) char *name = key_read_string(&reader, &broken);
		char *label = NULL;
		json_t *entry;

		if (broken)
			return -ENOMEM;
		/* a name that only a ClientHello had was not asked for */
		if (!mac_equal(&mac, station) || !hostname_is_valid(name) || value->seen.count == 0)
			continue;
		entry = seen_to_json(&value->seen);
		if (entry && value->not_listed &&
		    json_put(entry, "addresses_not_listed", json_integer(value->not_listed)) < 0) {
			json_decref(entry);
			return -ENOMEM;
		}
		if (asprintf(&label, "name %s", name) < 0)
			label = NULL;
		if (put_evidence(build, prefix, label, entry) < 0 ||
		    string_list_add(&network->names, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int list_text(json_t *object, const char *key, const char *text)
{
	json_t *list = json_object_get(object, key);

	if (!list) {
		list = json_array();
		if (json_put(object, key, list) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return 0;
	return json_array_append_new(list, json_string(text)) == 0 ? 0 : -ENOMEM;
}

static int list_addresses(struct build *build, const struct mac_address *station)
{
	for (const void *value = state_next(build->state, TABLE_ADDRESSES, NULL); value;
	     value = state_next(build->state, TABLE_ADDRESSES, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		bool broken = false;
		_cleanup_(freep) char *name = key_read_string(&reader, &broken);
		struct ip_address address = key_read_address(&reader);
		char text[IP_TEXT_SIZE];

		if (broken)
			return -ENOMEM;
		if (!mac_equal(&mac, station) || !hostname_is_valid(name))
			continue;
		ip_format(&address, text);
		if (list_text(build->addresses, name, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int list_roles(struct build *build, const struct mac_address *station)
{
	static const char *const names[] = {
		[PEER_ROLE_RESOLVER] = "resolver",
		[PEER_ROLE_GATEWAY] = "gateway",
		[PEER_ROLE_DHCP_SERVER] = "dhcp-server",
		[PEER_ROLE_BROADCAST] = "broadcast",
	};

	for (const void *value = state_next(build->state, TABLE_ROLES, NULL); value;
	     value = state_next(build->state, TABLE_ROLES, value)) {
		struct key_reader reader = state_key(value);
		struct mac_address mac = key_read_mac(&reader);
		struct ip_address address = key_read_address(&reader);
		uint64_t role = key_read_number(&reader, 1);
		char text[IP_TEXT_SIZE];

		if (!mac_equal(&mac, station) || role >= array_length(names) || !names[role])
			continue;
		ip_format(&address, text);
		if (list_text(build->roles, names[role], text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int build_parts(struct build *build, const struct mac_address *station, const char *prefix,
		       struct profile_network *network, struct map *drafts,
		       struct port_set *answers, struct contacts *contacts)
{
	struct answering answering = {0};
	int result = collect_sockets(build, station, drafts);

	answering.derive = map_count(drafts) == 0;
	for (const struct listener_draft *draft = map_next(drafts, NULL); draft;
	     draft = map_next(drafts, draft)) {
		struct listener_key key;

		memcpy(&key, map_key(draft, NULL), offsetof(struct listener_key, program));
		if (key.protocol == IPPROTO_UDP && !key.loopback)
			port_set_add(answers, key.port);
	}
	merge_programless(drafts);
	/* connections quote the addresses of their hosts */
	if (result == 0 && !build->counting)
		result = list_addresses(build, station);
	if (result == 0)
		result = collect_services(build, station, drafts, answers, contacts, &answering);
	if (result == 0)
		result = build_connections(build, prefix, contacts, &answering, answers, network);
	program_set_free(&answering.seen);
	if (result == 0 && answering.derive)
		result = add_derived(answers, contacts, drafts);
	for (const struct listener_draft *draft = map_next(drafts, NULL); result == 0 && draft;
	     draft = map_next(drafts, draft))
		if (!draft->merged)
			result = emit_listener(build, prefix, network, draft);
	if (result == 0)
		result = build_names(build, station, prefix, network);
	return result == 0 ? list_roles(build, station) : result;
}

int build_network(struct build *build, const struct mac_address *station, const char *prefix,
		  struct profile_network *network)
{
	struct port_set *answers = calloc(1, sizeof(*answers));
	struct contacts contacts = {0};
	struct domains *domains = NULL;
	struct map *drafts = NULL;
	int result = answers ? domains_new(DOMAIN_RULES, &domains) : -ENOMEM;

	if (result == 0)
		result = contacts_load(build->state, station, domains, &contacts);
	domains_free(domains);
	if (result == 0)
		result = map_new(&drafts, 65536, sizeof(struct listener_draft), NULL, NULL);
	if (result == 0)
		result = build_parts(build, station, prefix, network, drafts, answers, &contacts);
	map_free(drafts);
	contacts_free(&contacts);
	free(answers);
	return result;
}

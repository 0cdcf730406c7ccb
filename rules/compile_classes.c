/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classes of connections: entries that one rule is for, with the sets that their peers are in. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profiles/port.h"
#include "rules/compile_private.h"

/* Every rule is passed by every first packet: what asks for more is no profile of a device with a
 * purpose. */
#define CLASS_LIMIT 2048

static const char *const peers_words[] = {
	[CLASS_ADDRESSES] = "addresses of the profile",
	[CLASS_LAN] = "role lan",
	[CLASS_MULTICAST] = "role multicast",
	[CLASS_BROADCAST] = "role broadcast",
	[CLASS_NAMES] = "hosts of the profile",
	[CLASS_RESOLVER] = "role resolver",
	[CLASS_GATEWAY] = "role gateway",
	[CLASS_DHCP_SERVER] = "role dhcp-server",
	[CLASS_INTERNET] = "role internet",
};

static void label_many(struct entry_class *class, const struct profile_connection *example)
{
	const struct class_key *key = &class->key;
	struct profile_connection same = *example;
	bool is_role = key->peers != CLASS_ADDRESSES && key->peers != CLASS_NAMES;
	bool many_ports = is_role && key->plain && class->first_port != class->last_port;
	char protocol[PROTOCOL_TEXT_SIZE] = "";
	char port[PORT_TEXT_SIZE] = "";
	char user[24] = "";

	if (key->has_protocol) {
		same.protocol = key->protocol;
		same.port_kind = (enum profile_port_kind)key->port_kind;
		same.port = class->first_port;
		protocol_format(key->protocol, protocol);
		if (!key->plain || (is_role && !many_ports))
			connection_port_format(&same, port);
		else if (key->local_port)
			(void)snprintf(port, sizeof(port), "from %u", key->local_port);
	}
	if (key->owner == OWNER_USER)
		(void)snprintf(user, sizeof(user), " of user %u", key->user);
	(void)snprintf(class->label, sizeof(class->label), "%s%s%s%s%s%s, %zu entries", protocol,
		       *protocol ? " " : "", peers_words[key->peers], *port ? " " : "", port, user,
		       class->entry_count);
}

static int label(struct entry_class *class, const struct drawn_entry *first)
{
	_cleanup_(freep) char *entry = NULL;

	if (!class->only) {
		label_many(class, first->entry);
		return 0;
	}
	entry = connection_label(class->only);
	if (!entry)
		return -ENOMEM;
	(void)snprintf(class->label, sizeof(class->label), "%s%s",
		       class->key.has_protocol && class->key.protocol != class->only->protocol
			       ? "cut answers of: "
			       : "",
		       entry);
	return 0;
}

/* ---- what is in the sets ---- */

static int add_name(struct compiler *compiler, const struct entry_class *class,
		    const struct drawn_entry *drawn)
{
	struct rule_name *name = rule_program_add_name(compiler->program);

	if (!name)
		return -ENOMEM;
	*name = (struct rule_name){.kind = drawn->entry->peer_kind, .set = class->set};
	if (class->key.plain) {
		name->protocol = drawn->entry->protocol;
		name->port = drawn->port;
	}
	name->name = strdup(drawn->entry->name);
	if (name->name)
		return 0;
	compiler->program->name_count--;
	return -ENOMEM;
}

/* Hosts of the Internet are never groups, nor what a subnet calls all of its own. */
static bool may_be_group(const struct profile_connection *entry)
{
	return ip_scope(&entry->address) != ADDRESS_PUBLIC || entry->prefix_length < 8;
}

static int fill_names(struct compiler *compiler, const struct entry_class *class,
		      const struct drawn_entry *first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (add_name(compiler, class, &first[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* Prefixes stay as they are, so a family that has none needs no set. */
static void fill_prefixes(struct compiler *compiler, struct entry_class *class,
			  const struct drawn_entry *first, size_t count)
{
	bool plain = class->key.plain;
	unsigned int families = 0;

	for (size_t i = 0; i < count && class->set != RULE_NONE; i++) {
		const struct profile_connection *entry = first[i].entry;
		unsigned int family = entry->address.family == 4 ? RULE_IPV4 : RULE_IPV6;

		if (!(compiler->program->sets[class->set].families & family))
			continue;
		families |= family;
		compile_prefix(compiler, class->set, &entry->address, entry->prefix_length,
			       plain ? entry->protocol : 0, plain ? first[i].port : 0);
		class->may_be_group |= may_be_group(entry);
	}
	if (class->set != RULE_NONE)
		compiler->program->sets[class->set].families = families;
}

static void name_set(struct compiler *compiler, struct entry_class *class)
{
	const struct class_key *key = &class->key;
	bool names = key->peers == CLASS_NAMES;
	enum rule_set_kind kind = key->plain ? (names ? SET_ADDRESS_PORT : SET_PREFIX_PORT)
					     : (names ? SET_ADDRESS : SET_PREFIX);
	const char *word = names ? "names" : "peers";

	if (key->has_protocol)
		class->set = compile_set(compiler, kind, names, "%s%s-%zu",
					 key->owner == OWNER_HELD ? "bound-" : "", word,
					 compiler->program->set_count);
	else if (key->owner == OWNER_USER)
		class->set = compile_set(compiler, kind, names, "%s-u%u", word, key->user);
	else
		class->set = compile_set(compiler, kind, names, "%s%s",
					 key->owner == OWNER_HELD ? "bound-" : "", word);
	if (class->set == RULE_NONE)
		return;
	if (key->has_protocol && key->protocol == IPPROTO_ICMP)
		compiler->program->sets[class->set].families = RULE_IPV4;
	else if (key->has_protocol && key->protocol == IPPROTO_ICMPV6)
		compiler->program->sets[class->set].families = RULE_IPV6;
}

/* Ports of a role: one range is said by the rule itself. */
static void fill_ports(struct compiler *compiler, struct entry_class *class,
		       const struct drawn_entry *first, size_t count)
{
	struct rule_set *set;

	class->first_port = first[0].port;
	class->last_port = first[count - 1].port;
	if (class->first_port == class->last_port)
		return;
	class->ports =
		compile_set(compiler, SET_PORT, false, "ports-%zu", compiler->program->set_count);
	if (class->ports == RULE_NONE)
		return;
	for (size_t i = 0; i < count; i++)
		compile_ports(compiler, class->ports, first[i].port, first[i].port);
	set = &compiler->program->sets[class->ports];
	rule_set_sort(set);
}

static int make_class(struct compiler *compiler, const struct drawn_entry *first, size_t count)
{
	struct entry_class *class;
	bool same = true;

	if (array_reserve(&compiler->classes, &compiler->class_capacity, compiler->class_count,
			  sizeof(*compiler->classes)) < 0)
		return -ENOMEM;
	class = &compiler->classes[compiler->class_count++];
	*class = (struct entry_class){
		.key = first->key, .entry_count = count, .set = RULE_NONE, .ports = RULE_NONE};
	for (size_t i = 1; i < count; i++)
		same = same && first[i].entry == first->entry;
	if (same)
		class->only = first->entry;
	if (class->key.peers == CLASS_ADDRESSES || class->key.peers == CLASS_NAMES) {
		name_set(compiler, class);
		if (class->key.peers == CLASS_ADDRESSES)
			fill_prefixes(compiler, class, first, count);
		else if (fill_names(compiler, class, first, count) < 0)
			return -ENOMEM;
	} else if (class->key.plain) {
		fill_ports(compiler, class, first, count);
	}
	return label(class, first);
}

int compile_classes(struct compiler *compiler, struct error *error)
{
	struct drawn_entries drawn = {0};
	size_t next;
	int result = draw_entries(compiler, &drawn);

	for (size_t first = 0; first < drawn.count && result == 0; first = next) {
		for (next = first + 1;
		     next < drawn.count &&
		     class_keys_equal(&drawn.items[first].key, &drawn.items[next].key);)
			next++;
		if (compiler->class_count == CLASS_LIMIT)
			result = error_set(error, E2BIG,
					   "the profile's connections are of more than %d kinds "
					   "(protocol, role, ports, local port, program); join "
					   "those that only differ in their local port",
					   CLASS_LIMIT);
		else
			result = make_class(compiler, &drawn.items[first], next - first);
	}
	free(drawn.items);
	return result;
}

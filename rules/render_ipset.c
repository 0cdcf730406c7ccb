/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "rules/render.h"

static const char *const TYPES[] = {
	[SET_ADDRESS] = "hash:ip",  [SET_ADDRESS_PORT] = "hash:ip,port",
	[SET_PREFIX] = "hash:net",  [SET_PREFIX_PORT] = "hash:net,port",
	[SET_PORT] = "bitmap:port",
};

static const struct {
	uint8_t number;
	const char *name;
} PROTOCOLS[] = {
	{IPPROTO_TCP, "tcp"},
	{IPPROTO_UDP, "udp"},
	{IPPROTO_SCTP, "sctp"},
	{IPPROTO_UDPLITE, "udplite"},
};

static void write_port(const struct rule_member *member, FILE *stream)
{
	for (size_t i = 0; i < array_length(PROTOCOLS); i++)
		if (PROTOCOLS[i].number == member->protocol) {
			(void)fprintf(stream, ",%s:%u", PROTOCOLS[i].name, member->port);
			return;
		}
	(void)fprintf(stream, ",%u:%u", member->protocol, member->port);
}

static void write_add(const struct rule_set *set, const char *name,
		      const struct rule_member *member, FILE *stream)
{
	char address[IP_TEXT_SIZE];

	ip_format(&member->address, address);
	(void)fprintf(stream, "add %s %s", name, address);
	if ((set->kind == SET_PREFIX || set->kind == SET_PREFIX_PORT) &&
	    member->prefix_length < (member->address.family == 4 ? 32 : 128))
		(void)fprintf(stream, "/%u", member->prefix_length);
	if (set->kind == SET_ADDRESS_PORT || set->kind == SET_PREFIX_PORT)
		write_port(member, stream);
	if (set->has_timeouts)
		(void)fprintf(stream, " timeout %u", member->timeout_s);
	(void)fputc('\n', stream);
}

/* hash:net has no /0: it is said as two halves. */
static void write_member(const struct rule_set *set, const char *name,
			 const struct rule_member *member, FILE *stream)
{
	struct rule_member half = *member;

	if (member->prefix_length || set->kind == SET_ADDRESS || set->kind == SET_ADDRESS_PORT) {
		write_add(set, name, member, stream);
		return;
	}
	half.prefix_length = 1;
	write_add(set, name, &half, stream);
	half.address.bytes[0] = 0x80;
	write_add(set, name, &half, stream);
}

static void write_members(const struct rule_set *set, unsigned int family, const char *name,
			  FILE *stream)
{
	for (size_t i = 0; i < set->member_count; i++) {
		const struct rule_member *member = &set->members[i];

		if (member->address.family == (family == RULE_IPV4 ? 4 : 6))
			write_member(set, name, member, stream);
	}
}

static void write_addresses(const struct rule_set *set, char generation, FILE *stream)
{
	char name[RENDER_SET_NAME_SIZE];

	for (unsigned int family = RULE_IPV4; family <= RULE_IPV6; family <<= 1) {
		if (!(set->families & family))
			continue;
		render_set_name(set, family == RULE_IPV4 ? '4' : '6', generation, name);
		(void)fprintf(stream, "create %s %s family %s hashsize %u maxelem %u%s\n", name,
			      TYPES[set->kind], family == RULE_IPV4 ? "inet" : "inet6",
			      render_set_buckets(set), render_set_room(set),
			      set->has_timeouts ? " timeout 0" : "");
		write_members(set, family, name, stream);
	}
}

static void write_ports(const struct rule_set *set, char generation, FILE *stream)
{
	char name[RENDER_SET_NAME_SIZE];

	render_set_name(set, 'x', generation, name);
	(void)fprintf(stream, "create %s %s range 0-65535%s\n", name, TYPES[set->kind],
		      set->has_timeouts ? " timeout 0" : "");
	for (size_t i = 0; i < set->member_count; i++) {
		const struct rule_member *member = &set->members[i];

		(void)fprintf(stream, "add %s %u", name, member->port);
		if (member->last_port > member->port)
			(void)fprintf(stream, "-%u", member->last_port);
		if (set->has_timeouts)
			(void)fprintf(stream, " timeout %u", member->timeout_s);
		(void)fputc('\n', stream);
	}
}

void render_ipset(const struct rule_program *program, const struct render_instance *instance,
		  FILE *stream)
{
	for (size_t i = 0; i < program->set_count; i++)
		if (program->sets[i].kind == SET_PORT)
			write_ports(&program->sets[i], instance->generation, stream);
		else
			write_addresses(&program->sets[i], instance->generation, stream);
}

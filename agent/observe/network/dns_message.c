/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/dns_message.h"

#include <errno.h>
#include <string.h>

#include <arpa/nameser.h>
#include <sys/types.h>

#include "base/hostname.h"
#include "observe/network/dns_service.h"

/* RFC 2181 section 8: a time to live with the top bit set is zero. */
#define TTL_MAX 0x7fffffffU

/* One alias, as it stands in the answer. */
struct alias {
	char owner[NAME_SIZE];
	char target[NAME_SIZE];
	uint32_t ttl_s;
};

/* A name that the question leads to, and the smallest time to live on the way there. */
struct step {
	const char *name;
	uint32_t ttl_s;
};

struct chain {
	size_t alias_count;
	struct alias aliases[DNS_ALIASES_MAX];
	size_t step_count;
	struct step steps[DNS_ALIASES_MAX + 1];
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t record_ttl(const ns_rr *record)
{
	return ns_rr_ttl(*record) > TTL_MAX ? 0 : ns_rr_ttl(*record);
}

static int normalise(const char *text, char ret_name[NAME_SIZE])
{
	return hostname_normalise(text, strlen(text), ret_name);
}

/* A compressed name that has to fill its record. Returns 0, -EBADMSG, or -ENOMSG for one that is no
 * host name. */
static int parse_target(const ns_msg *message, const ns_rr *record, char ret_name[NAME_SIZE])
{
	char text[NS_MAXDNAME];
	int size = ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
				      ns_rr_rdata(*record), text, sizeof(text));

	if (size < 0 || size != ns_rr_rdlen(*record))
		return -EBADMSG;
	return normalise(text, ret_name) < 0 ? -ENOMSG : 0;
}

static int collect_aliases(ns_msg *message, struct chain *chain)
{
	int count = ns_msg_count(*message, ns_s_an);

	for (int i = 0; i < count; i++) {
		struct alias *alias = &chain->aliases[chain->alias_count];
		ns_rr record;
		int error;

		if (ns_parserr(message, ns_s_an, i, &record) < 0)
			return -EBADMSG;
		if (ns_rr_type(record) != ns_t_cname || ns_rr_class(record) != ns_c_in)
			continue;
		if (chain->alias_count == DNS_ALIASES_MAX)
			continue;
		error = parse_target(message, &record, alias->target);
		if (error == -EBADMSG)
			return error;
		if (error < 0 || normalise(ns_rr_name(record), alias->owner) < 0)
			continue;
		alias->ttl_s = record_ttl(&record);
		chain->alias_count++;
	}
	return 0;
}

static const struct step *find_step(const struct chain *chain, const char *name)
{
	for (size_t i = 0; i < chain->step_count; i++)
		if (strcmp(chain->steps[i].name, name) == 0)
			return &chain->steps[i];
	return NULL;
}

/* Follows the aliases from the question on. No name is stepped on twice, so that a loop ends. */
static void follow(struct chain *chain, const char *question)
{
	chain->steps[0] = (struct step){question, TTL_MAX};
	chain->step_count = 1;
	for (size_t at = 0; at < chain->step_count; at++) {
		for (size_t i = 0; i < chain->alias_count; i++) {
			const struct alias *alias = &chain->aliases[i];

			if (strcmp(alias->owner, chain->steps[at].name) != 0 ||
			    find_step(chain, alias->target))
				continue;
			chain->steps[chain->step_count++] = (struct step){
				.name = alias->target,
				.ttl_s = smaller(alias->ttl_s, chain->steps[at].ttl_s),
			};
		}
	}
}

/* The same address from several records counts once, the record that says it plainly first. */
static void add_address(struct dns_message *message, const struct dns_address *address)
{
	for (size_t i = 0; i < message->address_count; i++) {
		struct dns_address *known = &message->addresses[i];

		if (!ip_equal(&known->address, &address->address))
			continue;
		known->ttl_s = smaller(known->ttl_s, address->ttl_s);
		known->hint = known->hint && address->hint;
		return;
	}
	if (message->address_count == DNS_ADDRESSES_MAX)
		message->addresses_left_out = true;
	else
		message->addresses[message->address_count++] = *address;
}

static void add_hints(struct dns_message *message, const struct dns_service *service,
		      uint32_t ttl_s)
{
	struct dns_address hint = {.ttl_s = ttl_s, .hint = true};

	for (size_t at = 0; at < service->ipv4_size; at += 4) {
		hint.address = ip_from_ipv4(service->ipv4_hints + at);
		add_address(message, &hint);
	}
	for (size_t at = 0; at < service->ipv6_size; at += 16) {
		hint.address = ip_from_ipv6(service->ipv6_hints + at);
		add_address(message, &hint);
	}
}

static void drop_hints(struct dns_message *message)
{
	size_t kept = 0;

	for (size_t i = 0; i < message->address_count; i++)
		if (!message->addresses[i].hint)
			message->addresses[kept++] = message->addresses[i];
	message->address_count = kept;
}

/* One record that belongs to a name of the chain. */
static int add_record(const ns_rr *record, uint32_t ttl_s, struct dns_message *message,
		      bool *malformed_service)
{
	struct dns_address address = {.ttl_s = ttl_s};
	struct dns_service service;

	switch ((unsigned int)ns_rr_type(*record)) {
	case ns_t_a:
		if (ns_rr_rdlen(*record) != 4)
			return -EBADMSG;
		address.address = ip_from_ipv4(ns_rr_rdata(*record));
		add_address(message, &address);
		return 0;
	case ns_t_aaaa:
		if (ns_rr_rdlen(*record) != 16)
			return -EBADMSG;
		address.address = ip_from_ipv6(ns_rr_rdata(*record));
		add_address(message, &address);
		return 0;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		if (dns_service_parse(ns_rr_rdata(*record), ns_rr_rdlen(*record), &service) < 0)
			*malformed_service = true;
		else
			add_hints(message, &service, ttl_s);
		return 0;
	default:
		return 0;
	}
}

static int collect_addresses(ns_msg *wire, const struct chain *chain, struct dns_message *message)
{
	int count = ns_msg_count(*wire, ns_s_an);
	bool malformed_service = false;

	for (int i = 0; i < count; i++) {
		const struct step *step;
		char owner[NAME_SIZE];
		ns_rr record;

		if (ns_parserr(wire, ns_s_an, i, &record) < 0)
			return -EBADMSG;
		if (ns_rr_class(record) != ns_c_in || normalise(ns_rr_name(record), owner) < 0)
			continue;
		step = find_step(chain, owner);
		if (step && add_record(&record, smaller(step->ttl_s, record_ttl(&record)), message,
				       &malformed_service) < 0)
			return -EBADMSG;
	}
	/* RFC 9460 section 2.2: one malformed record condemns its whole set */
	if (malformed_service)
		drop_hints(message);
	return 0;
}

static int parse_question(ns_msg *wire, struct dns_message *message)
{
	ns_rr question;

	if (ns_msg_getflag(*wire, ns_f_opcode) != ns_o_query)
		return -ENOMSG;
	if (ns_msg_count(*wire, ns_s_qd) != 1)
		return -ENOMSG;
	if (ns_parserr(wire, ns_s_qd, 0, &question) < 0)
		return -EBADMSG;
	if (ns_rr_class(question) != ns_c_in)
		return -ENOMSG;
	message->question_type = ns_rr_type(question);
	return normalise(ns_rr_name(question), message->question) < 0 ? -ENOMSG : 0;
}

int dns_message_parse(const uint8_t *bytes, size_t size, struct dns_message *ret_message)
{
	struct dns_message message = {0};
	struct chain chain;
	ns_msg wire;
	int error;

	if (size > NS_MAXMSG || ns_initparse(bytes, (int)size, &wire) < 0)
		return -EBADMSG;
	message.id = ns_msg_id(wire);
	message.is_response = ns_msg_getflag(wire, ns_f_qr);
	message.truncated = ns_msg_getflag(wire, ns_f_tc);
	message.opcode = (uint8_t)ns_msg_getflag(wire, ns_f_opcode);
	message.rcode = (uint8_t)ns_msg_getflag(wire, ns_f_rcode);
	error = parse_question(&wire, &message);
	if (error < 0)
		return error;
	if (message.is_response) {
		chain.alias_count = 0;
		error = collect_aliases(&wire, &chain);
		if (error < 0)
			return error;
		follow(&chain, message.question);
		error = collect_addresses(&wire, &chain, &message);
		if (error < 0)
			return error;
	}
	*ret_message = message;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracker_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/nameser.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/clock.h"

const struct mac_address station_mac = {{2, 0, 0, 0, 0, 2}};
const struct mac_address gateway_mac = {{2, 0, 0, 0, 0, 1}};

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_IGMP:
		return "igmp";
	default:
		return "other";
	}
}

static void add_flow(struct script *script, const char *word, const struct observed_flow *flow)
{
	struct text *lines = &script->lines;
	static const char *const sources[] = {"", " dns", " tls", " quic"};
	bool has_type = flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6;
	char address[IP_TEXT_SIZE];

	if (script->is_silent)
		return;
	ip_format(&flow->remote, address);
	text_printf(lines, "%s %s %s", word, protocol_name(flow->protocol),
		    flow->name[0] ? flow->name : address);
	if (has_type)
		text_printf(lines, " type %u", flow->icmp_type);
	else if (flow->remote_port)
		text_printf(lines, ":%u", flow->remote_port);
	text_append(lines, sources[flow->name_source]);
	if (flow->asked_port)
		text_printf(lines, " asked %u", flow->asked_port);
	if (flow->link_broadcast)
		text_append(lines, " broadcast");
	if (flow->announces)
		text_append(lines, " announces");
	text_append(lines, "\n");
}

/* Every flow starts under an id of its own and is settled exactly once. */
static void check_id(struct script *script, const struct observation *observation)
{
	uint64_t id = observation->flow.id;

	if (observation->kind == OBSERVATION_START)
		assert_true(id > script->last_id);
	if (id >= SCRIPT_FLOWS_MAX)
		return;
	assert_int_equal(script->is_open[id], observation->kind == OBSERVATION_CONNECTION);
	script->is_open[id] = !script->is_open[id];
}

static void note(void *context, const struct observation *observation)
{
	static const char *const roles[] = {"none", "resolver",	 "gateway",  "dhcp-server",
					    "lan",  "multicast", "broadcast"};
	struct script *script = context;
	char address[IP_TEXT_SIZE];

	script->count++;
	switch (observation->kind) {
	case OBSERVATION_START:
		check_id(script, observation);
		script->last_id = observation->flow.id;
		script->starts++;
		if (!script->skip_starts)
			add_flow(script, "start", &observation->flow);
		break;
	case OBSERVATION_CONNECTION:
		check_id(script, observation);
		script->connections++;
		add_flow(script, "connection", &observation->flow);
		break;
	case OBSERVATION_SERVICE:
		ip_format(&observation->service.remote, address);
		text_printf(&script->lines, "service %s %u for %s\n",
			    protocol_name(observation->service.protocol),
			    observation->service.local_port, address);
		break;
	case OBSERVATION_NAME:
		ip_format(&observation->name.address, address);
		text_printf(&script->lines, "name %s %s %u\n", observation->name.name, address,
			    observation->name.ttl_s);
		break;
	case OBSERVATION_ROLE:
		ip_format(&observation->role.address, address);
		text_printf(&script->lines, "role %s %s%s\n", roles[observation->role.role],
			    address, observation->role.announced ? " announced" : "");
		break;
	default:
		text_printf(&script->lines, "unexpected kind %d\n", observation->kind);
	}
}

void script_begin_as(struct script *script, const struct tracker_config *config)
{
	struct tracker_config own = *config;

	memset(script, 0, sizeof(*script));
	own.deliver = note;
	own.context = script;
	script->now_ns = EPOCH_NS;
	assert_int_equal(tracker_new(&own, &script->tracker), 0);
}

void script_begin(struct script *script)
{
	struct tracker_config config = {.subject = TRACK_MAC, .mac = station_mac};

	script_begin_as(script, &config);
	script->skip_starts = true;
}

void script_end(struct script *script)
{
	tracker_free(script->tracker);
	text_free(&script->lines);
}

void script_expect(struct script *script, const char *lines)
{
	assert_string_equal(script->lines.bytes ? script->lines.bytes : "", lines);
	text_free(&script->lines);
}

size_t script_open_flows(const struct script *script)
{
	size_t count = 0;

	for (size_t i = 0; i < SCRIPT_FLOWS_MAX; i++)
		count += script->is_open[i];
	return count;
}

void script_wait(struct script *script, double seconds)
{
	script->now_ns += (uint64_t)(int64_t)(seconds * (double)NS_PER_S);
}

void script_packet(struct script *script, const struct packet *packet)
{
	tracker_packet(script->tracker, packet, script->now_ns);
}

static void parse_end(const char *text, struct ip_address *ret_address, uint16_t *ret_port)
{
	char copy[64];
	char *address = copy;
	char *colon = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	*ret_port = 0;
	if (copy[0] == '[') {
		char *bracket = strchr(copy, ']');

		address = copy + 1;
		assert_non_null(bracket);
		*bracket = '\0';
		colon = bracket + 1;
	} else if (strchr(copy, ':') && !strchr(strchr(copy, ':') + 1, ':')) {
		colon = strchr(copy, ':');
	}
	if (colon && *colon == ':')
		*ret_port = (uint16_t)atoi(colon + 1);
	if (colon)
		*colon = '\0';
	assert_int_equal(ip_parse(address, ret_address), 0);
}

/* The station's own, group addresses as RFC 1112 and 2464 have them, neighbours' by their last
 * byte, everybody else's is the gateway's. */
static struct mac_address mac_of(const struct ip_address *address)
{
	struct mac_address mac = gateway_mac;
	struct ip_address station;

	assert_int_equal(ip_parse(STATION, &station), 0);
	switch (ip_scope(address)) {
	case ADDRESS_MULTICAST:
		return (struct mac_address){{1, 0, 0x5e, 0, 0, 1}};
	case ADDRESS_BROADCAST:
		return (struct mac_address){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	case ADDRESS_PRIVATE:
	case ADDRESS_LINK_LOCAL:
		mac.bytes[5] = address->bytes[address->family == 4 ? 3 : 15];
		if (address->family == 4 && mac.bytes[5] == 255)
			return (struct mac_address){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
		return mac;
	case ADDRESS_UNSPECIFIED:
		return station_mac;
	default:
		return mac;
	}
}

struct packet packet_between(uint8_t protocol, const char *source, const char *destination)
{
	struct packet packet = {.kind = PACKET_IP, .protocol = protocol, .ttl = 64};

	parse_end(source, &packet.source, &packet.source_port);
	parse_end(destination, &packet.destination, &packet.destination_port);
	packet.has_ports = packet.source_port != 0;
	packet.has_source_mac = true;
	packet.has_destination_mac = true;
	packet.source_mac = mac_of(&packet.source);
	packet.destination_mac = mac_of(&packet.destination);
	return packet;
}

struct packet packet_tcp(const char *source, const char *destination, uint8_t flags,
			 uint32_t sequence)
{
	struct packet packet = packet_between(IPPROTO_TCP, source, destination);

	packet.tcp_flags = flags;
	packet.tcp_sequence = sequence;
	return packet;
}

struct packet packet_icmp(const char *source, const char *destination, uint8_t type)
{
	bool is_ipv6 = strchr(source, ':') != NULL;
	struct packet packet =
		packet_between(is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, source, destination);

	packet.icmp_type = type;
	return packet;
}

void script_udp(struct script *script, const char *source, const char *destination)
{
	struct packet packet = packet_between(IPPROTO_UDP, source, destination);

	script_packet(script, &packet);
}

void script_tcp(struct script *script, const char *source, const char *destination, uint8_t flags,
		uint32_t sequence)
{
	struct packet packet = packet_tcp(source, destination, flags, sequence);

	script_packet(script, &packet);
}

void script_icmp(struct script *script, const char *source, const char *destination, uint8_t type)
{
	struct packet packet = packet_icmp(source, destination, type);

	script_packet(script, &packet);
}

static uint8_t *put16(uint8_t *at, unsigned int number)
{
	*at++ = (uint8_t)(number >> 8);
	*at++ = (uint8_t)number;
	return at;
}

static uint8_t *put_name(uint8_t *at, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		*at++ = (uint8_t)length;
		memcpy(at, name, length);
		at += length;
		name += length + (name[length] == '.');
	}
	*at++ = 0;
	return at;
}

static uint8_t *put_record(uint8_t *at, const char *name, uint16_t type, uint32_t ttl_s)
{
	at = put_name(at, name);
	at = put16(at, type);
	at = put16(at, ns_c_in);
	at = put16(at, ttl_s >> 16);
	return put16(at, ttl_s & 0xffff);
}

size_t dns_make_question(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
	uint8_t *at = put16(bytes, id);

	at = put16(at, 0x0100);
	at = put16(at, 1);
	at = put16(at, 0);
	at = put16(at, 0);
	at = put16(at, 0);
	at = put_name(at, name);
	at = put16(at, type);
	at = put16(at, ns_c_in);
	return (size_t)(at - bytes);
}

size_t dns_make_answer(uint8_t *bytes, uint16_t id, const char *name, uint16_t type,
		       const char *alias, const char *addresses, uint32_t ttl_s)
{
	uint8_t *at = bytes + dns_make_question(bytes, id, name, type);
	unsigned int count = 0;
	char copy[512];
	char *rest = copy;
	char *word;

	if (alias[0]) {
		uint8_t data[256];
		size_t size = (size_t)(put_name(data, alias) - data);

		at = put_record(at, name, ns_t_cname, ttl_s);
		at = put16(at, (unsigned int)size);
		memcpy(at, data, size);
		at += size;
		count++;
	}
	(void)snprintf(copy, sizeof(copy), "%s", addresses);
	while ((word = strsep(&rest, " "))) {
		struct ip_address address;
		size_t size;

		if (!*word)
			continue;
		assert_int_equal(ip_parse(word, &address), 0);
		size = address.family == 4 ? 4 : 16;
		at = put_record(at, alias[0] ? alias : name,
				address.family == 4 ? ns_t_a : ns_t_aaaa, ttl_s);
		at = put16(at, (unsigned int)size);
		memcpy(at, address.bytes, size);
		at += size;
		count++;
	}
	(void)put16(bytes + 2, 0x8180);
	(void)put16(bytes + 6, count);
	return (size_t)(at - bytes);
}

static void send_dns(struct script *script, const char *source, const char *destination,
		     size_t size)
{
	struct packet packet = packet_between(IPPROTO_UDP, source, destination);

	packet.payload = script->buffer;
	packet.payload_size = size;
	script_packet(script, &packet);
}

void script_ask(struct script *script, uint16_t port, uint16_t id, const char *name)
{
	char client[64];

	(void)snprintf(client, sizeof(client), "%s:%u", STATION, port);
	send_dns(script, client, RESOLVER ":53",
		 dns_make_question(script->buffer, id, name, ns_t_a));
}

void script_answer(struct script *script, uint16_t port, uint16_t id, const char *name,
		   const char *addresses)
{
	char client[64];

	(void)snprintf(client, sizeof(client), "%s:%u", STATION, port);
	send_dns(script, RESOLVER ":53", client,
		 dns_make_answer(script->buffer, id, name, ns_t_a, "", addresses, 60));
}

void script_resolve(struct script *script, const char *name, const char *addresses)
{
	script_ask(script, 33333, 7, name);
	script_answer(script, 33333, 7, name, addresses);
	text_free(&script->lines);
}

size_t tls_make_hello(uint8_t *bytes, const char *name)
{
	size_t length = strlen(name);
	uint8_t *body = bytes + 9; /* behind record and handshake headers */
	uint8_t *at = body;
	size_t size;

	at = put16(at, 0x0303);
	memset(at, 7, 32);
	at += 32;
	*at++ = 0; /* session id */
	at = put16(at, 2);
	at = put16(at, 0x1301);
	*at++ = 1; /* compression methods */
	*at++ = 0;
	at = put16(at, (unsigned int)length + 9); /* extensions */
	at = put16(at, 0);			  /* server_name */
	at = put16(at, (unsigned int)length + 5);
	at = put16(at, (unsigned int)length + 3);
	*at++ = 0;
	at = put16(at, (unsigned int)length);
	memcpy(at, name, length);
	at += length;
	size = (size_t)(at - body);
	bytes[0] = 22;
	(void)put16(bytes + 1, 0x0301);
	(void)put16(bytes + 3, (unsigned int)size + 4);
	bytes[5] = 1;
	bytes[6] = 0;
	(void)put16(bytes + 7, (unsigned int)size);
	return size + 9;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/event_flow.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profiles/profile.h"

#define NAME_LIMIT (5 * FINDING_NAME_SIZE) /* an escaped byte is five bytes long */

static const char *const ways[WAY_COUNT] = {
	[WAY_OUT] = "out",
	[WAY_IN] = "in",
	[WAY_FORWARD] = "forward",
};

/* ---- written ---- */

static json_t *address_json(const struct ip_address *address)
{
	char text[IP_TEXT_SIZE];

	if (!address->family)
		return json_null();
	ip_format(address, text);
	return json_string(text);
}

static json_t *number_json(bool known, unsigned int number)
{
	return known ? json_integer((json_int_t)number) : json_null();
}

static json_t *name_json(const char *name)
{
	_cleanup_(freep) char *escaped = NULL;

	if (!*name)
		return json_null();
	escaped = text_escape(name, NAME_LIMIT);
	return escaped ? json_string(escaped) : NULL;
}

json_t *event_flow_json(const struct finding_flow *flow)
{
	bool ports = protocol_has_ports(flow->protocol);
	char protocol[PROTOCOL_TEXT_SIZE];

	if (flow->way == WAY_NONE)
		return json_object();
	protocol_format(flow->protocol, protocol);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", EVENT_KEY_WAY, ways[flow->way],
			 EVENT_KEY_PROTOCOL, protocol, EVENT_KEY_LOCAL, address_json(&flow->local),
			 EVENT_KEY_LOCAL_PORT, number_json(ports, flow->local_port),
			 EVENT_KEY_REMOTE, address_json(&flow->remote), EVENT_KEY_REMOTE_PORT,
			 number_json(ports, flow->remote_port), EVENT_KEY_TYPE,
			 number_json(protocol_has_types(flow->protocol), flow->icmp_type),
			 EVENT_KEY_NAME, name_json(flow->name));
}

/* A peer's own port is new each time; what it came to is not. */
static uint16_t wanted_port(const struct finding *finding)
{
	return finding->kind == FINDING_SERVICE_UNKNOWN ? finding->flow.local_port
							: finding->flow.remote_port;
}

size_t event_flow_key(const struct finding *finding, uint8_t key[FLOW_KEY_SIZE])
{
	const struct finding_flow *flow = &finding->flow;
	uint16_t port = wanted_port(finding);
	size_t name_size = strlen(flow->name);

	if (flow->way == WAY_NONE)
		return 0;
	key[0] = flow->protocol;
	key[1] = flow->icmp_type;
	memcpy(key + 2, &port, sizeof(port));
	memcpy(key + 4, &flow->remote, sizeof(flow->remote));
	memcpy(key + 4 + sizeof(flow->remote), flow->name, name_size);
	return 4 + sizeof(flow->remote) + name_size;
}

/* ---- read back ---- */

static bool read_number(const json_t *event, const char *key, json_int_t most, json_int_t *ret)
{
	const json_t *value = json_object_get(event, key);

	*ret = json_integer_value(value); /* 0 for null */
	return (!value || json_is_null(value) || json_is_integer(value)) && *ret >= 0 &&
	       *ret <= most;
}

static bool read_address(const json_t *event, const char *key, struct ip_address *ret_address)
{
	const char *text = json_string_value(json_object_get(event, key));

	return !text || ip_parse(text, ret_address) == 0;
}

static uint8_t read_way(const json_t *event)
{
	const char *text = json_string_value(json_object_get(event, EVENT_KEY_WAY));

	for (uint8_t way = WAY_NONE + 1; text && way < WAY_COUNT; way++)
		if (strcmp(text, ways[way]) == 0)
			return way;
	return WAY_NONE;
}

bool event_flow_read(const json_t *event, struct finding_flow *ret_flow)
{
	const char *protocol = json_string_value(json_object_get(event, EVENT_KEY_PROTOCOL));
	const char *name = json_string_value(json_object_get(event, EVENT_KEY_NAME));
	struct finding_flow flow = {.way = read_way(event)};
	json_int_t local_port;
	json_int_t remote_port;
	json_int_t type;

	if (flow.way == WAY_NONE || !protocol || protocol_parse(protocol, &flow.protocol) < 0 ||
	    !read_address(event, EVENT_KEY_LOCAL, &flow.local) ||
	    !read_address(event, EVENT_KEY_REMOTE, &flow.remote) ||
	    !read_number(event, EVENT_KEY_LOCAL_PORT, UINT16_MAX, &local_port) ||
	    !read_number(event, EVENT_KEY_REMOTE_PORT, UINT16_MAX, &remote_port) ||
	    !read_number(event, EVENT_KEY_TYPE, UINT8_MAX, &type))
		return false;
	flow.local_port = (uint16_t)local_port;
	flow.remote_port = (uint16_t)remote_port;
	flow.icmp_type = (uint8_t)type;
	(void)snprintf(flow.name, sizeof(flow.name), "%s", name ? name : "");
	*ret_flow = flow;
	return true;
}

/* ---- in words ---- */

struct flow_words {
	const struct finding_flow *flow;
	char protocol[PROTOCOL_TEXT_SIZE];
	char local[IP_TEXT_SIZE];
	char remote[IP_TEXT_SIZE];
	char at[24];			      /* " port 53", " type 8", "" */
	char local_at[24];		      /* the same of this end */
	char known_as[FINDING_NAME_SIZE + 4]; /* " (evil.example)", "" */
};

static void address_words(const struct ip_address *address, char text[IP_TEXT_SIZE])
{
	if (address->family)
		ip_format(address, text);
	else
		(void)snprintf(text, IP_TEXT_SIZE, "an unknown address");
}

static struct flow_words words_of(const struct finding_flow *flow)
{
	struct flow_words words = {.flow = flow};

	protocol_format(flow->protocol, words.protocol);
	address_words(&flow->local, words.local);
	address_words(&flow->remote, words.remote);
	if (protocol_has_ports(flow->protocol)) {
		(void)snprintf(words.at, sizeof(words.at), " port %u", flow->remote_port);
		(void)snprintf(words.local_at, sizeof(words.local_at), " port %u",
			       flow->local_port);
	} else if (protocol_has_types(flow->protocol)) {
		(void)snprintf(words.at, sizeof(words.at), " type %u", flow->icmp_type);
		(void)snprintf(words.local_at, sizeof(words.local_at), " type %u", flow->icmp_type);
	}
	if (flow->name[0])
		(void)snprintf(words.known_as, sizeof(words.known_as), " (%s)", flow->name);
	return words;
}

static void connection_text(const struct flow_words *words, char text[FLOW_TEXT_SIZE])
{
	(void)snprintf(text, FLOW_TEXT_SIZE, "%s to %s%s%s", words->protocol, words->remote,
		       words->at, words->known_as);
}

static void service_text(const struct flow_words *words, char text[FLOW_TEXT_SIZE])
{
	(void)snprintf(text, FLOW_TEXT_SIZE, "%s from %s%s to%s%s", words->protocol, words->remote,
		       words->known_as, words->local_at[0] ? "" : " ",
		       words->local_at[0] ? words->local_at : words->local);
}

static void forward_text(const struct flow_words *words, char text[FLOW_TEXT_SIZE])
{
	(void)snprintf(text, FLOW_TEXT_SIZE, "%s from %s to %s%s%s", words->protocol, words->local,
		       words->remote, words->at, words->known_as);
}

static void question_text(const struct flow_words *words, char text[FLOW_TEXT_SIZE])
{
	(void)snprintf(text, FLOW_TEXT_SIZE, "%s, asked of %s,",
		       words->flow->name[0] ? words->flow->name : "an unreadable name",
		       words->remote);
}

static void answer_text(const struct flow_words *words, char text[FLOW_TEXT_SIZE])
{
	(void)snprintf(text, FLOW_TEXT_SIZE, "the answer of %s%s%s", words->remote,
		       words->flow->name[0] ? " about " : "", words->flow->name);
}

/* With words of its own; others go by their way. */
static void (*const kind_texts[FINDING_KIND_COUNT])(const struct flow_words *words,
						    char text[FLOW_TEXT_SIZE]) = {
	[FINDING_NAME_UNKNOWN] = question_text,
	[FINDING_ANSWER_UNASKED] = answer_text,
	[FINDING_ANSWER_REBINDING] = answer_text,
};

static void (*const way_texts[WAY_COUNT])(const struct flow_words *words,
					  char text[FLOW_TEXT_SIZE]) = {
	[WAY_NONE] = connection_text,
	[WAY_OUT] = connection_text,
	[WAY_IN] = service_text,
	[WAY_FORWARD] = forward_text,
};

void event_flow_text(enum finding_kind kind, const struct finding_flow *flow,
		     char text[FLOW_TEXT_SIZE])
{
	struct flow_words words = words_of(flow);

	if ((size_t)kind < array_length(kind_texts) && kind_texts[kind])
		kind_texts[kind](&words, text);
	else
		way_texts[flow->way < WAY_COUNT ? flow->way : WAY_NONE](&words, text);
}

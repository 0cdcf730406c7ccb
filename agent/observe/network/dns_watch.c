/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/dns_watch.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/map.h"
#include "observe/network/flows.h"
#include "observe/network/fragments.h"
#include "observe/network/limits.h"
#include "observe/network/streams.h"

struct conversation {
	struct stream questions;
	struct stream answers;
};

struct dns_watch {
	struct names *names;
	struct fragments *fragments;
	struct map *conversations; /* over TCP */
	dns_watch_resolver_fn resolver;
	void *context;
};

static void dispose_conversation(void *value, void *context)
{
	struct conversation *conversation = value;

	(void)context;
	stream_free(&conversation->questions);
	stream_free(&conversation->answers);
}

int dns_watch_new(struct names *names, dns_watch_resolver_fn resolver, void *context,
		  struct dns_watch **ret_watch)
{
	struct dns_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->names = names;
	watch->resolver = resolver;
	watch->context = context;
	if (fragments_new(&watch->fragments) < 0 ||
	    map_new(&watch->conversations, DNS_STREAMS_MAX, sizeof(struct conversation),
		    dispose_conversation, NULL) < 0) {
		dns_watch_free(watch);
		return -ENOMEM;
	}
	*ret_watch = watch;
	return 0;
}

void dns_watch_free(struct dns_watch *watch)
{
	if (!watch)
		return;
	fragments_free(watch->fragments);
	map_free(watch->conversations);
	free(watch);
}

static void question(struct dns_watch *watch, const struct packet *packet, const uint8_t *bytes,
		     size_t size, uint64_t now_ns)
{
	struct names_path path = {
		.client = packet->source,
		.resolver = packet->destination,
		.client_port = packet->source_port,
		.transport = packet->protocol,
	};
	struct dns_message message;

	if (dns_message_parse(bytes, size, &message) == 0 && !message.is_response)
		names_question(watch->names, &path, &message, now_ns);
}

static void answer(struct dns_watch *watch, const struct packet *packet, const uint8_t *bytes,
		   size_t size, uint64_t now_ns)
{
	struct names_path path = {
		.client = packet->destination,
		.resolver = packet->source,
		.client_port = packet->destination_port,
		.transport = packet->protocol,
	};
	struct dns_message message;

	if (dns_message_parse(bytes, size, &message) == 0 && message.is_response &&
	    names_answer(watch->names, &path, &message, now_ns) == 0 && !packet->loopback)
		watch->resolver(watch->context, &packet->source);
}

/* RFC 1035, 4.2.2: each message behind its length in two bytes. Returns false when the stream holds
 * one that cannot be kept. */
static bool read_messages(struct dns_watch *watch, struct stream *stream,
			  const struct packet *packet, uint64_t now_ns,
			  void (*take)(struct dns_watch *, const struct packet *, const uint8_t *,
				       size_t, uint64_t))
{
	for (;;) {
		size_t size;
		const uint8_t *bytes = stream_bytes(stream, &size);
		size_t length;

		if (size < 2)
			return true;
		length = (size_t)bytes[0] << 8 | bytes[1];
		if (length > STREAM_SIZE - 2)
			return false;
		if (size - 2 < length)
			return true;
		take(watch, packet, bytes + 2, length, now_ns);
		stream_consume(stream, 2 + length);
	}
}

static void segment(struct dns_watch *watch, const struct packet *packet, bool sent,
		    uint64_t now_ns)
{
	struct flow_key key;
	struct conversation *conversation;
	struct stream *stream;
	bool goes_on;

	flow_key_make(packet, sent, &key);
	if (sent && (packet->tcp_flags & (TH_SYN | TH_ACK)) == TH_SYN)
		conversation = map_add(watch->conversations, &key, sizeof(key));
	else
		conversation = map_find(watch->conversations, &key, sizeof(key));
	if (!conversation)
		return;
	stream = sent ? &conversation->questions : &conversation->answers;
	if (!(packet->tcp_flags & TH_SYN))
		stream_add(stream, packet);
	else if (!stream->begun || stream->base != packet->tcp_sequence + 1)
		stream_begin(stream, packet);
	goes_on = read_messages(watch, stream, packet, now_ns, sent ? question : answer);
	if (!goes_on || packet->tcp_flags & TH_RST)
		map_remove_value(watch->conversations, conversation);
}

void dns_watch_sent(struct dns_watch *watch, const struct packet *packet, uint64_t now_ns)
{
	if (!packet->has_ports || packet->destination_port != NS_DEFAULTPORT)
		return;
	if (packet->protocol == IPPROTO_TCP)
		segment(watch, packet, true, now_ns);
	else if (packet->protocol == IPPROTO_UDP)
		question(watch, packet, packet->payload, packet->payload_size, now_ns);
}

void dns_watch_received(struct dns_watch *watch, const struct packet *packet, uint64_t now_ns)
{
	struct packet whole;

	if (packet->protocol == IPPROTO_UDP && packet->fragment &&
	    (packet->fragment_follows || packet->fragment_offset != 0)) {
		if (packet->fragment_offset != 0 && !names_is_asked(watch->names, &packet->source))
			return;
		if (fragments_add(watch->fragments, packet, now_ns, &whole) < 0)
			return;
		packet = &whole;
	}
	if (!packet->has_ports || packet->source_port != NS_DEFAULTPORT)
		return;
	if (packet->protocol == IPPROTO_TCP)
		segment(watch, packet, false, now_ns);
	else if (packet->protocol == IPPROTO_UDP)
		answer(watch, packet, packet->payload, packet->payload_size, now_ns);
}

uint64_t dns_watch_evicted(const struct dns_watch *watch)
{
	return fragments_evicted(watch->fragments) + map_evicted(watch->conversations);
}

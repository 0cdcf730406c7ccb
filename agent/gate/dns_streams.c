/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/dns_streams.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"
#include "gate/dns_record.h"
#include "gate/dns_stream_in.h"
#include "gate/dns_stream_out.h"

struct conversation {
	struct dns_stream_out questions;
	struct dns_stream_in answers;
};

struct dns_streams {
	struct map *conversations; /* by struct parties */
	uint8_t key[DNS_DIGEST_KEY_SIZE];
};

/* All bytes are compared. */
struct parties {
	struct ip_address client;
	struct ip_address resolver;
	uint16_t ports[2];
};

static void dispose(void *value, void *context)
{
	struct conversation *conversation = value;

	(void)context;
	dns_stream_in_free(&conversation->answers);
}

int dns_streams_new(struct dns_streams **ret_streams)
{
	struct dns_streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return -ENOMEM;
	if (map_new(&streams->conversations, DNS_STREAMS_LIMIT, sizeof(struct conversation),
		    dispose, NULL) < 0) {
		free(streams);
		return -ENOMEM;
	}
	if (getrandom(streams->key, sizeof(streams->key), 0) != sizeof(streams->key)) {
		dns_streams_free(streams);
		return -EIO;
	}
	*ret_streams = streams;
	return 0;
}

void dns_streams_free(struct dns_streams *streams)
{
	if (!streams)
		return;
	map_free(streams->conversations);
	free(streams);
}

static void make_parties(const struct packet *segment, bool outbound, struct parties *ret_parties)
{
	memset(ret_parties, 0, sizeof(*ret_parties));
	ret_parties->client = outbound ? segment->source : segment->destination;
	ret_parties->resolver = outbound ? segment->destination : segment->source;
	ret_parties->ports[0] = outbound ? segment->source_port : segment->destination_port;
	ret_parties->ports[1] = outbound ? segment->destination_port : segment->source_port;
}

/* A SYN that comes again changes nothing; another one is a new connection between the same ports.
 */
static struct conversation *opened(struct dns_streams *streams, const struct parties *parties,
				   uint32_t first)
{
	struct conversation *conversation =
		map_add(streams->conversations, parties, sizeof(*parties));

	if (!conversation ||
	    (conversation->questions.begun && conversation->questions.first == first))
		return conversation;
	dns_stream_out_begin(&conversation->questions, first);
	dns_stream_in_free(&conversation->answers);
	return conversation;
}

/* Of a resolver that forgot the connection or of somebody who guesses at it, TCP takes no second
 * one: nor does this, once there was an answer. */
static void accepted(struct conversation *conversation, uint32_t first)
{
	if (!dns_stream_in_is_used(&conversation->answers))
		dns_stream_in_begin(&conversation->answers, first);
}

size_t dns_streams_segment(struct dns_streams *streams, const struct packet *segment,
			   struct held held[HELD_PER_PACKET])
{
	bool outbound = held->way == HELD_OUT;
	bool syn = segment->tcp_flags & TH_SYN;
	/* RFC 9293 section 3.4: the SYN has a number of its own */
	uint32_t sequence = segment->tcp_sequence + syn;
	struct conversation *conversation;
	struct parties parties;

	make_parties(segment, outbound, &parties);
	if (outbound && syn && !(segment->tcp_flags & TH_ACK))
		conversation = opened(streams, &parties, sequence);
	else
		conversation = map_find(streams->conversations, &parties, sizeof(parties));
	if (conversation && !outbound && syn)
		accepted(conversation, sequence);
	if (segment->payload_size == 0) {
		dns_record_clear(&held[0], HELD_PART);
		return 1;
	}
	/* urgent bytes are none of the stream's for the one, and for the other they are */
	if (!conversation || segment->tcp_flags & TH_URG) {
		dns_record_clear(&held[0], HELD_UNREADABLE);
		return 1;
	}
	if (outbound)
		return dns_stream_out_take(&conversation->questions, streams->key, sequence,
					   segment->payload, segment->payload_size, held);
	return dns_stream_in_take(&conversation->answers, sequence, segment->payload,
				  segment->payload_size, held);
}

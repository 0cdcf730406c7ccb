/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/fragments.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "observe/network/assembly.h"
#include "observe/network/limits.h"

#define UDP_HEADER_SIZE 8

/* RFC 791, 3.2 and RFC 8200, 4.5: what the fragments of one datagram share. */
struct fragment_key {
	struct ip_address source;
	struct ip_address destination;
	uint8_t id[4];
};

struct datagram {
	uint64_t begun_ns;
	bool has_first;
	uint16_t source_port;
	uint16_t destination_port;
	size_t size; /* of the payload; 0: the last fragment was not seen yet */
	struct assembly payload;
};

struct fragments {
	struct map *datagrams;
	uint8_t *complete; /* payload last handed out */
};

static void dispose_datagram(void *value, void *context)
{
	struct datagram *datagram = value;

	(void)context;
	assembly_free(&datagram->payload);
}

int fragments_new(struct fragments **ret_fragments)
{
	struct fragments *fragments = calloc(1, sizeof(*fragments));

	if (!fragments)
		return -ENOMEM;
	if (map_new(&fragments->datagrams, FRAGMENTED_MAX, sizeof(struct datagram),
		    dispose_datagram, NULL) < 0) {
		free(fragments);
		return -ENOMEM;
	}
	*ret_fragments = fragments;
	return 0;
}

void fragments_free(struct fragments *fragments)
{
	if (!fragments)
		return;
	map_free(fragments->datagrams);
	free(fragments->complete);
	free(fragments);
}

static struct datagram *find_datagram(struct fragments *fragments, const struct packet *packet,
				      uint64_t now_ns)
{
	struct fragment_key key = {.source = packet->source, .destination = packet->destination};
	struct datagram *datagram;

	memcpy(key.id, &packet->fragment_id, sizeof(key.id));
	datagram = map_find(fragments->datagrams, &key, sizeof(key));
	if (datagram && (now_ns > datagram->begun_ns + FRAGMENT_LIFE_NS ||
			 datagram->begun_ns > now_ns + FRAGMENT_LIFE_NS)) {
		map_remove_value(fragments->datagrams, datagram);
		datagram = NULL;
	}
	/* A first fragment that is no DNS answer never takes a place. */
	if (!datagram && (packet->fragment_offset != 0 || packet->source_port == NS_DEFAULTPORT)) {
		datagram = map_add(fragments->datagrams, &key, sizeof(key));
		if (datagram)
			datagram->begun_ns = now_ns;
	}
	return datagram;
}

/* Where the fragment's payload lies in the UDP payload; the first fragment's has lost its header.
 */
static int add_piece(struct datagram *datagram, const struct packet *packet)
{
	size_t offset = 0;
	size_t end;

	if (packet->payload_missing)
		return -EBADMSG;
	if (packet->fragment_offset == 0) {
		if (!packet->has_ports || packet->source_port != NS_DEFAULTPORT)
			return -EBADMSG;
		datagram->has_first = true;
		datagram->source_port = packet->source_port;
		datagram->destination_port = packet->destination_port;
	} else {
		if (packet->fragment_offset < UDP_HEADER_SIZE)
			return -EBADMSG;
		offset = packet->fragment_offset - UDP_HEADER_SIZE;
	}
	end = offset + packet->payload_size;
	if (!packet->fragment_follows) {
		if (datagram->size && datagram->size != end)
			return -EBADMSG;
		datagram->size = end;
	}
	if (datagram->size && end > datagram->size)
		return -EBADMSG;
	return assembly_add(&datagram->payload, FRAGMENTED_SIZE, offset, packet->payload,
			    packet->payload_size);
}

int fragments_add(struct fragments *fragments, const struct packet *packet, uint64_t now_ns,
		  struct packet *ret_packet)
{
	struct datagram *datagram = find_datagram(fragments, packet, now_ns);

	if (!datagram)
		return -EAGAIN;
	if (add_piece(datagram, packet) < 0) {
		map_remove_value(fragments->datagrams, datagram);
		return -EBADMSG;
	}
	if (!datagram->has_first || datagram->size == 0 ||
	    assembly_contiguous(&datagram->payload) != datagram->size)
		return -EAGAIN;
	*ret_packet = *packet;
	ret_packet->fragment = false;
	ret_packet->fragment_follows = false;
	ret_packet->fragment_offset = 0;
	ret_packet->has_ports = true;
	ret_packet->source_port = datagram->source_port;
	ret_packet->destination_port = datagram->destination_port;
	free(fragments->complete);
	fragments->complete = datagram->payload.bytes;
	datagram->payload.bytes = NULL;
	ret_packet->payload = fragments->complete;
	ret_packet->payload_size = datagram->size;
	map_remove_value(fragments->datagrams, datagram);
	return 0;
}

uint64_t fragments_evicted(const struct fragments *fragments)
{
	return map_evicted(fragments->datagrams);
}

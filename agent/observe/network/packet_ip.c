/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include "base/bytes.h"
#include "observe/network/packet_layers.h"

/* RFC 8200 section 4.1 knows seven in one packet; hosts send one or two. */
#define EXTENSION_HEADERS_MAX 8

static void set_fragment(struct packet *packet, unsigned int offset, bool more, uint32_t id)
{
	packet->fragment_offset = (uint16_t)offset;
	packet->fragment_follows = more;
	packet->fragment_id = id;
	packet->fragment = more || offset > 0;
}

static int decode_above(struct rest rest, struct packet *packet)
{
	packet->kind = PACKET_IP;
	if (packet->fragment_offset == 0)
		return packet_transport_decode(rest, packet);
	rest_to_payload(&rest, packet);
	return 0;
}

/* RFC 791 section 3.1 */
int packet_ipv4_decode(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;
	unsigned int header_size, total_size, fragment;

	if (rest.captured < 20 || header[0] >> 4 != 4)
		return -EBADMSG;
	header_size = (header[0] & 0x0fU) * 4;
	total_size = be16_at(header + 2);
	/* 0: a segment too large for the field, on its way to or from segmentation offload */
	if (total_size > 0)
		rest_set_wire(&rest, total_size);
	if (header_size < 20 || !rest_skip(&rest, header_size))
		return -EBADMSG;
	fragment = be16_at(header + 6);
	set_fragment(packet, (fragment & 0x1fffU) * 8, fragment & 0x2000, be16_at(header + 4));
	packet->ttl = header[8];
	packet->protocol = header[9];
	packet->source.family = 4;
	memcpy(packet->source.bytes, header + 12, 4);
	packet->destination.family = 4;
	memcpy(packet->destination.bytes, header + 16, 4);
	return decode_above(rest, packet);
}

/* The size of one extension header, RFC 8200 section 4 and RFC 4302 section 2.2. */
static size_t extension_size(uint8_t protocol, const uint8_t *header)
{
	switch (protocol) {
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return (header[1] + 2U) * 4;
	default:
		return (header[1] + 1U) * 8;
	}
}

static bool is_extension(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
		return true;
	default:
		return false;
	}
}

/* Ends at the first header that is none, or behind the header of a later fragment: what follows
 * there are bytes from the middle. */
static int skip_extensions(struct rest *rest, struct packet *packet)
{
	unsigned int count = 0;

	while (packet->fragment_offset == 0 && is_extension(packet->protocol)) {
		const uint8_t *header = rest->at;

		if (++count > EXTENSION_HEADERS_MAX || rest->captured < 8 ||
		    !rest_skip(rest, extension_size(packet->protocol, header)))
			return -EBADMSG;
		if (packet->protocol == IPPROTO_FRAGMENT) {
			if (packet->fragment)
				return -EBADMSG;
			set_fragment(packet, be16_at(header + 2) & 0xfff8, header[3] & 1,
				     be32_at(header + 4));
		}
		packet->protocol = header[0];
	}
	return 0;
}

/* RFC 8200 section 3 */
int packet_ipv6_decode(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;
	unsigned int payload_size;

	if (!rest_skip(&rest, 40) || header[0] >> 4 != 6)
		return -EBADMSG;
	payload_size = be16_at(header + 4);
	packet->protocol = header[6];
	packet->ttl = header[7];
	/* 0: a jumbogram (RFC 2675), or a segment on its way to or from segmentation offload */
	if (payload_size > 0)
		rest_set_wire(&rest, payload_size);
	packet->source.family = 6;
	memcpy(packet->source.bytes, header + 8, 16);
	packet->destination.family = 6;
	memcpy(packet->destination.bytes, header + 24, 16);
	if (skip_extensions(&rest, packet) < 0)
		return -EBADMSG;
	return decode_above(rest, packet);
}

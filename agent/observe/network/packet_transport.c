/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include <netinet/in.h>

#include "base/bytes.h"
#include "observe/network/packet_layers.h"

/* RFC 9260 section 3.2 */
#define SCTP_INIT     1
#define SCTP_INIT_ACK 2

static void take_ports(const uint8_t *header, struct packet *packet)
{
	packet->has_ports = true;
	packet->source_port = be16_at(header);
	packet->destination_port = be16_at(header + 2);
}

/* RFC 9293 section 3.1 */
static int decode_tcp(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;
	size_t size;

	if (rest.captured < 20)
		return -EBADMSG;
	size = (header[12] >> 4) * 4U;
	if (size < 20 || size > rest.wire)
		return -EBADMSG;
	take_ports(header, packet);
	packet->tcp_sequence = be32_at(header + 4);
	packet->tcp_flags = header[13];
	/* options that a short capture cut off take nothing from what is known */
	if (!rest_skip(&rest, size)) {
		rest.at += rest.captured;
		rest.captured = 0;
		rest.wire -= size;
	}
	rest_to_payload(&rest, packet);
	return 0;
}

/* RFC 768. A length of 0 is that of a jumbogram, RFC 2675 section 4. In the first of several
 * fragments the length is that of all together. */
static int decode_udp(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;
	size_t size;

	if (rest.captured < 8)
		return -EBADMSG;
	size = be16_at(header + 4);
	if (size > 0 && !packet->fragment) {
		if (size < 8 || size > rest.wire)
			return -EBADMSG;
		rest_set_wire(&rest, size);
	}
	take_ports(header, packet);
	rest_skip(&rest, 8);
	rest_to_payload(&rest, packet);
	return 0;
}

/* RFC 3828: where UDP has a length, this has the checksum's coverage. */
static int decode_udplite(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;

	if (!rest_skip(&rest, 8))
		return -EBADMSG;
	take_ports(header, packet);
	rest_to_payload(&rest, packet);
	return 0;
}

static int decode_sctp(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;

	if (!rest_skip(&rest, 12))
		return -EBADMSG;
	take_ports(header, packet);
	if (rest.captured > 0) {
		packet->sctp_init = rest.at[0] == SCTP_INIT;
		packet->sctp_init_ack = rest.at[0] == SCTP_INIT_ACK;
	}
	rest_to_payload(&rest, packet);
	return 0;
}

/* RFC 792 and RFC 4443 begin alike. */
static int decode_icmp(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;

	if (!rest_skip(&rest, 4))
		return -EBADMSG;
	packet->icmp_type = header[0];
	packet->icmp_code = header[1];
	rest_to_payload(&rest, packet);
	return 0;
}

int packet_transport_decode(struct rest rest, struct packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return decode_tcp(rest, packet);
	case IPPROTO_UDP:
		return decode_udp(rest, packet);
	case IPPROTO_UDPLITE:
		return decode_udplite(rest, packet);
	case IPPROTO_SCTP:
		return decode_sctp(rest, packet);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return decode_icmp(rest, packet);
	case IPPROTO_NONE:
		/* RFC 8200 section 4.7: bytes behind it mean nothing */
		rest_set_wire(&rest, 0);
		break;
	default:
		break;
	}
	rest_to_payload(&rest, packet);
	return 0;
}

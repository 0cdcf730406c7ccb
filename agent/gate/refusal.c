/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/refusal.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <string.h>

#include "base/hostname.h"
#include "gate/checksum.h"

enum {
	IPV4_HEADER_SIZE = 20,
	IPV6_HEADER_SIZE = 40,
	UDP_HEADER_SIZE = 8,
	UDP_CHECKSUM_AT = 6,
	IPV4_CHECKSUM_AT = 10,
	LIFE = 64, /* RFC 1700: hops; it makes none */

	/* RFC 1035 section 4.1.1: a response, recursion desired and available */
	FLAGS = 0x8180,

	/* RFC 6891 section 6.2.5: what fits into every IPv6 packet */
	OPT_UDP_SIZE = 1232,
	OPT_TYPE = 41,
};

/* The longest that is written below. */
_Static_assert(IPV6_HEADER_SIZE + UDP_HEADER_SIZE + NS_HFIXEDSZ + NS_MAXCDNAME + NS_QFIXEDSZ + 11 <=
		       REFUSAL_SIZE_MAX,
	       "a refusal fits");

struct writer {
	uint8_t *bytes;
	size_t size;
};

static void put_8(struct writer *writer, unsigned int number)
{
	writer->bytes[writer->size++] = (uint8_t)number;
}

static void put_16(struct writer *writer, unsigned int number)
{
	put_8(writer, number >> 8);
	put_8(writer, number);
}

static void put_32(struct writer *writer, uint32_t number)
{
	put_16(writer, number >> 16);
	put_16(writer, number & 0xffff);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t size)
{
	memcpy(writer->bytes + writer->size, bytes, size);
	writer->size += size;
}

static void set_16(struct writer *writer, size_t at, size_t number)
{
	writer->bytes[at] = (uint8_t)(number >> 8);
	writer->bytes[at + 1] = (uint8_t)number;
}

/* Of a checked host name every label is of 1 to 63 bytes. */
static void put_name(struct writer *writer, const char *name)
{
	while (*name) {
		size_t size = strcspn(name, ".");

		put_8(writer, (unsigned int)size);
		put_bytes(writer, name, size);
		name += size;
		name += *name == '.';
	}
	put_8(writer, 0);
}

static void put_message(struct writer *writer, const struct held *held, uint8_t rcode)
{
	put_16(writer, held->dns_id);
	put_16(writer, FLAGS | rcode);
	put_16(writer, 1); /* questions */
	put_16(writer, 0); /* answers */
	put_16(writer, 0); /* authority */
	put_16(writer, held->edns);
	put_name(writer, held->asked);
	put_16(writer, held->question_type);
	put_16(writer, ns_c_in);
	if (!held->edns)
		return;
	put_8(writer, 0); /* the root's name */
	put_16(writer, OPT_TYPE);
	put_16(writer, OPT_UDP_SIZE);
	put_32(writer, 0); /* extended rcode, version, flags */
	put_16(writer, 0); /* no options */
}

/* RFC 791 section 3.1; the length and the checksum follow. */
static void put_ipv4_header(struct writer *writer, const struct observed_flow *flow)
{
	put_16(writer, 0x4500);
	put_16(writer, 0);
	put_16(writer, 0);
	put_16(writer, 0x4000); /* not to be fragmented */
	put_8(writer, LIFE);
	put_8(writer, IPPROTO_UDP);
	put_16(writer, 0);
	put_bytes(writer, flow->remote.bytes, 4);
	put_bytes(writer, flow->local.bytes, 4);
}

/* RFC 8200 section 3; the length follows. */
static void put_ipv6_header(struct writer *writer, const struct observed_flow *flow)
{
	put_32(writer, 6U << 28);
	put_16(writer, 0);
	put_8(writer, IPPROTO_UDP);
	put_8(writer, LIFE);
	put_bytes(writer, flow->remote.bytes, 16);
	put_bytes(writer, flow->local.bytes, 16);
}

static void finish_udp(struct writer *writer, size_t at, const struct observed_flow *flow)
{
	size_t size = writer->size - at;
	uint16_t checksum;

	set_16(writer, at + 4, size);
	checksum = checksum_of_transport(&flow->remote, &flow->local, IPPROTO_UDP,
					 writer->bytes + at, size);
	/* 0 would mean that there is none (RFC 768) */
	set_16(writer, at + UDP_CHECKSUM_AT, checksum ? checksum : 0xffff);
}

size_t refusal_build(const struct held *held, uint8_t rcode, uint8_t packet[REFUSAL_SIZE_MAX])
{
	const struct observed_flow *flow = &held->flow;
	struct writer writer = {.bytes = packet};
	size_t udp_at;

	if (held->over_tcp || (held->kind != HELD_QUESTION && held->kind != HELD_ANSWER))
		return 0;
	if (flow->local.family == 4)
		put_ipv4_header(&writer, flow);
	else
		put_ipv6_header(&writer, flow);
	udp_at = writer.size;
	put_16(&writer, flow->remote_port);
	put_16(&writer, flow->local_port);
	put_32(&writer, 0); /* length and checksum follow */
	put_message(&writer, held, rcode & 0xf);
	finish_udp(&writer, udp_at, flow);
	if (flow->local.family == 4) {
		set_16(&writer, 2, writer.size);
		set_16(&writer, IPV4_CHECKSUM_AT, checksum_of(packet, IPV4_HEADER_SIZE));
	} else {
		set_16(&writer, 4, writer.size - IPV6_HEADER_SIZE);
	}
	return writer.size;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/packet.h"

#include <errno.h>
#include <string.h>

#include <pcap/dlt.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "observe/network/packet_layers.h"

/* linux/if_arp.h */
#define LINK_ETHERNET	 1
#define LINK_LOOPBACK	 772
#define LINK_80211	 801
#define LINK_80211_PRISM 802
#define LINK_80211_RADIO 803
#define LINK_NETLINK	 824

/* linux/if_packet.h: PACKET_HOST to PACKET_OUTGOING, 0 to 4 */
static const uint8_t directions[] = {
	PACKET_TO_US, PACKET_TO_BROADCAST, PACKET_TO_BROADCAST, PACKET_TO_OTHER, PACKET_FROM_US,
};

static void take_mac(const uint8_t *bytes, struct mac_address *mac, bool *has_mac)
{
	memcpy(mac->bytes, bytes, sizeof(mac->bytes));
	*has_mac = true;
}

static int decode_ethernet(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;

	if (!rest_skip(&rest, 14))
		return -EBADMSG;
	take_mac(header, &packet->destination_mac, &packet->has_destination_mac);
	take_mac(header + 6, &packet->source_mac, &packet->has_source_mac);
	return packet_ethertype_decode(be16_at(header + 12), rest, packet);
}

/* What both cooked headers say, linktype LINUX_SLL and LINUX_SLL2 at tcpdump.org. */
static int decode_cooked(unsigned int type, unsigned int hardware, unsigned int address_size,
			 const uint8_t *address, uint16_t ethertype, struct rest rest,
			 struct packet *packet)
{
	if (type < array_length(directions))
		packet->direction = directions[type];
	packet->loopback = hardware == LINK_LOOPBACK;
	if (hardware == LINK_ETHERNET && address_size == sizeof(struct mac_address))
		take_mac(address, &packet->source_mac, &packet->has_source_mac);
	switch (hardware) {
	case LINK_80211:
	case LINK_80211_PRISM:
	case LINK_80211_RADIO:
	case LINK_NETLINK:
		/* the protocol field is no EtherType on these */
		return 0;
	default:
		return packet_ethertype_decode(ethertype, rest, packet);
	}
}

static int decode_sll(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;

	if (!rest_skip(&rest, 16))
		return -EBADMSG;
	return decode_cooked(be16_at(header), be16_at(header + 2), be16_at(header + 4), header + 6,
			     be16_at(header + 14), rest, packet);
}

static int decode_sll2(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;

	if (!rest_skip(&rest, 20))
		return -EBADMSG;
	packet->interface_index = be32_at(header + 4);
	return decode_cooked(header[10], be16_at(header + 8), header[11], header + 12,
			     be16_at(header), rest, packet);
}

static int decode_raw(struct rest rest, struct packet *packet)
{
	if (rest.captured == 0)
		return -EBADMSG;
	switch (rest.at[0] >> 4) {
	case 4:
		return packet_ipv4_decode(rest, packet);
	case 6:
		return packet_ipv6_decode(rest, packet);
	default:
		return -EBADMSG;
	}
}

/* Four bytes of address family: in the order of the capturing host (DLT_NULL) or the network's
 * (DLT_LOOP), and with the number that this host's system gave to AF_INET6. */
static int decode_null(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;
	uint32_t family;

	if (!rest_skip(&rest, 4))
		return -EBADMSG;
	family = be32_at(header);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2: /* everywhere */
		return packet_ipv4_decode(rest, packet);
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return packet_ipv6_decode(rest, packet);
	default:
		return 0;
	}
}

static const struct link {
	int type;
	int (*decode)(struct rest rest, struct packet *packet);
} links[] = {
	{DLT_EN10MB, decode_ethernet},	{DLT_LINUX_SLL2, decode_sll2},
	{DLT_LINUX_SLL, decode_sll},	{DLT_RAW, decode_raw},
	{DLT_IPV4, packet_ipv4_decode}, {DLT_IPV6, packet_ipv6_decode},
	{DLT_NULL, decode_null},	{DLT_LOOP, decode_null},
};

static const struct link *find_link(int link_type)
{
	for (size_t i = 0; i < array_length(links); i++)
		if (links[i].type == link_type)
			return &links[i];
	return NULL;
}

bool packet_link_type_is_supported(int link_type)
{
	return find_link(link_type) != NULL;
}

int packet_decode(int link_type, const uint8_t *frame, size_t captured_size, size_t wire_size,
		  struct packet *ret_packet)
{
	const struct link *link = find_link(link_type);
	struct rest rest = {
		.at = frame,
		.captured = captured_size,
		.wire = wire_size > captured_size ? wire_size : captured_size,
	};

	if (!link)
		return -EPROTONOSUPPORT;
	memset(ret_packet, 0, sizeof(*ret_packet));
	return link->decode(rest, ret_packet);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include <netinet/if_ether.h>

#include "base/bytes.h"
#include "observe/network/packet_layers.h"

/* More tags than this are nobody's network. */
#define VLAN_DEPTH_MAX 4
#define VLAN_ID_MASK   0x0fff

/* Before 802.1ad this number was common for the outer tag. */
#define ETHERTYPE_QINQ_OLD 0x9100

/* RFC 1661 section 2 and the PPP numbers at IANA */
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057

static int decode_arp(struct rest rest, struct packet *packet)
{
	size_t size;

	if (rest.captured < 8)
		return -EBADMSG;
	/* RFC 826: two hardware and two protocol addresses behind eight bytes */
	size = 8 + 2 * ((size_t)rest.at[4] + rest.at[5]);
	if (rest.captured < size)
		return -EBADMSG;
	rest_set_wire(&rest, size);
	packet->kind = PACKET_ARP;
	rest_to_payload(&rest, packet);
	return 0;
}

/* RFC 2516 section 4, then the PPP protocol field, which may be one byte (RFC 1661 section 6.5). */
static int decode_pppoe_session(struct rest rest, struct packet *packet)
{
	const uint8_t *header = rest.at;
	uint16_t protocol;
	size_t size;

	if (!rest_skip(&rest, 6))
		return -EBADMSG;
	if (header[0] != 0x11 || header[1] != 0)
		return -EBADMSG;
	size = be16_at(header + 4);
	rest_set_wire(&rest, size);
	if (rest.captured == 0)
		return -EBADMSG;
	protocol = rest.at[0];
	if ((protocol & 1) == 0) {
		if (rest.captured < 2)
			return -EBADMSG;
		protocol = be16_at(rest.at);
		rest_skip(&rest, 2);
	} else {
		rest_skip(&rest, 1);
	}
	switch (protocol) {
	case PPP_IPV4:
		return packet_ipv4_decode(rest, packet);
	case PPP_IPV6:
		return packet_ipv6_decode(rest, packet);
	default:
		return 0;
	}
}

static int take_vlan_tag(struct rest *rest, uint16_t *ret_ethertype, struct packet *packet)
{
	const uint8_t *tag = rest->at;

	if (!rest_skip(rest, 4))
		return -EBADMSG;
	/* id 0 is a priority alone, IEEE 802.1Q section 9.6 */
	if (be16_at(tag) & VLAN_ID_MASK)
		packet->vlan = be16_at(tag) & VLAN_ID_MASK;
	*ret_ethertype = be16_at(tag + 2);
	return 0;
}

int packet_ethertype_decode(uint16_t ethertype, struct rest rest, struct packet *packet)
{
	unsigned int depth = 0;

	while (ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD ||
	       ethertype == ETHERTYPE_QINQ_OLD) {
		if (++depth > VLAN_DEPTH_MAX || take_vlan_tag(&rest, &ethertype, packet) < 0)
			return -EBADMSG;
	}
	switch (ethertype) {
	case ETH_P_IP:
		return packet_ipv4_decode(rest, packet);
	case ETH_P_IPV6:
		return packet_ipv6_decode(rest, packet);
	case ETH_P_ARP:
		return decode_arp(rest, packet);
	case ETH_P_PPP_SES:
		return decode_pppoe_session(rest, packet);
	default:
		/* numbers below 0x0600 are 802.3 lengths */
		return 0;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_PACKET_H
#define OBSERVE_NETWORK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * One captured frame, taken apart. Nothing is copied: payload points into the frame. Every length
 * that the frame claims is checked against what was captured.
 */
enum packet_kind {
	PACKET_IGNORED, /* a well-formed frame of no interest (LLDP, EAPOL, 802.2, …) */
	PACKET_ARP,
	PACKET_IP, /* transport header decoded as far as fields below say */
};

/* Where a cooked capture (SLL, SLL2) says the frame was going; linux/if_packet.h PACKET_*. */
enum packet_direction {
	PACKET_DIRECTION_UNKNOWN, /* Ethernet and raw IP do not say */
	PACKET_TO_US,
	PACKET_TO_BROADCAST, /* link-layer broadcast or multicast */
	PACKET_TO_OTHER,
	PACKET_FROM_US,
};

struct packet {
	enum packet_kind kind;
	enum packet_direction direction;
	bool has_source_mac;
	bool has_destination_mac;
	struct mac_address source_mac;
	struct mac_address destination_mac;
	uint16_t vlan;		  /* innermost VLAN id, 0: untagged */
	uint32_t interface_index; /* SLL2, else 0 */
	bool loopback;		  /* captured on lo: addresses of this host talking to themselves */

	struct ip_address source;
	struct ip_address destination;
	uint8_t protocol; /* IPPROTO_*, behind all extension headers */
	uint8_t ttl;
	bool fragment;		  /* part of a fragmented datagram */
	bool fragment_follows;	  /* more fragments come */
	uint16_t fragment_offset; /* in bytes; non-zero: no transport header here */
	uint32_t fragment_id;

	bool has_ports;
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t tcp_flags; /* TH_* of netinet/tcp.h */
	uint32_t tcp_sequence;
	uint8_t icmp_type; /* ICMP and ICMPv6 */
	uint8_t icmp_code;
	bool sctp_init;	    /* the first chunk is INIT (1) */
	bool sctp_init_ack; /* the first chunk is INIT ACK (2) */

	const uint8_t *payload; /* behind the transport header; of ICMP, behind its four bytes; of
				   an unknown protocol or a later fragment, behind the IP headers;
				   of ARP the whole ARP packet */
	size_t payload_size;	/* what was captured of it */
	size_t payload_missing; /* bytes that were on the wire and not in the capture */
};

/* link_type: DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_IPV4, DLT_IPV6, DLT_NULL,
 * DLT_LOOP. VLAN tags and PPPoE sessions inside Ethernet are looked into.
 * captured_size below wire_size is normal: what is there is decoded, payload_missing says the rest,
 * and TCP options that were cut off count as such a rest too. An IP length of 0 (segmentation
 * offload) means all there is; one beyond the frame is believed, the difference is missing.
 * Returns 0, or -EBADMSG for a frame that is cut inside a header or contradicts itself;
 * -EPROTONOSUPPORT for another link type. *ret_packet is undefined after an error. */
int packet_decode(int link_type, const uint8_t *frame, size_t captured_size, size_t wire_size,
		  struct packet *ret_packet);

bool packet_link_type_is_supported(int link_type);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_CAPTURE_FILTER_H
#define OBSERVE_NETWORK_CAPTURE_FILTER_H

/*
 * Which packets are worth a look, in libpcap's language (pcap-filter(7)); compiled for each link
 * type, in the kernel for interfaces. Everything passes except TCP data in the middle of a
 * connection, which is nearly all traffic and says nothing new.
 *
 * Of TCP these pass: what opens and ends connections; DNS; data that begins like a TLS handshake
 * record (RFC 8446 section 5.1: type 22, major version 3); and, because a ClientHello with
 * post-quantum keys takes two segments, short last ones (PSH) to the ports that have TLS.
 *
 * What only looks like the middle of a connection also passes, for the decoder to judge: fragments,
 * IPv6 with extension headers, frames whose VLAN tag or PPPoE header is in the data (a tag that the
 * network card took off is not seen by these offsets, and the frame is judged by what is inside).
 *
 * tcp[] means IPv4 only, so IPv6 is spelled out: 6 is the next header, 40 to 59 the TCP header. A
 * test beyond the packet's end fails the whole expression: the two that can be come last.
 */
#define CAPTURE_FILTER                                                                             \
	"arp or ether proto 0x8100 or ether proto 0x88a8 or ether proto 0x9100"                    \
	" or ether proto 0x8864"                                                                   \
	" or (ip and not ip proto 6) or (ip[6:2] & 0x3fff != 0) or (ip6 and ip6[6] != 6)"          \
	" or (ip proto 6 and (tcp[13] & 7 != 0 or tcp port 53"                                     \
	"  or (tcp[13] & 8 != 0 and ip[2:2] < 1400 and " CAPTURE_TLS_PORTS(                        \
		"tcp[2:2]") ")"                                                                    \
			    "  or tcp[(tcp[12] & 0xf0) >> 2:2] = 0x1603))"                         \
			    " or (ip6 and ip6[6] = 6 and (ip6[53] & 7 != 0 or ip6[40:2] = 53 or "  \
			    "ip6[42:2] = 53"                                                       \
			    "  or (ip6[53] & 8 != 0 and ip6[4:2] < 1360 and " CAPTURE_TLS_PORTS(   \
				    "ip6[42:2]") ")"                                               \
						 "  or ip6[40 + ((ip6[52] & 0xf0) >> 2):2] = "     \
						 "0x1603))"

/* HTTPS, SMTP, DNS, IMAP and POP over TLS, MQTT over TLS, and what HTTPS uses second */
#define CAPTURE_TLS_PORTS(port)                                                                    \
	"(" port " = 443 or " port " = 465 or " port " = 853 or " port " = 993 or " port           \
	" = 995 or " port " = 8443 or " port " = 8883)"

#endif

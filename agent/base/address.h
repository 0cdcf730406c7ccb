/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IPv4 or IPv6 address in network byte order; family 4 or 6, or 0 for "none". IPv4 uses the
 * first four bytes and the rest is zero, so that whole structures compare with memcmp. */
struct ip_address {
	uint8_t family;
	uint8_t bytes[16];
};

struct mac_address {
	uint8_t bytes[6];
};

/* What kind of place an address is, from the address alone. */
enum address_scope {
	ADDRESS_UNSPECIFIED, /* 0.0.0.0, :: */
	ADDRESS_LOOPBACK,    /* 127.0.0.0/8, ::1 */
	ADDRESS_LINK_LOCAL,  /* 169.254.0.0/16 (RFC 3927), fe80::/10 */
	ADDRESS_PRIVATE,     /* RFC 1918, RFC 6598 (100.64.0.0/10), RFC 4193 (fc00::/7) */
	ADDRESS_MULTICAST,   /* 224.0.0.0/4, ff00::/8 */
	ADDRESS_BROADCAST,   /* 255.255.255.255; a subnet's own broadcast can't be told from here */
	ADDRESS_PUBLIC,
};

#define IP_TEXT_SIZE  48
#define MAC_TEXT_SIZE 18

struct ip_address ip_from_ipv4(const void *four_bytes);
struct ip_address ip_from_ipv6(const void *sixteen_bytes); /* ::ffff:a.b.c.d becomes IPv4 */
bool ip_equal(const struct ip_address *a, const struct ip_address *b);
int ip_compare(const struct ip_address *a, const struct ip_address *b);
bool ip_in_prefix(const struct ip_address *address, const struct ip_address *prefix,
		  unsigned int length);
enum address_scope ip_scope(const struct ip_address *address);
bool ip_is_local_network(const struct ip_address *address); /* private or link-local unicast */

/* All prefixes of which ip_scope() says anything but ADDRESS_PUBLIC; none overlaps another. */
struct ip_scope_prefix {
	struct ip_address prefix;
	unsigned int length;
	enum address_scope scope;
};
const struct ip_scope_prefix *ip_scope_prefixes(size_t *ret_count);

void ip_format(const struct ip_address *address, char text[IP_TEXT_SIZE]);

/* Returns 0 or -EINVAL. */
int ip_parse(const char *text, struct ip_address *ret_address);

/* "192.0.2.0/24", or without "/" the whole address. Bits beyond the prefix must be zero. */
int ip_parse_prefix(const char *text, struct ip_address *ret_address, unsigned int *ret_length);

bool mac_is_zero(const struct mac_address *mac);
bool mac_equal(const struct mac_address *a, const struct mac_address *b);
bool mac_is_multicast(const struct mac_address *mac); /* broadcast included */
void mac_format(const struct mac_address *mac, char text[MAC_TEXT_SIZE]);

/* "94:10:3e:35:01:c1", either case, ':' or '-' between. Returns 0 or -EINVAL. */
int mac_parse(const char *text, struct mac_address *ret_mac);

#endif

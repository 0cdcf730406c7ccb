/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct ip_address ip_from_ipv4(const void *four_bytes)
{
	struct ip_address address = {.family = 4};

	memcpy(address.bytes, four_bytes, 4);
	return address;
}

struct ip_address ip_from_ipv6(const void *sixteen_bytes)
{
	struct ip_address address = {.family = 6};

	if (memcmp(sixteen_bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
		return ip_from_ipv4((const uint8_t *)sixteen_bytes + 12);
	memcpy(address.bytes, sixteen_bytes, 16);
	return address;
}

int ip_compare(const struct ip_address *a, const struct ip_address *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
	return ip_compare(a, b) == 0;
}

bool ip_in_prefix(const struct ip_address *address, const struct ip_address *prefix,
		  unsigned int length)
{
	unsigned int whole = length / 8;
	unsigned int rest = length % 8;

	if (address->family != prefix->family || length > (address->family == 4 ? 32 : 128))
		return false;
	if (memcmp(address->bytes, prefix->bytes, whole) != 0)
		return false;
	return rest == 0 || ((address->bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest)) == 0;
}

static const struct ip_scope_prefix scopes[] = {
	{{4, {0, 0, 0, 0}}, 32, ADDRESS_UNSPECIFIED},
	{{4, {127}}, 8, ADDRESS_LOOPBACK},
	{{4, {169, 254}}, 16, ADDRESS_LINK_LOCAL},
	{{4, {10}}, 8, ADDRESS_PRIVATE},
	{{4, {172, 16}}, 12, ADDRESS_PRIVATE},
	{{4, {192, 168}}, 16, ADDRESS_PRIVATE},
	{{4, {100, 64}}, 10, ADDRESS_PRIVATE},
	{{4, {224}}, 4, ADDRESS_MULTICAST},
	{{4, {255, 255, 255, 255}}, 32, ADDRESS_BROADCAST},
	{{6, {0}}, 128, ADDRESS_UNSPECIFIED},
	{{6, {[15] = 1}}, 128, ADDRESS_LOOPBACK},
	{{6, {0xfe, 0x80}}, 10, ADDRESS_LINK_LOCAL},
	{{6, {0xfc}}, 7, ADDRESS_PRIVATE},
	{{6, {0xff}}, 8, ADDRESS_MULTICAST},
};

enum address_scope ip_scope(const struct ip_address *address)
{
	if (address->family == 0)
		return ADDRESS_UNSPECIFIED;
	for (size_t i = 0; i < array_length(scopes); i++)
		if (ip_in_prefix(address, &scopes[i].prefix, scopes[i].length))
			return scopes[i].scope;
	return ADDRESS_PUBLIC;
}

const struct ip_scope_prefix *ip_scope_prefixes(size_t *ret_count)
{
	*ret_count = array_length(scopes);
	return scopes;
}

bool ip_is_local_network(const struct ip_address *address)
{
	enum address_scope scope = ip_scope(address);

	return scope == ADDRESS_PRIVATE || scope == ADDRESS_LINK_LOCAL;
}

void ip_format(const struct ip_address *address, char text[IP_TEXT_SIZE])
{
	if (address->family == 0 || !inet_ntop(address->family == 4 ? AF_INET : AF_INET6,
					       address->bytes, text, IP_TEXT_SIZE))
		(void)snprintf(text, IP_TEXT_SIZE, "none");
}

int ip_parse(const char *text, struct ip_address *ret_address)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret_address = ip_from_ipv4(bytes);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		*ret_address = ip_from_ipv6(bytes);
		return 0;
	}
	return -EINVAL;
}

int ip_parse_prefix(const char *text, struct ip_address *ret_address, unsigned int *ret_length)
{
	const char *slash = strchr(text, '/');
	char copy[IP_TEXT_SIZE];
	struct ip_address address;
	uint64_t length;
	unsigned int bits;

	if (slash) {
		if ((size_t)(slash - text) >= sizeof(copy))
			return -EINVAL;
		memcpy(copy, text, (size_t)(slash - text));
		copy[slash - text] = '\0';
		text = copy;
	}
	if (ip_parse(text, &address) < 0)
		return -EINVAL;
	bits = address.family == 4 ? 32 : 128;
	length = bits;
	if (slash && number_parse(slash + 1, bits, &length) < 0)
		return -EINVAL;
	for (unsigned int bit = (unsigned int)length; bit < bits; bit++)
		if (address.bytes[bit / 8] & (0x80 >> bit % 8))
			return -EINVAL;
	*ret_address = address;
	*ret_length = (unsigned int)length;
	return 0;
}

bool mac_equal(const struct mac_address *a, const struct mac_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool mac_is_zero(const struct mac_address *mac)
{
	static const struct mac_address zero;

	return mac_equal(mac, &zero);
}

bool mac_is_multicast(const struct mac_address *mac)
{
	return mac->bytes[0] & 1;
}

void mac_format(const struct mac_address *mac, char text[MAC_TEXT_SIZE])
{
	(void)snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac->bytes[0],
		       mac->bytes[1], mac->bytes[2], mac->bytes[3], mac->bytes[4], mac->bytes[5]);
}

int mac_parse(const char *text, struct mac_address *ret_mac)
{
	struct mac_address mac;

	if (strlen(text) != MAC_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(mac.bytes); i++) {
		char digits[3] = {text[3 * i], text[3 * i + 1], '\0'};

		if (i < 5 && text[3 * i + 2] != ':' && text[3 * i + 2] != '-')
			return -EINVAL;
		if (hex_decode(digits, &mac.bytes[i], 1) < 0)
			return -EINVAL;
	}
	*ret_mac = mac;
	return 0;
}

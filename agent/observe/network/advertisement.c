/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/advertisement.h"

#include <errno.h>
#include <string.h>

enum {
	OFFSET_LIFETIME = 2,
	OFFSET_OPTIONS = 12,
	OPTION_RDNSS = 25, /* RFC 8106, 5.1 */
	RDNSS_OFFSET_LIFETIME = 4,
	RDNSS_OFFSET_ADDRESSES = 8,
	IPV6_SIZE = 16,
};

static void read_resolvers(const uint8_t *option, size_t size,
			   struct router_advertisement *advertisement)
{
	static const uint8_t withdrawn[4];

	if (memcmp(option + RDNSS_OFFSET_LIFETIME, withdrawn, sizeof(withdrawn)) == 0)
		return;
	for (size_t at = RDNSS_OFFSET_ADDRESSES; size - at >= IPV6_SIZE; at += IPV6_SIZE)
		if (advertisement->resolver_count < ADVERTISEMENT_RESOLVERS_MAX)
			advertisement->resolvers[advertisement->resolver_count++] =
				ip_from_ipv6(option + at);
}

int router_advertisement_parse(const uint8_t *bytes, size_t size,
			       struct router_advertisement *ret_advertisement)
{
	struct router_advertisement advertisement = {0};
	size_t at = OFFSET_OPTIONS;

	if (size < OFFSET_OPTIONS)
		return -EBADMSG;
	advertisement.is_default_router = bytes[OFFSET_LIFETIME] || bytes[OFFSET_LIFETIME + 1];
	while (at < size) {
		size_t length;

		if (size - at < 2)
			return -EBADMSG;
		length = (size_t)bytes[at + 1] * 8; /* RFC 4861, 4.6 */
		if (length == 0 || length > size - at)
			return -EBADMSG;
		if (bytes[at] == OPTION_RDNSS)
			read_resolvers(bytes + at, length, &advertisement);
		at += length;
	}
	*ret_advertisement = advertisement;
	return 0;
}

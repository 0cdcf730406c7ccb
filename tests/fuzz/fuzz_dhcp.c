/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>

#include "observe/network/advertisement.h"
#include "observe/network/dhcp.h"

/* The input: a DHCP message; and the same bytes as a router advertisement. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct dhcp_message message;
	struct router_advertisement advertisement;
	int error = dhcp_message_parse(bytes, size, &message);

	fuzz_require(error == 0 || error == -EBADMSG);
	if (error == 0) {
		fuzz_require(message.type != 0);
		fuzz_require(message.router_count <= DHCP_ADDRESSES_MAX);
		fuzz_require(message.resolver_count <= DHCP_ADDRESSES_MAX);
	}
	error = router_advertisement_parse(bytes, size, &advertisement);
	fuzz_require(error == 0 || error == -EBADMSG);
	if (error == 0)
		fuzz_require(advertisement.resolver_count <= ADVERTISEMENT_RESOLVERS_MAX);
	return 0;
}

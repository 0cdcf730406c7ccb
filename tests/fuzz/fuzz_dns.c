/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>

#include "base/hostname.h"
#include "observe/network/dns_message.h"
#include "observe/network/dns_service.h"

/* The data of an SVCB record alone too: in a message little of it would be reached. */
static void fuzz_service(const uint8_t *bytes, size_t size)
{
	struct dns_service service;

	if (dns_service_parse(bytes, size, &service) < 0)
		return;
	fuzz_require(service.ipv4_size % 4 == 0 && service.ipv4_size <= size);
	fuzz_require(service.ipv6_size % 16 == 0 && service.ipv6_size <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct dns_message message;
	int error = dns_message_parse(bytes, size, &message);

	fuzz_service(bytes, size);
	fuzz_require(error == 0 || error == -EBADMSG || error == -ENOMSG);
	if (error < 0)
		return 0;
	fuzz_require(hostname_is_valid(message.question));
	fuzz_require(message.address_count <= DNS_ADDRESSES_MAX);
	fuzz_require(message.is_response || message.address_count == 0);
	for (size_t i = 0; i < message.address_count; i++) {
		const struct dns_address *address = &message.addresses[i];

		fuzz_require(address->address.family == 4 || address->address.family == 6);
		fuzz_require(address->ttl_s <= INT32_MAX);
		for (size_t k = 0; k < i; k++)
			fuzz_require(!ip_equal(&message.addresses[k].address, &address->address));
	}
	return 0;
}

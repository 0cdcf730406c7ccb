/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/checksum.h"

#include "base/bytes.h"

/* Words of the largest packet fit without a carry. */
static uint32_t sum(uint32_t sum, const uint8_t *bytes, size_t size)
{
	size_t at;

	for (at = 0; at + 1 < size; at += 2)
		sum += be16_at(bytes + at);
	if (at < size)
		sum += (uint32_t)bytes[at] << 8;
	return sum;
}

static uint16_t finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t checksum_of(const uint8_t *bytes, size_t size)
{
	return finish(sum(0, bytes, size));
}

uint16_t checksum_of_transport(const struct ip_address *source,
			       const struct ip_address *destination, uint8_t protocol,
			       const uint8_t *bytes, size_t size)
{
	size_t address_size = source->family == 4 ? 4 : 16;
	/* the length may take both of its words */
	uint32_t total = protocol + (uint32_t)(size & 0xffff) + (uint32_t)(size >> 16);

	total = sum(total, source->bytes, address_size);
	total = sum(total, destination->bytes, address_size);
	return finish(sum(total, bytes, size));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include "base/clock.h"
#include "base/hostname.h"
#include "gate/name_addresses.h"

#define NOW_NS (1000 * NS_PER_S)

struct seen {
	size_t count;
};

static void see(void *context, const char *name, const struct ip_address *address, uint32_t left_s)
{
	struct seen *seen = context;
	char text[IP_TEXT_SIZE];

	fuzz_require(hostname_is_valid(name));
	fuzz_require(address->family == 4 || address->family == 6);
	fuzz_require(ip_scope(address) != ADDRESS_LOOPBACK);
	fuzz_require(left_s == 3600);
	ip_format(address, text);
	fuzz_require(text[0] != '\0');
	seen->count++;
}

/* The input: the state file of names' last addresses. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct name_times times = NAME_TIMES_DEFAULT;
	struct name_addresses *names;
	struct seen seen = {0};
	size_t damaged;

	fuzz_require(name_addresses_new(&times, &names) == 0);
	fuzz_require(name_addresses_parse(names, (const char *)bytes, size, NOW_NS, &damaged) == 0);
	name_addresses_each(names, NOW_NS, see, &seen);
	fuzz_require(seen.count == name_addresses_count(names));
	fuzz_require(seen.count + damaged <= size);
	name_addresses_free(names);
	return 0;
}

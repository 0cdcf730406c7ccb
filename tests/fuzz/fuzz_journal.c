/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/crc32.h"
#include "learn/build.h"
#include "learn/journal.h"
#include "learn/journal_format.h"

/* What was loaded has to be good for a profile, however odd. */
static void build(struct state *state)
{
	struct build build = {
		.state = state,
		.profile = profile_new(),
		.entries = json_object(),
		.addresses = json_object(),
		.roles = json_object(),
	};
	struct mac_address *stations = NULL;
	size_t count = 0;

	fuzz_require(build.profile && build.entries && build.addresses && build.roles);
	fuzz_require(build_host(&build) == 0);
	fuzz_require(build_stations(state, &stations, &count) == 0);
	for (size_t i = 0; i < count && i < 2; i++)
		fuzz_require(build_network(&build, &stations[i], "", &build.profile->network) == 0);
	profile_canonicalise(build.profile);
	free(stations);
	profile_free(build.profile);
	json_decref(build.entries);
	json_decref(build.addresses);
	json_decref(build.roles);
}

static void replay(const void *bytes, size_t size)
{
	struct error error = {0};
	struct state *state;
	size_t good = 0;
	int result;

	fuzz_require(state_new(&state) == 0);
	result = journal_replay("journal", bytes, size, state, &good, &error);
	fuzz_require(result == 0 || (result == -EINVAL && error.message[0]));
	fuzz_require(result < 0 || good <= size);
	/* what is held is no more than what was read */
	fuzz_require(state_bytes(state) <= size);
	if (result == 0)
		build(state);
	state_free(state);
}

/* The bytes as the entries of one batch, with the checksum that a fuzzer would not find. */
static void replay_as_entries(const uint8_t *bytes, size_t size)
{
	struct journal_header file = journal_header_make();
	struct batch_header batch = {
		.magic = BATCH_MAGIC, .size = (uint32_t)size, .flags = BATCH_ENDS_COMMIT};
	uint8_t *whole = malloc(sizeof(file) + sizeof(batch) + size);

	fuzz_require(whole);
	batch.checksum = crc32_update(crc32_update(0, &batch, sizeof(batch)), bytes, size);
	memcpy(whole, &file, sizeof(file));
	memcpy(whole + sizeof(file), &batch, sizeof(batch));
	if (size)
		memcpy(whole + sizeof(file) + sizeof(batch), bytes, size);
	replay(whole, sizeof(file) + sizeof(batch) + size);
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	replay(bytes, size);
	if (size <= BATCH_SIZE_LIMIT)
		replay_as_entries(bytes, size);
	return 0;
}

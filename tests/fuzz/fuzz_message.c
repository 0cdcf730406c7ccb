/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/hostname.h"
#include "observe/network/message.h"

static void require_address(const struct ip_address *address)
{
	fuzz_require(address->family == 0 || address->family == 4 || address->family == 6);
	for (size_t i = address->family == 6   ? 16
			: address->family == 4 ? 4
					       : 0;
	     i < sizeof(address->bytes); i++)
		fuzz_require(address->bytes[i] == 0);
}

static void require_flow(const struct observed_flow *flow)
{
	require_address(&flow->local);
	require_address(&flow->remote);
	fuzz_require(flow->local.family != 0 && flow->local.family == flow->remote.family);
	fuzz_require(flow->id != 0 && flow->id >> FLOW_ID_BITS == 0);
	fuzz_require(flow->name_source <= NAME_FROM_QUIC);
	fuzz_require(memchr(flow->name, '\0', sizeof(flow->name)));
	fuzz_require(flow->name_source == NAME_FROM_NONE ? !flow->name[0]
							 : hostname_is_valid(flow->name));
}

static void require_observation(const struct observation *observation)
{
	switch (observation->kind) {
	case OBSERVATION_START:
	case OBSERVATION_CONNECTION:
		require_flow(&observation->flow);
		break;
	case OBSERVATION_SERVICE:
		require_address(&observation->service.local);
		require_address(&observation->service.remote);
		break;
	case OBSERVATION_NAME:
		require_address(&observation->name.address);
		fuzz_require(hostname_is_valid(observation->name.name));
		break;
	case OBSERVATION_ROLE:
		require_address(&observation->role.address);
		fuzz_require(observation->role.role <= PEER_ROLE_BROADCAST);
		break;
	case OBSERVATION_CAPTURE:
		fuzz_require(observation->capture.undecoded <= observation->capture.packets);
		break;
	default:
		fuzz_require(false);
	}
}

/* One byte for how many interfaces there are, then reports one behind the other, as a compromised
 * inspector might send them. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct message_checker checker = {.interface_count = size ? bytes[0] % 3 : 0};

	for (size_t at = 1; at < size && size - at >= sizeof(struct report);
	     at += sizeof(struct report)) {
		struct message_checker again = {.interface_count = checker.interface_count};
		struct report report;
		struct report same;
		int result = message_check(&checker, bytes + at, &report);

		fuzz_require(result == 0 || result == -EBADMSG);
		if (result < 0)
			break;
		if (report.kind == REPORT_OBSERVATION)
			require_observation(&report.observation);
		/* What passed is honest by itself, and comes out as it went in. */
		fuzz_require(message_check(&again, &report, &same) == 0);
		fuzz_require(memcmp(&report, &same, sizeof(report)) == 0);
	}
	return 0;
}

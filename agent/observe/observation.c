/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/observation.h"

#include <netinet/in.h>

/* ICMPv6: MLD 130-132 (RFC 2710), router and neighbour discovery 133-137 (RFC 4861), MLDv2 143
 * (RFC 3810). */
#define ICMPV6_STACK_FIRST 130
#define ICMPV6_STACK_LAST  137
#define ICMPV6_MLD2_REPORT 143

bool flow_is_stack(const struct observed_flow *flow)
{
	enum address_scope scope = ip_scope(&flow->remote);

	switch (flow->protocol) {
	case IPPROTO_IGMP:
		return scope == ADDRESS_MULTICAST;
	case IPPROTO_ICMPV6:
		return (scope == ADDRESS_MULTICAST || scope == ADDRESS_PRIVATE ||
			scope == ADDRESS_LINK_LOCAL) &&
		       ((flow->icmp_type >= ICMPV6_STACK_FIRST &&
			 flow->icmp_type <= ICMPV6_STACK_LAST) ||
			flow->icmp_type == ICMPV6_MLD2_REPORT);
	default:
		return false;
	}
}

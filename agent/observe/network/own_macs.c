/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/own_macs.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

size_t own_macs_read(struct mac_address *macs, size_t limit)
{
	struct ifaddrs *list;
	size_t count = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *at = list; at && count < limit; at = at->ifa_next) {
		const struct sockaddr_ll *link = (const void *)at->ifa_addr;

		if (!link || link->sll_family != AF_PACKET ||
		    link->sll_halen != sizeof(macs[count].bytes))
			continue;
		memcpy(macs[count].bytes, link->sll_addr, sizeof(macs[count].bytes));
		if (!mac_is_zero(&macs[count]))
			count++;
	}
	freeifaddrs(list);
	return count;
}

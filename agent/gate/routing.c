/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/routing.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "gate/netlink_dump.h"

/* A table that changes on the way is read again this often, and then taken as it is: the next
 * change is told anyway. */
#define READINGS_MAX 5

/* A shorter prefix is a mistake, or a router advertisement that wants to make half the Internet a
 * neighbour. */
#define IPV4_PREFIX_MIN	       8
#define IPV6_PREFIX_MIN	       48
#define IPV6_ROUTED_PREFIX_MIN 64

struct reading {
	struct routing routing;
	/* links with neighbours: not loopback, not from point to point, where the prefix is
	 * whatever the other end says */
	uint32_t *links;
	size_t link_count;
	size_t link_capacity;
	int failure;
};

static int compare_links(const void *a, const void *b)
{
	const uint32_t *left = a;
	const uint32_t *right = b;

	return (*left > *right) - (*left < *right);
}

static int compare_addresses(const void *a, const void *b)
{
	return ip_compare(a, b);
}

/* Wider ones first, of the same address. */
static int compare_prefixes(const void *a, const void *b)
{
	const struct rule_member *left = a;
	const struct rule_member *right = b;
	int order = ip_compare(&left->address, &right->address);

	return order ? order : (int)left->prefix_length - (int)right->prefix_length;
}

static bool has_neighbours(const struct reading *reading, uint32_t link)
{
	return reading->link_count > 0 &&
	       bsearch(&link, reading->links, reading->link_count, sizeof(link), compare_links);
}

/* The attributes behind a fixed header of that size, or false. */
static bool attributes_of(struct nlmsghdr *message, size_t header_size, struct nlattr **attributes,
			  int most)
{
	size_t offset = NLMSG_SPACE(header_size);

	return message->nlmsg_len >= offset &&
	       nla_parse(attributes, most, (struct nlattr *)((uint8_t *)message + offset),
			 (int)(message->nlmsg_len - offset), NULL) == 0;
}

/* Returns whether the attribute is there and an address of that family. */
static bool address_of(struct nlattr *attribute, uint8_t family, struct ip_address *ret_address)
{
	if (!attribute)
		return false;
	if (family == AF_INET && nla_len(attribute) == 4)
		*ret_address = ip_from_ipv4(nla_data(attribute));
	else if (family == AF_INET6 && nla_len(attribute) == 16)
		*ret_address = ip_from_ipv6(nla_data(attribute));
	else
		return false;
	return true;
}

static void on_link_message(void *context, struct nlmsghdr *message)
{
	struct reading *reading = context;
	const struct ifinfomsg *link = NLMSG_DATA(message);

	if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_SPACE(sizeof(*link)) ||
	    (link->ifi_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) ||
	    !(link->ifi_flags & IFF_BROADCAST) || reading->link_count == ROUTING_LINKS_MAX)
		return;
	if (array_reserve(&reading->links, &reading->link_capacity, reading->link_count,
			  sizeof(uint32_t)) < 0)
		reading->failure = -ENOMEM;
	else
		reading->links[reading->link_count++] = (uint32_t)link->ifi_index;
}

static void clear_bits_beyond(struct ip_address *address, unsigned int length)
{
	for (unsigned int i = 0; i < sizeof(address->bytes); i++) {
		unsigned int kept = length > i * 8 ? length - i * 8 : 0;

		if (kept < 8)
			address->bytes[i] &= (uint8_t)(0xff00 >> kept);
	}
}

static void add_prefix(struct reading *reading, const struct ip_address *address,
		       unsigned int length, unsigned int ipv6_least)
{
	struct routing *routing = &reading->routing;
	struct rule_member member = {.address = *address, .prefix_length = (uint8_t)length};
	bool v6 = address->family == 6;

	clear_bits_beyond(&member.address, length);
	if (length < (v6 ? ipv6_least : IPV4_PREFIX_MIN) || length >= (v6 ? 128 : 32) ||
	    ip_scope(&member.address) != ADDRESS_PUBLIC ||
	    routing->on_link_count == ROUTING_ON_LINK_MAX)
		return;
	if (array_reserve(&routing->on_link, &routing->on_link_capacity, routing->on_link_count,
			  sizeof(member)) < 0)
		reading->failure = -ENOMEM;
	else
		routing->on_link[routing->on_link_count++] = member;
}

static void on_address_message(void *context, struct nlmsghdr *message)
{
	struct reading *reading = context;
	struct routing *routing = &reading->routing;
	const struct ifaddrmsg *header = NLMSG_DATA(message);
	struct nlattr *attributes[IFA_MAX + 1];
	struct ip_address address, prefix;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    !attributes_of(message, sizeof(*header), attributes, IFA_MAX))
		return;
	/* IFA_ADDRESS is the other end's, with the prefix, where there are two */
	if (!address_of(attributes[IFA_ADDRESS], header->ifa_family, &prefix))
		return;
	if (!address_of(attributes[IFA_LOCAL], header->ifa_family, &address))
		address = prefix;
	if (routing->own_count == ROUTING_OWN_MAX)
		return;
	if (array_reserve(&routing->own, &routing->own_capacity, routing->own_count,
			  sizeof(address)) < 0) {
		reading->failure = -ENOMEM;
		return;
	}
	routing->own[routing->own_count++] = address;
	if (has_neighbours(reading, header->ifa_index))
		add_prefix(reading, &prefix, header->ifa_prefixlen, IPV6_PREFIX_MIN);
}

static void add_gateway(struct reading *reading, const struct ip_address *address)
{
	struct routing *routing = &reading->routing;

	if (routing->gateway_count == ROUTING_GATEWAYS_MAX)
		return;
	if (array_reserve(&routing->gateways, &routing->gateway_capacity, routing->gateway_count,
			  sizeof(*address)) < 0)
		reading->failure = -ENOMEM;
	else
		routing->gateways[routing->gateway_count++] = *address;
}

/* Of a route, or of one of its ways. RTA_VIA: the gateway has another family. */
static bool take_gateway(struct reading *reading, struct nlattr **attributes, uint8_t family)
{
	const struct rtvia *via = attributes[RTA_VIA] ? nla_data(attributes[RTA_VIA]) : NULL;
	struct ip_address address;

	if (address_of(attributes[RTA_GATEWAY], family, &address)) {
		add_gateway(reading, &address);
		return true;
	}
	if (!via || nla_len(attributes[RTA_VIA]) != sizeof(*via) + 16 ||
	    via->rtvia_family != AF_INET6)
		return false;
	address = ip_from_ipv6(via->rtvia_addr);
	add_gateway(reading, &address);
	return true;
}

static void take_ways(struct reading *reading, struct nlattr *ways, uint8_t family)
{
	int left = nla_len(ways);

	for (struct rtnexthop *way = nla_data(ways);
	     left >= (int)sizeof(*way) && RTNH_OK(way, left);
	     left -= (int)NLMSG_ALIGN(way->rtnh_len), way = RTNH_NEXT(way)) {
		struct nlattr *attributes[RTA_MAX + 1];

		if (nla_parse(attributes, RTA_MAX, (struct nlattr *)RTNH_DATA(way),
			      way->rtnh_len - (int)RTNH_LENGTH(0), NULL) == 0)
			(void)take_gateway(reading, attributes, family);
	}
}

static uint32_t table_of(const struct rtmsg *route, struct nlattr *attribute)
{
	return attribute && nla_len(attribute) == sizeof(uint32_t) ? nla_get_u32(attribute)
								   : route->rtm_table;
}

static bool is_automatic(const struct rtmsg *route)
{
	return route->rtm_protocol == RTPROT_KERNEL || route->rtm_protocol == RTPROT_RA;
}

static void on_route_message(void *context, struct nlmsghdr *message)
{
	struct reading *reading = context;
	const struct rtmsg *route = NLMSG_DATA(message);
	struct nlattr *attributes[RTA_MAX + 1];
	struct ip_address prefix;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !attributes_of(message, sizeof(*route), attributes, RTA_MAX) ||
	    table_of(route, attributes[RTA_TABLE]) != RT_TABLE_MAIN ||
	    route->rtm_type != RTN_UNICAST || (route->rtm_flags & RTM_F_CLONED))
		return;
	if (route->rtm_dst_len == 0) {
		if (!take_gateway(reading, attributes, route->rtm_family) &&
		    attributes[RTA_MULTIPATH])
			take_ways(reading, attributes[RTA_MULTIPATH], route->rtm_family);
		return;
	}
	/* what a router said is on the link, without giving out addresses of it (RFC 4861 section
	 * 4.6.2). Nothing that others route: a tunnel's routes have no gateway either */
	if (route->rtm_family == AF_INET6 && is_automatic(route) && !attributes[RTA_GATEWAY] &&
	    attributes[RTA_OIF] && nla_len(attributes[RTA_OIF]) == sizeof(uint32_t) &&
	    has_neighbours(reading, nla_get_u32(attributes[RTA_OIF])) &&
	    address_of(attributes[RTA_DST], AF_INET6, &prefix))
		add_prefix(reading, &prefix, route->rtm_dst_len, IPV6_ROUTED_PREFIX_MIN);
}

/* Sorted, equal ones once. Returns how many are left. */
static size_t unite(void *items, size_t count, size_t size,
		    int (*compare)(const void *, const void *))
{
	char *bytes = items;
	size_t kept = 0;

	if (count > 1)
		qsort(items, count, size, compare);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare(bytes + (kept - 1) * size, bytes + i * size) == 0)
			continue;
		memmove(bytes + kept++ * size, bytes + i * size, size);
	}
	return kept;
}

/* In order, whatever is within another stands behind it. */
static size_t drop_inner_prefixes(struct rule_member *members, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct rule_member *last = kept > 0 ? &members[kept - 1] : NULL;

		if (last && ip_in_prefix(&members[i].address, &last->address, last->prefix_length))
			continue;
		members[kept++] = members[i];
	}
	return kept;
}

static int dump(uint16_t type, const void *header, size_t size, netlink_message_fn each,
		struct reading *reading)
{
	_cleanup_(closep) int fd = netlink_open(NETLINK_ROUTE);
	int result = fd < 0 ? fd : netlink_dump(fd, type, header, size, each, reading);

	return result == 0 ? reading->failure : result;
}

/* The links first: what is on them depends on it. Returns 0 or negative errno; what was read up to
 * there is in the reading. */
static int read_once(struct reading *reading)
{
	const struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
	const struct ifaddrmsg addresses = {.ifa_family = AF_UNSPEC};
	const struct rtmsg routes = {.rtm_family = AF_UNSPEC};
	int of_links = dump(RTM_GETLINK, &links, sizeof(links), on_link_message, reading);
	int of_addresses;
	int of_routes;

	if (of_links < 0 && of_links != -EINTR)
		return of_links;
	reading->link_count =
		unite(reading->links, reading->link_count, sizeof(uint32_t), compare_links);
	of_addresses =
		dump(RTM_GETADDR, &addresses, sizeof(addresses), on_address_message, reading);
	if (of_addresses < 0 && of_addresses != -EINTR)
		return of_addresses;
	of_routes = dump(RTM_GETROUTE, &routes, sizeof(routes), on_route_message, reading);
	if (of_routes < 0)
		return of_routes;
	return of_addresses < 0 ? of_addresses : of_links;
}

static void free_reading(struct reading *reading)
{
	free(reading->links);
	routing_free(&reading->routing);
}

int routing_read(struct routing *ret_routing)
{
	struct reading reading = {0};
	struct routing *routing = &reading.routing;
	int result = -EINTR;

	for (int i = 0; i < READINGS_MAX && (result == -EINTR || result == -ENOBUFS); i++) {
		free_reading(&reading);
		reading = (struct reading){0};
		result = read_once(&reading);
	}
	if (result < 0 && result != -EINTR) {
		free_reading(&reading);
		return result;
	}
	routing->own_count =
		unite(routing->own, routing->own_count, sizeof(*routing->own), compare_addresses);
	routing->gateway_count = unite(routing->gateways, routing->gateway_count,
				       sizeof(*routing->gateways), compare_addresses);
	routing->on_link_count = unite(routing->on_link, routing->on_link_count,
				       sizeof(*routing->on_link), compare_prefixes);
	routing->on_link_count = drop_inner_prefixes(routing->on_link, routing->on_link_count);
	free(reading.links);
	*ret_routing = *routing;
	return 0;
}

void routing_free(struct routing *routing)
{
	free(routing->own);
	free(routing->gateways);
	free(routing->on_link);
	*routing = (struct routing){0};
}

int routing_watch(void)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	_cleanup_(closep) int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0)
		return -errno;
	return take_fd(&fd);
}

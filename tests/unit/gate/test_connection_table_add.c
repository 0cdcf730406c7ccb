/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>

#include "base/cleanup.h"
#include "gate/connection_table.h"
#include "gate/netlink_dump.h"
#include "own_network.h"

#define ENTRIES_MAX 8

static struct tracked_connection connection(const char *source, uint16_t source_port,
					    const char *destination, uint16_t destination_port)
{
	struct tracked_connection made = {
		.protocol = IPPROTO_TCP,
		.source_port = source_port,
		.destination_port = destination_port,
	};

	assert_int_equal(ip_parse(source, &made.source), 0);
	assert_int_equal(ip_parse(destination, &made.destination), 0);
	return made;
}

static int add(const struct tracked_connection *connections, size_t count)
{
	struct error error = {0};
	int result = connection_table_add(connections, count, &error);

	if (result < 0)
		fail_msg("%s", error.message);
	return result;
}

struct asked {
	struct tracked_connection connections[ENTRIES_MAX];
	size_t count;
};

static bool keep(void *context, const struct tracked_connection *connection)
{
	struct asked *asked = context;

	assert_true(asked->count < ENTRIES_MAX);
	asked->connections[asked->count++] = *connection;
	return true;
}

static bool refuse(void *context, const struct tracked_connection *connection)
{
	(void)context;
	(void)connection;
	return false;
}

static int empty_the_table(void **state)
{
	(void)state;
	assert_true(connection_table_prune(refuse, NULL, NULL) >= 0);
	return 0;
}

static void assert_begun_as(const struct tracked_connection *expected, size_t count)
{
	struct asked asked = {0};
	size_t found = 0;

	assert_int_equal(connection_table_prune(keep, &asked, NULL), 0);
	assert_int_equal(asked.count, count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			found += ip_equal(&asked.connections[i].source, &expected[j].source) &&
				 ip_equal(&asked.connections[i].destination,
					  &expected[j].destination) &&
				 asked.connections[i].source_port == expected[j].source_port &&
				 asked.connections[i].destination_port ==
					 expected[j].destination_port &&
				 asked.connections[i].protocol == expected[j].protocol;
	assert_int_equal(found, count);
}

static void assert_established(void *context, struct nlmsghdr *message)
{
	const size_t offset = NLMSG_SPACE(sizeof(struct nfgenmsg));
	const uint32_t status = IPS_SEEN_REPLY | IPS_ASSURED;
	struct nlattr *parts[CTA_MAX + 1];
	struct nlattr *info[CTA_PROTOINFO_MAX + 1];
	struct nlattr *tcp[CTA_PROTOINFO_TCP_MAX + 1];
	struct nf_ct_tcp_flags flags;
	size_t *count = context;

	assert_int_equal(nla_parse(parts, CTA_MAX, (struct nlattr *)((uint8_t *)message + offset),
				   (int)(message->nlmsg_len - offset), NULL),
			 0);
	assert_int_equal(ntohl(nla_get_u32(parts[CTA_STATUS])) & status, status);
	assert_true(ntohl(nla_get_u32(parts[CTA_TIMEOUT])) > 3600);
	assert_int_equal(nla_parse_nested(info, CTA_PROTOINFO_MAX, parts[CTA_PROTOINFO], NULL), 0);
	assert_int_equal(
		nla_parse_nested(tcp, CTA_PROTOINFO_TCP_MAX, info[CTA_PROTOINFO_TCP], NULL), 0);
	assert_int_equal(nla_get_u8(tcp[CTA_PROTOINFO_TCP_STATE]), TCP_CONNTRACK_ESTABLISHED);
	memcpy(&flags, nla_data(tcp[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL]), sizeof(flags));
	assert_true(flags.flags & IP_CT_TCP_FLAG_BE_LIBERAL);
	memcpy(&flags, nla_data(tcp[CTA_PROTOINFO_TCP_FLAGS_REPLY]), sizeof(flags));
	assert_true(flags.flags & IP_CT_TCP_FLAG_BE_LIBERAL);
	++*count;
}

static void they_are_established(void **state)
{
	const struct tracked_connection connections[] = {
		connection("192.0.2.7", 40000, "10.0.0.1", 8080),
		connection("2001:db8::1", 40001, "2001:db8::2", 443),
	};
	const struct nfgenmsg both = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	_cleanup_(closep) int fd = netlink_open(NETLINK_NETFILTER);
	size_t count = 0;

	(void)state;
	assert_int_equal(add(connections, array_length(connections)), 2);
	assert_begun_as(connections, array_length(connections));
	assert_int_equal(netlink_dump(fd, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, &both,
				      sizeof(both), assert_established, &count),
			 0);
	assert_int_equal(count, 2);
}

/* In whichever direction. */
static void what_is_there_stays(void **state)
{
	const struct tracked_connection before[] = {
		connection("192.0.2.7", 40000, "10.0.0.1", 8080),
		connection("2001:db8::1", 40001, "2001:db8::2", 443),
	};
	const struct tracked_connection after[] = {
		connection("10.0.0.1", 8080, "192.0.2.7", 40000),
		connection("2001:db8::1", 40001, "2001:db8::2", 443),
		connection("10.0.0.1", 8080, "192.0.2.7", 40001),
	};
	const struct tracked_connection all[] = {before[0], before[1], after[2]};

	(void)state;
	assert_int_equal(add(before, array_length(before)), 2);
	assert_int_equal(add(after, array_length(after)), 1);
	assert_begun_as(all, array_length(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(they_are_established, empty_the_table),
		cmocka_unit_test_teardown(what_is_there_stays, empty_the_table),
	};

	if (!own_network_enter())
		return 77;
	if (connection_table_prune(refuse, NULL, NULL) == -EOPNOTSUPP) {
		print_message("this kernel has no CONFIG_NF_CT_NETLINK\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

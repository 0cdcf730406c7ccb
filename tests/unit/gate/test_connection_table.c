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
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "gate/connection_table.h"
#include "gate/netlink_dump.h"
#include "own_network.h"

#define MANY 50000

/* One entry as the kernel would have made it, or as others made it. */
struct entry {
	const char *source;
	const char *destination;
	const char *answers_from; /* translated; NULL: the destination */
	uint8_t protocol;
	uint16_t source_port; /* ICMP: id */
	uint16_t destination_port;
	uint8_t icmp_type;
	uint16_t zone;	      /* of both directions */
	uint16_t zone_of_way; /* of the original direction alone */
};

static struct ip_address ip(const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_parse(text, &address), 0);
	return address;
}

static void put_be16(struct nl_msg *message, int type, uint16_t number)
{
	uint16_t be = htons(number);

	assert_int_equal(nla_put(message, type, sizeof(be), &be), 0);
}

static void put_icmp(struct nl_msg *message, const struct entry *entry, bool reply)
{
	bool v6 = entry->protocol == IPPROTO_ICMPV6;
	/* echo requests: ICMP 8 and 0, ICMPv6 128 and 129 */
	uint8_t type = reply ? (v6 ? 129 : 0) : entry->icmp_type;

	put_be16(message, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, entry->source_port);
	nla_put_u8(message, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, type);
	nla_put_u8(message, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, 0);
}

static void put_tuple(struct nl_msg *message, const struct entry *entry, bool reply)
{
	const char *far = reply && entry->answers_from ? entry->answers_from : entry->destination;
	struct ip_address near_ip = ip(entry->source);
	struct ip_address far_ip = ip(far);
	struct nlattr *tuple = nla_nest_start(message, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
	struct nlattr *part = nla_nest_start(message, CTA_TUPLE_IP);
	bool v6 = near_ip.family == 6;

	nla_put(message, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, v6 ? 16 : 4,
		reply ? far_ip.bytes : near_ip.bytes);
	nla_put(message, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, v6 ? 16 : 4,
		reply ? near_ip.bytes : far_ip.bytes);
	nla_nest_end(message, part);
	part = nla_nest_start(message, CTA_TUPLE_PROTO);
	nla_put_u8(message, CTA_PROTO_NUM, entry->protocol);
	if (entry->icmp_type) {
		put_icmp(message, entry, reply);
	} else {
		put_be16(message, CTA_PROTO_SRC_PORT,
			 reply ? entry->destination_port : entry->source_port);
		put_be16(message, CTA_PROTO_DST_PORT,
			 reply ? entry->source_port : entry->destination_port);
	}
	nla_nest_end(message, part);
	if (entry->zone_of_way && !reply)
		put_be16(message, CTA_TUPLE_ZONE, entry->zone_of_way);
	nla_nest_end(message, tuple);
}

static void on_made(void *context, int result)
{
	int *failed = context;

	if (result < 0)
		*failed = result;
}

static void make(int fd, const struct entry *entry)
{
	struct nfgenmsg general = {.nfgen_family =
					   ip(entry->source).family == 6 ? AF_INET6 : AF_INET};
	struct nl_msg *message =
		nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
				   NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	int failed = 0;

	nlmsg_append(message, &general, sizeof(general), NLMSG_ALIGNTO);
	put_tuple(message, entry, false);
	put_tuple(message, entry, true);
	if (entry->zone)
		put_be16(message, CTA_ZONE, entry->zone);
	nla_put_u32(message, CTA_TIMEOUT, htonl(300));
	assert_int_equal(netlink_order(fd, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len, 1,
				       on_made, &failed),
			 0);
	nlmsg_free(message);
	if (failed)
		fail_msg("cannot make %s to %s: %s", entry->source, entry->destination,
			 strerror(-failed));
}

static void make_all(const struct entry *entries, size_t count)
{
	_cleanup_(closep) int fd = netlink_open(NETLINK_NETFILTER);

	assert_true(fd >= 0);
	for (size_t i = 0; i < count; i++)
		make(fd, &entries[i]);
}

/* What keep() was asked, as "PROTOCOL SOURCE PORT DESTINATION PORT ICMP-TYPE;", and what it says.
 */
struct asked {
	char text[4000];
	size_t count;
	uint16_t refused_port; /* of the destination */
	bool refuse_all;
};

static bool keep(void *context, const struct tracked_connection *connection)
{
	struct asked *asked = context;
	char source[IP_TEXT_SIZE], destination[IP_TEXT_SIZE];
	size_t length = strlen(asked->text);

	asked->count++;
	ip_format(&connection->source, source);
	ip_format(&connection->destination, destination);
	(void)snprintf(asked->text + length, sizeof(asked->text) - length, "%u %s %u %s %u %u;",
		       connection->protocol, source, connection->source_port, destination,
		       connection->destination_port, connection->icmp_type);
	return !asked->refuse_all && connection->destination_port != asked->refused_port;
}

static int prune(struct asked *asked)
{
	struct error error = {0};
	int result = connection_table_prune(keep, asked, &error);

	if (result < 0)
		fail_msg("%s", error.message);
	return result;
}

static void assert_left(size_t count)
{
	struct asked asked = {.refused_port = 65535};

	assert_int_equal(prune(&asked), 0);
	assert_int_equal(asked.count, count);
}

static int empty_the_table(void **state)
{
	struct asked all = {.refuse_all = true};

	(void)state;
	(void)prune(&all);
	return 0;
}

static void each_is_asked_about_as_it_began(void **state)
{
	static const struct entry entries[] = {
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 53},
		{.source = "2001:db8::1",
		 .destination = "2001:db8::2",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4001,
		 .destination_port = 123},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.9",
		 .answers_from = "10.0.0.7",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4002,
		 .destination_port = 500},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_ICMP,
		 .source_port = 7,
		 .icmp_type = 8},
		{.source = "2001:db8::1",
		 .destination = "2001:db8::2",
		 .protocol = IPPROTO_ICMPV6,
		 .source_port = 7,
		 .icmp_type = 128},
	};
	static const char *const expected[] = {
		"17 10.0.0.1 4000 192.0.2.1 53 0;",    "17 2001:db8::1 4001 2001:db8::2 123 0;",
		"17 10.0.0.1 4002 192.0.2.9 500 0;",   "1 10.0.0.1 0 192.0.2.1 0 8;",
		"58 2001:db8::1 0 2001:db8::2 0 128;",
	};
	struct asked asked = {.refused_port = 65535};

	(void)state;
	make_all(entries, array_length(entries));
	assert_int_equal(prune(&asked), 0);
	assert_int_equal(asked.count, array_length(expected));
	for (size_t i = 0; i < array_length(expected); i++)
		if (!strstr(asked.text, expected[i]))
			fail_msg("%s not in %s", expected[i], asked.text);
	assert_left(array_length(expected));
}

static void those_that_are_refused_end_and_no_others(void **state)
{
	static const struct entry entries[] = {
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 53},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 99},
		{.source = "2001:db8::1",
		 .destination = "2001:db8::2",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 99},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.9",
		 .answers_from = "10.0.0.7",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4002,
		 .destination_port = 99},
	};
	struct asked asked = {.refused_port = 99};

	(void)state;
	make_all(entries, array_length(entries));
	assert_int_equal(prune(&asked), 3);
	asked = (struct asked){.refused_port = 99};
	assert_int_equal(prune(&asked), 0);
	assert_string_equal(asked.text, "17 10.0.0.1 4000 192.0.2.1 53 0;");
}

static void zones_are_told_apart(void **state)
{
	static const struct entry entries[] = {
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 99,
		 .zone = 7},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 99,
		 .zone_of_way = 9},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 53,
		 .zone = 7},
	};
	struct asked asked = {.refused_port = 99};

	(void)state;
	make_all(entries, array_length(entries));
	assert_int_equal(prune(&asked), 2);
	assert_left(1);
}

static void ends_meanwhile(void *context, int result)
{
	(void)context;
	assert_int_equal(result, 0);
}

/* Takes away all connections while it is asked about the first. */
static bool keep_nothing_that_is_there(void *context, const struct tracked_connection *connection)
{
	struct nfgenmsg general = {.nfgen_family = AF_UNSPEC};
	bool *flushed = context;
	struct nl_msg *message;
	int fd;

	(void)connection;
	if (*flushed)
		return false;
	*flushed = true;
	fd = netlink_open(NETLINK_NETFILTER);
	message = nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
				     NLM_F_REQUEST | NLM_F_ACK);
	nlmsg_append(message, &general, sizeof(general), NLMSG_ALIGNTO);
	assert_int_equal(netlink_order(fd, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len, 1,
				       ends_meanwhile, NULL),
			 0);
	nlmsg_free(message);
	closep(&fd);
	return false;
}

static void what_ends_meanwhile_is_no_error(void **state)
{
	static const struct entry entries[] = {
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4000,
		 .destination_port = 99},
		{.source = "10.0.0.1",
		 .destination = "192.0.2.1",
		 .protocol = IPPROTO_UDP,
		 .source_port = 4001,
		 .destination_port = 99},
	};
	bool flushed = false;
	struct error error = {0};

	(void)state;
	make_all(entries, array_length(entries));
	assert_int_equal(connection_table_prune(keep_nothing_that_is_there, &flushed, &error), 0);
	assert_true(flushed);
	assert_left(0);
}

static bool keep_even_ports(void *context, const struct tracked_connection *connection)
{
	unsigned int *asked = context;

	++*asked;
	return connection->source_port % 2 == 0;
}

static void a_full_table_is_no_problem(void **state)
{
	_cleanup_(closep) int fd = netlink_open(NETLINK_NETFILTER);
	struct error error = {0};
	uint64_t began_ns, took_ns;
	unsigned int asked = 0;
	int deleted;

	(void)state;
	for (unsigned int i = 0; i < MANY; i++) {
		struct entry entry = {.source = i % 3 ? "10.0.0.1" : "2001:db8::1",
				      .destination = i % 3 ? "192.0.2.1" : "2001:db8::2",
				      .protocol = IPPROTO_UDP,
				      .source_port = (uint16_t)(1024 + i % 60000),
				      .destination_port = 99};

		make(fd, &entry);
	}
	began_ns = clock_monotonic_ns();
	deleted = connection_table_prune(keep_even_ports, &asked, &error);
	took_ns = clock_monotonic_ns() - began_ns;
	print_message("%d of %u connections ended in %lu ms\n", deleted, MANY,
		      (unsigned long)(took_ns / NS_PER_MS));
	assert_int_equal(deleted, MANY / 2);
	assert_true(asked >= MANY);
	assert_true(took_ns < 5 * NS_PER_S);
	asked = 0;
	assert_int_equal(connection_table_prune(keep_even_ports, &asked, &error), 0);
	assert_int_equal(asked, MANY / 2);
}

/* In a child: privileges do not come back. */
static void without_privileges_it_says_so(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct asked asked = {0};
		struct error error = {0};

		if (setuid(65534) < 0)
			_exit(1);
		_exit(connection_table_prune(keep, &asked, &error) == -EPERM &&
				      strstr(error.message, "CAP_NET_ADMIN")
			      ? 0
			      : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_is_asked_about_as_it_began, empty_the_table),
		cmocka_unit_test_teardown(those_that_are_refused_end_and_no_others,
					  empty_the_table),
		cmocka_unit_test_teardown(zones_are_told_apart, empty_the_table),
		cmocka_unit_test_teardown(what_ends_meanwhile_is_no_error, empty_the_table),
		cmocka_unit_test_teardown(a_full_table_is_no_problem, empty_the_table),
		cmocka_unit_test(without_privileges_it_says_so),
	};
	struct asked none = {.refused_port = 65535};

	if (!own_network_enter())
		return 77;
	if (connection_table_prune(keep, &none, NULL) == -EOPNOTSUPP) {
		print_message("this kernel has no CONFIG_NF_CT_NETLINK\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

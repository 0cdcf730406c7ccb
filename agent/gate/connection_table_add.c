/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/connection_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "gate/netlink_dump.h"

/* nf_conntrack_tcp_timeout_established as the kernel has it by default; the first packet makes it
 * what it is here. */
#define SILENT_S (5 * 24 * 3600)

/* Entries are confirmed when they are made, and that bit cannot be asked to change
 * (ctnetlink_create_conntrack(), ctnetlink_change_status()). */
#define STATUS (IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED)

static int put_be16(struct nl_msg *message, int type, uint16_t number)
{
	uint16_t be = htons(number);

	return nla_put(message, type, sizeof(be), &be);
}

static int put_tuple(struct nl_msg *message, int type, const struct tracked_connection *connection)
{
	bool v6 = connection->source.family == 6;
	int size = v6 ? 16 : 4;
	struct nlattr *tuple = nla_nest_start(message, type);
	struct nlattr *part = tuple ? nla_nest_start(message, CTA_TUPLE_IP) : NULL;

	if (!part ||
	    nla_put(message, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, size, connection->source.bytes) <
		    0 ||
	    nla_put(message, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, size,
		    connection->destination.bytes) < 0)
		return -ENOMEM;
	nla_nest_end(message, part);
	part = nla_nest_start(message, CTA_TUPLE_PROTO);
	if (!part || nla_put_u8(message, CTA_PROTO_NUM, connection->protocol) < 0 ||
	    put_be16(message, CTA_PROTO_SRC_PORT, connection->source_port) < 0 ||
	    put_be16(message, CTA_PROTO_DST_PORT, connection->destination_port) < 0)
		return -ENOMEM;
	nla_nest_end(message, part);
	nla_nest_end(message, tuple);
	return 0;
}

static int put_state(struct nl_msg *message)
{
	const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL,
		.mask = IP_CT_TCP_FLAG_BE_LIBERAL,
	};
	struct nlattr *info = nla_nest_start(message, CTA_PROTOINFO);
	struct nlattr *tcp = info ? nla_nest_start(message, CTA_PROTOINFO_TCP) : NULL;

	if (!tcp || nla_put_u8(message, CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_ESTABLISHED) < 0 ||
	    nla_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(liberal), &liberal) < 0 ||
	    nla_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(liberal), &liberal) < 0)
		return -ENOMEM;
	nla_nest_end(message, tcp);
	nla_nest_end(message, info);
	return 0;
}

static int put_connection(struct nl_msg *message, const struct tracked_connection *connection)
{
	const struct tracked_connection reply = {
		.source = connection->destination,
		.destination = connection->source,
		.protocol = connection->protocol,
		.source_port = connection->destination_port,
		.destination_port = connection->source_port,
	};
	struct nfgenmsg general = {
		.nfgen_family = connection->source.family == 6 ? AF_INET6 : AF_INET,
		.version = NFNETLINK_V0,
	};

	if (nlmsg_append(message, &general, sizeof(general), NLMSG_ALIGNTO) < 0 ||
	    put_tuple(message, CTA_TUPLE_ORIG, connection) < 0 ||
	    put_tuple(message, CTA_TUPLE_REPLY, &reply) < 0 ||
	    nla_put_u32(message, CTA_STATUS, htonl(STATUS)) < 0 ||
	    nla_put_u32(message, CTA_TIMEOUT, htonl(SILENT_S)) < 0)
		return -ENOMEM;
	return put_state(message);
}

static void on_added(void *context, int result)
{
	int *answer = context;

	*answer = result;
}

/* Returns 1, 0 for one that is there, or negative errno. */
static int add(int fd, const struct tracked_connection *connection)
{
	struct nl_msg *message =
		nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
				   NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	int answer = 0;
	int result = message ? put_connection(message, connection) : -ENOMEM;

	if (result == 0)
		result = netlink_order(fd, nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len, 1,
				       on_added, &answer);
	nlmsg_free(message);
	if (result < 0)
		return result;
	return answer == -EEXIST ? 0 : (answer < 0 ? answer : 1);
}

int connection_table_add(const struct tracked_connection *connections, size_t count,
			 struct error *error)
{
	_cleanup_(closep) int fd = netlink_open(NETLINK_NETFILTER);
	int added = 0;

	if (fd < 0)
		return error_set(error, -fd, "connection table: %s", strerror(-fd));
	for (size_t i = 0; i < count; i++) {
		int result = add(fd, &connections[i]);

		if (result < 0)
			return error_set(error, -result,
					 "connection table: a connection from before could not be "
					 "entered: %s",
					 result == -ENOMEM ? "the table is full"
							   : strerror(-result));
		added += result;
	}
	return added;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/connection_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "gate/netlink_dump.h"

#define CONNTRACK(message) (NFNL_SUBSYS_CTNETLINK << 8 | (message))

/* So many deletions go to the kernel at once: their acknowledgements fit into a socket's usual
 * buffer several times over. */
#define BATCH_COUNT 64

/* Of one deletion: the original tuple takes 52 bytes (IPv4) or 76 (IPv6), zone and id 8 each. */
#define DELETION_SIZE_MAX 192

/* How often the table is read again because it changed meanwhile. */
#define PASSES_MAX 8

struct pruning {
	connection_keep_fn keep;
	void *context;
	int orders; /* the socket for deletions; the dump has its own */
	uint8_t batch[BATCH_COUNT * DELETION_SIZE_MAX];
	size_t batch_size;
	size_t batch_count;
	int deleted;
	int refusal; /* the first that a deletion met; 0: none */
	int failure; /* of the socket, or of what the kernel sent */
};

static void on_deleted(void *context, int result)
{
	struct pruning *pruning = context;

	if (result == 0)
		pruning->deleted++;
	/* what ended by itself meanwhile is as good */
	else if (result != -ENOENT && pruning->refusal == 0)
		pruning->refusal = result;
}

static void flush_batch(struct pruning *pruning)
{
	int result;

	if (pruning->batch_count == 0 || pruning->failure < 0)
		return;
	result = netlink_order(pruning->orders, pruning->batch, pruning->batch_size,
			       pruning->batch_count, on_deleted, pruning);
	pruning->batch_size = 0;
	pruning->batch_count = 0;
	if (result < 0)
		pruning->failure = result;
}

static struct ip_address address_of(struct nlattr *v4, struct nlattr *v6)
{
	struct ip_address none = {0};

	if (v4)
		return ip_from_ipv4(nla_data(v4));
	return v6 ? ip_from_ipv6(nla_data(v6)) : none;
}

static uint16_t port_of(struct nlattr *attribute)
{
	return attribute ? be16_at(nla_data(attribute)) : 0;
}

static bool has_ports(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return true;
	default: /* GRE keeps its keys where others have ports */
		return false;
	}
}

static bool parse_addresses(struct nlattr *attribute, struct tracked_connection *connection)
{
	static struct nla_policy policy[CTA_IP_MAX + 1] = {
		[CTA_IP_V4_SRC] = {.minlen = 4},
		[CTA_IP_V4_DST] = {.minlen = 4},
		[CTA_IP_V6_SRC] = {.minlen = 16},
		[CTA_IP_V6_DST] = {.minlen = 16},
	};
	struct nlattr *parts[CTA_IP_MAX + 1];

	if (!attribute || nla_parse_nested(parts, CTA_IP_MAX, attribute, policy) < 0)
		return false;
	connection->source = address_of(parts[CTA_IP_V4_SRC], parts[CTA_IP_V6_SRC]);
	connection->destination = address_of(parts[CTA_IP_V4_DST], parts[CTA_IP_V6_DST]);
	return connection->source.family && connection->destination.family;
}

static bool parse_protocol(struct nlattr *attribute, struct tracked_connection *connection)
{
	static struct nla_policy policy[CTA_PROTO_MAX + 1] = {
		[CTA_PROTO_NUM] = {.type = NLA_U8},
		[CTA_PROTO_SRC_PORT] = {.type = NLA_U16},
		[CTA_PROTO_DST_PORT] = {.type = NLA_U16},
		[CTA_PROTO_ICMP_TYPE] = {.type = NLA_U8},
		[CTA_PROTO_ICMPV6_TYPE] = {.type = NLA_U8},
	};
	struct nlattr *parts[CTA_PROTO_MAX + 1];

	if (!attribute || nla_parse_nested(parts, CTA_PROTO_MAX, attribute, policy) < 0 ||
	    !parts[CTA_PROTO_NUM])
		return false;
	connection->protocol = nla_get_u8(parts[CTA_PROTO_NUM]);
	if (has_ports(connection->protocol)) {
		connection->source_port = port_of(parts[CTA_PROTO_SRC_PORT]);
		connection->destination_port = port_of(parts[CTA_PROTO_DST_PORT]);
	}
	if (connection->protocol == IPPROTO_ICMP && parts[CTA_PROTO_ICMP_TYPE])
		connection->icmp_type = nla_get_u8(parts[CTA_PROTO_ICMP_TYPE]);
	if (connection->protocol == IPPROTO_ICMPV6 && parts[CTA_PROTO_ICMPV6_TYPE])
		connection->icmp_type = nla_get_u8(parts[CTA_PROTO_ICMPV6_TYPE]);
	return true;
}

static bool parse_tuple(struct nlattr *attribute, struct tracked_connection *ret_connection)
{
	struct tracked_connection connection = {0};
	struct nlattr *parts[CTA_TUPLE_MAX + 1];

	if (!attribute || nla_parse_nested(parts, CTA_TUPLE_MAX, attribute, NULL) < 0 ||
	    !parse_addresses(parts[CTA_TUPLE_IP], &connection) ||
	    !parse_protocol(parts[CTA_TUPLE_PROTO], &connection))
		return false;
	*ret_connection = connection;
	return true;
}

/*
 * The deletion has the attributes as the kernel sent them: the tuple before translation, with its
 * zone in it where each direction has its own, the zone of both directions, and the id, so that a
 * newer connection of the same tuple stays. Without a tuple it would be all connections.
 */
static void add_deletion(struct pruning *pruning, uint8_t family,
			 struct nlattr *const attributes[CTA_MAX + 1])
{
	static const int copied[] = {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID};
	const struct nfgenmsg general = {.nfgen_family = family, .version = NFNETLINK_V0};
	struct nlmsghdr envelope = {
		.nlmsg_type = CONNTRACK(IPCTNL_MSG_CT_DELETE),
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.nlmsg_len = NLMSG_LENGTH(sizeof(general)),
	};
	uint8_t *start;

	for (size_t i = 0; i < array_length(copied); i++)
		if (attributes[copied[i]])
			envelope.nlmsg_len +=
				(uint32_t)nla_total_size(nla_len(attributes[copied[i]]));
	if (envelope.nlmsg_len > DELETION_SIZE_MAX) {
		pruning->failure = -EBADMSG;
		return;
	}
	if (pruning->batch_count == BATCH_COUNT)
		flush_batch(pruning);
	start = pruning->batch + pruning->batch_size;
	memset(start, 0, envelope.nlmsg_len);
	memcpy(start, &envelope, sizeof(envelope));
	memcpy(start + NLMSG_HDRLEN, &general, sizeof(general));
	start += NLMSG_SPACE(sizeof(general));
	for (size_t i = 0; i < array_length(copied); i++) {
		const struct nlattr *attribute = attributes[copied[i]];

		if (!attribute)
			continue;
		memcpy(start, attribute, attribute->nla_len);
		start += NLA_ALIGN(attribute->nla_len);
	}
	pruning->batch_size += envelope.nlmsg_len;
	pruning->batch_count++;
}

static void on_connection(void *context, struct nlmsghdr *message)
{
	struct pruning *pruning = context;
	struct nlattr *attributes[CTA_MAX + 1];
	struct tracked_connection connection;
	const struct nfgenmsg *general = NLMSG_DATA(message);
	size_t offset = NLMSG_SPACE(sizeof(*general));

	if (message->nlmsg_type != CONNTRACK(IPCTNL_MSG_CT_NEW) || message->nlmsg_len < offset ||
	    pruning->failure < 0)
		return;
	/* one that cannot be read cannot be asked about, and must not be passed over */
	if (nla_parse(attributes, CTA_MAX, (struct nlattr *)((uint8_t *)message + offset),
		      (int)(message->nlmsg_len - offset), NULL) < 0 ||
	    !parse_tuple(attributes[CTA_TUPLE_ORIG], &connection)) {
		pruning->failure = -EBADMSG;
		return;
	}
	if (!pruning->keep(pruning->context, &connection))
		add_deletion(pruning, general->nfgen_family, attributes);
}

/* Once through the table. Returns 0 or negative errno; -EINTR, -ENOBUFS: once more. */
static int pass(struct pruning *pruning)
{
	const struct nfgenmsg both = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	_cleanup_(closep) int dump = netlink_open(NETLINK_NETFILTER);
	_cleanup_(closep) int orders = netlink_open(NETLINK_NETFILTER);
	int result;

	if (dump < 0 || orders < 0)
		return dump < 0 ? dump : orders;
	pruning->orders = orders;
	pruning->batch_size = 0;
	pruning->batch_count = 0;
	pruning->failure = 0;
	pruning->refusal = 0;
	result = netlink_dump(dump, CONNTRACK(IPCTNL_MSG_CT_GET), &both, sizeof(both),
			      on_connection, pruning);
	flush_batch(pruning);
	return pruning->failure < 0 ? pruning->failure : result;
}

static int tell_failure(int result, struct error *error)
{
	switch (result) {
	case -EPERM:
		return error_set(error, EPERM, "connection table: it takes CAP_NET_ADMIN");
	case -EINVAL: /* nfnetlink_rcv_msg(): no such subsystem */
	case -EOPNOTSUPP:
	case -EPROTONOSUPPORT:
		return error_set(error, EOPNOTSUPP,
				 "connection table: this kernel cannot list its connections, it "
				 "needs CONFIG_NF_CT_NETLINK (if built as a module: modprobe "
				 "nf_conntrack_netlink)");
	case -EINTR:
	case -ENOBUFS:
		return error_set(error, EAGAIN,
				 "connection table: it changes faster than it can be read");
	default:
		return error_set(error, -result, "connection table: %s", strerror(-result));
	}
}

int connection_table_prune(connection_keep_fn keep, void *context, struct error *error)
{
	struct pruning pruning = {.keep = keep, .context = context};
	int result = -EINTR;

	for (int i = 0; i < PASSES_MAX && (result == -EINTR || result == -ENOBUFS); i++)
		result = pass(&pruning);
	if (result < 0)
		return tell_failure(result, error);
	if (pruning.refusal == -EBUSY)
		return error_set(error, EBUSY,
				 "connection table: connections that are not permitted are "
				 "offloaded to a flowtable, past every rule; remove the flowtable "
				 "(nft list flowtables)");
	if (pruning.refusal < 0)
		return error_set(error, -pruning.refusal,
				 "connection table: a connection that is not permitted could not "
				 "be ended: %s",
				 strerror(-pruning.refusal));
	return pruning.deleted;
}

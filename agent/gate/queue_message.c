/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/queue_message.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/cleanup.h"

#define TYPE(subsystem, type) ((subsystem) << 8 | (type))

static void take_payload(const struct nlattr *attribute, struct queue_message *message)
{
	message->bytes = nla_data(attribute);
	message->size = (size_t)nla_len(attribute);
}

/* The attribute's value, where it is of that size at least. */
static bool copy_value(const struct nlattr *attribute, void *value, size_t size)
{
	if (!attribute || nla_len(attribute) < (int)size)
		return false;
	memcpy(value, nla_data(attribute), size);
	return true;
}

static bool read_queued(struct nlmsghdr *header, struct queue_message *message)
{
	const struct nfgenmsg *general = nlmsg_data(header);
	struct nlattr *attributes[NFQA_MAX + 1];
	struct nfqnl_msg_packet_hdr packet;
	uint32_t mark;

	if (nlmsg_parse(header, sizeof(*general), attributes, NFQA_MAX, NULL) < 0 ||
	    !copy_value(attributes[NFQA_PACKET_HDR], &packet, sizeof(packet)))
		return false;
	message->queue = ntohs(general->res_id);
	message->packet = ntohl(packet.packet_id);
	message->hook = packet.hook;
	if (copy_value(attributes[NFQA_MARK], &mark, sizeof(mark)))
		message->mark = ntohl(mark);
	/* an empty packet has none: it is read as what it is, nothing */
	if (attributes[NFQA_PAYLOAD])
		take_payload(attributes[NFQA_PAYLOAD], message);
	return true;
}

static bool read_logged(struct nlmsghdr *header, struct queue_message *message)
{
	struct nlattr *attributes[NFULA_MAX + 1];
	const struct nlattr *prefix;
	struct nfulnl_msg_packet_hdr packet;
	uint32_t mark;

	if (nlmsg_parse(header, sizeof(struct nfgenmsg), attributes, NFULA_MAX, NULL) < 0 ||
	    !copy_value(attributes[NFULA_PACKET_HDR], &packet, sizeof(packet)) ||
	    !attributes[NFULA_PAYLOAD])
		return false;
	message->logged = true;
	message->hook = packet.hook;
	if (copy_value(attributes[NFULA_MARK], &mark, sizeof(mark)))
		message->mark = ntohl(mark);
	prefix = attributes[NFULA_PREFIX];
	if (prefix && memchr(nla_data(prefix), '\0', (size_t)nla_len(prefix)))
		message->prefix = nla_data(prefix);
	take_payload(attributes[NFULA_PAYLOAD], message);
	return true;
}

static const struct {
	uint16_t type;
	bool (*read)(struct nlmsghdr *header, struct queue_message *message);
} kinds[] = {
	{TYPE(NFNL_SUBSYS_QUEUE, NFQNL_MSG_PACKET), read_queued},
	{TYPE(NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET), read_logged},
};

static void read_message(struct nlmsghdr *header, queue_message_fn each, void *context)
{
	for (size_t i = 0; i < array_length(kinds); i++) {
		struct queue_message message = {.prefix = ""};

		if (header->nlmsg_type == kinds[i].type && kinds[i].read(header, &message))
			each(context, &message);
	}
}

void queue_message_each(const void *datagram, size_t size, queue_message_fn each, void *context)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(uintptr_t)datagram;
	int left = (int)size;

	while (nlmsg_ok(header, left)) {
		read_message(header, each, context);
		header = nlmsg_next(header, &left);
	}
}

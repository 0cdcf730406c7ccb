/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/nftables_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netlink/attr.h>

#include "base/cleanup.h"

#define ANSWER_S     10		 /* the kernel works on one transaction at a time, others' too */
#define ANSWER_SIZE  (64 * 1024) /* a dump's parts are at most 32 KiB */
#define MESSAGE_SIZE (64 * 1024) /* an attribute's length has 16 bits */

int nftables_link_open(struct nftables_link *link)
{
	const struct timeval limit = {.tv_sec = ANSWER_S};
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const int yes = 1;
	_cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return -errno;
	/* errors without what they are about: we know it */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	link->fd = take_fd(&fd);
	return 0;
}

void nftables_link_close(struct nftables_link *link)
{
	closep(&link->fd);
	link->fd = -1;
}

static struct nl_msg *new_message(unsigned int type, int flags, uint8_t family, uint16_t resource)
{
	const struct nfgenmsg header = {
		.nfgen_family = family,
		.version = NFNETLINK_V0,
		.res_id = htons(resource),
	};
	struct nl_msg *message = nlmsg_alloc_size(MESSAGE_SIZE);

	if (!message)
		return NULL;
	if (!nlmsg_put(message, 0, 0, (int)type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(message, (void *)(uintptr_t)&header, sizeof(header), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

struct nl_msg *nftables_message(unsigned int type, int flags)
{
	return new_message(NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

static int send_all(const struct nftables_link *link, const void *bytes, size_t size)
{
	ssize_t sent;

	do
		sent = send(link->fd, bytes, size, 0);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0; /* netlink takes all of it or nothing */
}

static ssize_t receive(const struct nftables_link *link, void *buffer, size_t size)
{
	ssize_t received;

	do
		received = recv(link->fd, buffer, size, MSG_TRUNC);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)received > size ? -ENOBUFS : received;
}

/* What it still had to say is of no use to anybody. */
static void reopen(struct nftables_link *link)
{
	struct nftables_link fresh = {.sequence = link->sequence};

	if (nftables_link_open(&fresh) < 0)
		return;
	nftables_link_close(link);
	*link = fresh;
}

/* ---- transactions ---- */

static int append(struct nftables_link *link, struct nftables_batch *batch, struct nl_msg *message)
{
	struct nlmsghdr *header;

	if (!message)
		return -ENOMEM;
	header = nlmsg_hdr(message);
	header->nlmsg_seq = ++link->sequence;
	batch->last_place = batch->messages.length;
	batch->last_sequence = header->nlmsg_seq;
	text_append_bytes(&batch->messages, header, NLMSG_ALIGN(header->nlmsg_len));
	nlmsg_free(message);
	return batch->messages.broken ? -ENOMEM : 0;
}

static int append_border(struct nftables_link *link, struct nftables_batch *batch,
			 unsigned int type)
{
	return append(link, batch, new_message(type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

int nftables_batch_add(struct nftables_link *link, struct nftables_batch *batch,
		       struct nl_msg *message)
{
	int result = 0;

	if (!batch->messages.length) {
		result = append_border(link, batch, NFNL_MSG_BATCH_BEGIN);
		batch->first_sequence = link->sequence;
	}
	if (result == 0)
		return append(link, batch, message);
	nlmsg_free(message);
	return result;
}

void nftables_batch_free(struct nftables_batch *batch)
{
	text_free(&batch->messages);
	*batch = (struct nftables_batch){0};
}

/* Errors come in the order of the messages, and the acknowledgement of the last one after them: of
 * a transaction that was refused too, whose messages before the wrong one are acknowledged as well.
 * What concerns all of it (no permission, the commit itself) is said of its beginning
 * (nfnetlink_rcv_batch()). */
static int await(struct nftables_link *link, uint32_t first, uint32_t last)
{
	_cleanup_(freep) char *buffer = malloc(ANSWER_SIZE);
	int result = 0;

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t received = receive(link, buffer, ANSWER_SIZE);
		int left = (int)received;

		if (received < 0)
			return (int)received;
		for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; nlmsg_ok(header, left);
		     header = nlmsg_next(header, &left)) {
			const struct nlmsgerr *said = nlmsg_data(header);

			if (header->nlmsg_type != NLMSG_ERROR ||
			    header->nlmsg_len < NLMSG_LENGTH(sizeof(said->error)) ||
			    header->nlmsg_seq - first > last - first)
				continue;
			if (result == 0)
				result = said->error;
			if (header->nlmsg_seq == last || (header->nlmsg_seq == first && result))
				return result;
		}
	}
}

int nftables_batch_commit(struct nftables_link *link, struct nftables_batch *batch)
{
	uint32_t last = batch->last_sequence;
	struct nlmsghdr *header;
	int room;
	int result;

	if (!batch->messages.length)
		return 0;
	header = (struct nlmsghdr *)(void *)(batch->messages.bytes + batch->last_place);
	header->nlmsg_flags |= NLM_F_ACK;
	result = append_border(link, batch, NFNL_MSG_BATCH_END);
	if (result < 0)
		return result;
	room = (int)batch->messages.length * 2;
	(void)setsockopt(link->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	result = send_all(link, batch->messages.bytes, batch->messages.length);
	if (result == 0)
		result = await(link, batch->first_sequence, last);
	if (result == -ENOBUFS || result == -ETIMEDOUT)
		reopen(link);
	return result;
}

int nftables_table_delete(struct nftables_link *link, const char *name)
{
	struct nftables_batch batch = {0};
	struct nl_msg *message = nftables_message(NFT_MSG_DELTABLE, 0);
	int result;

	if (message && nla_put_string(message, NFTA_TABLE_NAME, name) < 0) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	result = nftables_batch_add(link, &batch, message);
	if (result == 0)
		result = nftables_batch_commit(link, &batch);
	nftables_batch_free(&batch);
	return result;
}

/* ---- questions ---- */

static int read_answer(const struct nftables_link *link, bool dump, nftables_each_fn each,
		       void *context)
{
	_cleanup_(freep) char *buffer = malloc(ANSWER_SIZE);

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t received = receive(link, buffer, ANSWER_SIZE);
		int left = (int)received;

		if (received < 0)
			return (int)received;
		for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; nlmsg_ok(header, left);
		     header = nlmsg_next(header, &left)) {
			int result;

			if (header->nlmsg_seq != link->sequence)
				continue;
			if (header->nlmsg_flags & NLM_F_DUMP_INTR)
				return -EINTR;
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
			if (header->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)nlmsg_data(header))->error;
			result = each(context, header);
			if (result < 0 || !dump)
				return result;
		}
	}
}

int nftables_ask(struct nftables_link *link, struct nl_msg *request, nftables_each_fn each,
		 void *context)
{
	struct nlmsghdr *header;
	bool dump;
	int result;

	if (!request)
		return -ENOMEM;
	header = nlmsg_hdr(request);
	header->nlmsg_seq = ++link->sequence;
	dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	result = send_all(link, header, header->nlmsg_len);
	nlmsg_free(request);
	if (result == 0)
		result = read_answer(link, dump, each, context);
	if (result < 0) /* the rest of a dump would hold up the next one */
		reopen(link);
	return result;
}

static int read_generation(void *context, const struct nlmsghdr *message)
{
	struct nlattr *attributes[NFTA_GEN_MAX + 1];
	uint32_t *generation = context;
	uint32_t value;

	if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)message, sizeof(struct nfgenmsg), attributes,
			NFTA_GEN_MAX, NULL) < 0 ||
	    !attributes[NFTA_GEN_ID] || nla_len(attributes[NFTA_GEN_ID]) < (int)sizeof(value))
		return -EPROTO;
	memcpy(&value, nla_data(attributes[NFTA_GEN_ID]), sizeof(value));
	*generation = ntohl(value);
	return 0;
}

int nftables_generation(struct nftables_link *link, uint32_t *ret_generation)
{
	return nftables_ask(link, nftables_message(NFT_MSG_GETGEN, 0), read_generation,
			    ret_generation);
}

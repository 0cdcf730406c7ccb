/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "gate/queue_message.h"

enum {
	/* Taken only as packets wait: a thousand questions, or some dozen of the largest segments.
	 */
	RECEIVE_BUFFER = 4 << 20,
	ACKNOWLEDGE_WAIT_S = 2,
	LOG_COPY_BYTES = 256,
	LOG_TOGETHER = 16, /* reports in one datagram … */
	LOG_WAIT_CS = 10,  /* … or as many as come in 100 ms */
};

/* Packets that may come between the answers to our own requests. */
#define ANSWERS_MOST 4096

struct subsystem {
	uint8_t number;
	uint8_t configure; /* message type */
	uint16_t command;  /* attribute */
	const char *option;
	const char *noun;
};

static const struct subsystem queues = {
	NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, NFQA_CFG_CMD, "CONFIG_NETFILTER_NETLINK_QUEUE",
	"queue",
};

static const struct subsystem logs = {
	NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, NFULA_CFG_CMD, "CONFIG_NETFILTER_NETLINK_LOG",
	"log group",
};

static void free_message(struct nl_msg **message)
{
	nlmsg_free(*message);
}

/* A request about one queue or group; NULL when memory is out. */
static struct nl_msg *new_message(uint8_t subsystem, uint8_t type, uint16_t number, int flags,
				  size_t room)
{
	struct nfgenmsg general = {
		.nfgen_family = AF_UNSPEC,
		.version = NFNETLINK_V0,
		.res_id = htons(number),
	};
	struct nl_msg *message = nlmsg_alloc_size(NLMSG_HDRLEN + sizeof(general) + room);

	if (!message)
		return NULL;
	if (!nlmsg_put(message, 0, 0, subsystem << 8 | type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(message, &general, sizeof(general), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

static int send_message(int fd, struct nl_msg *message)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const struct nlmsghdr *header = nlmsg_hdr(message);
	ssize_t sent;

	do {
		sent = sendto(fd, header, header->nlmsg_len, MSG_NOSIGNAL,
			      (const struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* A packet that was queued before everything is set up: who sent it will do so again. */
static void drop_early(void *context, const struct queue_message *early)
{
	const int *fd = context;

	if (!early->logged)
		(void)queue_answer(*fd, early->queue, early->packet, QUEUE_DROP, NULL, NULL, 0);
}

static int await_answer(int fd)
{
	static const size_t answer_size = NLMSG_HDRLEN + sizeof(struct nlmsgerr);
	_cleanup_(freep) void *datagram = malloc(QUEUE_DATAGRAM_SIZE);

	if (!datagram)
		return -ENOMEM;
	for (unsigned int i = 0; i < ANSWERS_MOST; i++) {
		const struct nlmsghdr *header = datagram;
		const struct nlmsgerr *answer = NLMSG_DATA(datagram);
		ssize_t size = recv(fd, datagram, QUEUE_DATAGRAM_SIZE, 0);

		if (size < 0 && errno != EINTR && errno != ENOBUFS)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (size >= (ssize_t)answer_size && header->nlmsg_type == NLMSG_ERROR &&
		    answer->msg.nlmsg_flags & NLM_F_ACK)
			return answer->error;
		if (size > 0)
			queue_message_each(datagram, (size_t)size, drop_early, &fd);
	}
	return -ETIMEDOUT;
}

static int ask(int fd, struct nl_msg *message)
{
	int result = send_message(fd, message);

	return result < 0 ? result : await_answer(fd);
}

static int command(int fd, const struct subsystem *subsystem, uint16_t number, uint8_t value)
{
	/* struct nfulnl_msg_config_cmd is the first byte of this one */
	struct nfqnl_msg_config_cmd order = {.command = value};
	_cleanup_(free_message) struct nl_msg *message = new_message(
		subsystem->number, subsystem->configure, number, NLM_F_ACK, nla_total_size(4));
	size_t size = subsystem == &logs ? 1 : sizeof(order);

	if (!message || nla_put(message, subsystem->command, (int)size, &order) < 0)
		return -ENOMEM;
	return ask(fd, message);
}

/* Whether the kernel has it and we may use it: a command that does nothing since Linux 3.8 and
 * does no harm before (struct nfqnl_msg_config_cmd, NFULNL_CFG_CMD_PF_UNBIND is the same). */
static int probe(int fd, const struct subsystem *subsystem, struct error *error)
{
	int result = command(fd, subsystem, 0, NFQNL_CFG_CMD_PF_UNBIND);

	switch (result) {
	case 0:
		return 0;
	case -EPERM:
		return error_set(error, EPERM, "a %s takes CAP_NET_ADMIN", subsystem->noun);
	case -EINVAL:
	case -EOPNOTSUPP:
		return error_set(error, EOPNOTSUPP,
				 "this kernel has no packet %s: it needs %s (if built as a "
				 "module: modprobe nfnetlink_%s)",
				 subsystem->noun, subsystem->option,
				 subsystem == &logs ? "log" : "queue");
	default:
		return error_set(error, -result, "cannot use a packet %s: %s", subsystem->noun,
				 strerror(-result));
	}
}

static int take(int fd, const struct subsystem *subsystem, uint16_t number, struct error *error)
{
	int result = command(fd, subsystem, number, NFQNL_CFG_CMD_BIND);

	/* the rights are there, so somebody else has it (nfqnl_recv_config()) */
	if (result == -EPERM || result == -EBUSY || result == -EEXIST)
		return error_set(error, EBUSY, "packet %s %u is read by another process",
				 subsystem->noun, number);
	if (result < 0)
		return error_set(error, -result, "cannot take packet %s %u: %s", subsystem->noun,
				 number, strerror(-result));
	return 0;
}

/* Errors are told at once, the reader may be slow: a full socket loses what comes while it is full
 * and, without NETLINK_NO_ENOBUFS, everything until it is empty. */
static int open_socket(const struct subsystem *subsystem, int *ret_fd, struct error *error)
{
	static const struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	const struct timeval patience = {.tv_sec = ACKNOWLEDGE_WAIT_S};
	const int buffer = RECEIVE_BUFFER;
	const int on = 1;
	_cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int result;

	if (fd < 0)
		return error_set(error, errno == EPROTONOSUPPORT ? EOPNOTSUPP : errno,
				 "cannot open a netfilter socket: %s (the kernel needs %s)",
				 strerror(errno), subsystem->option);
	if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return error_set(error, errno, "cannot set up a netfilter socket: %s",
				 strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	result = probe(fd, subsystem, error);
	if (result < 0)
		return result;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* All in one request: before it the queue drops what it gets (NFQNL_COPY_NONE). */
static int configure_queue(int fd, uint16_t number, uint32_t length)
{
	static const uint32_t none = NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO;
	const struct nfqnl_msg_config_params params = {.copy_range = htonl(0xffff),
						       .copy_mode = NFQNL_COPY_PACKET};
	_cleanup_(free_message) struct nl_msg *message =
		new_message(NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, number, NLM_F_ACK, 128);

	if (!message || nla_put(message, NFQA_CFG_PARAMS, sizeof(params), &params) < 0 ||
	    nla_put_u32(message, NFQA_CFG_QUEUE_MAXLEN, htonl(length)) < 0 ||
	    nla_put_u32(message, NFQA_CFG_MASK, htonl(none)) < 0 ||
	    nla_put_u32(message, NFQA_CFG_FLAGS, 0) < 0)
		return -ENOMEM;
	return ask(fd, message);
}

int queue_open(uint16_t first, uint16_t count, uint32_t length, int *ret_fd, struct error *error)
{
	_cleanup_(closep) int fd = -1;
	int result = open_socket(&queues, &fd, error);

	for (uint16_t i = 0; i < count && result == 0; i++)
		result = take(fd, &queues, (uint16_t)(first + i), error);
	if (result < 0)
		return result;
	for (uint16_t i = 0; i < count; i++) {
		result = configure_queue(fd, (uint16_t)(first + i), length);
		if (result < 0)
			return error_set(error, -result, "cannot set up packet queue %u: %s",
					 first + i, strerror(-result));
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

static int configure_log(int fd, uint16_t group)
{
	const struct nfulnl_msg_config_mode mode = {.copy_range = htonl(LOG_COPY_BYTES),
						    .copy_mode = NFULNL_COPY_PACKET};
	_cleanup_(free_message) struct nl_msg *message =
		new_message(NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, group, NLM_F_ACK, 128);

	if (!message || nla_put(message, NFULA_CFG_MODE, sizeof(mode), &mode) < 0 ||
	    nla_put_u32(message, NFULA_CFG_QTHRESH, htonl(LOG_TOGETHER)) < 0 ||
	    nla_put_u32(message, NFULA_CFG_TIMEOUT, htonl(LOG_WAIT_CS)) < 0)
		return -ENOMEM;
	return ask(fd, message);
}

int queue_open_log(uint16_t group, int *ret_fd, struct error *error)
{
	_cleanup_(closep) int fd = -1;
	int result = open_socket(&logs, &fd, error);

	if (result == 0)
		result = take(fd, &logs, group, error);
	if (result < 0)
		return result;
	result = configure_log(fd, group);
	if (result < 0)
		return error_set(error, -result, "cannot set up packet log group %u: %s", group,
				 strerror(-result));
	*ret_fd = take_fd(&fd);
	return 0;
}

static const uint32_t verdicts[] = {
	[QUEUE_DROP] = NF_DROP,
	[QUEUE_ACCEPT] = NF_ACCEPT,
	[QUEUE_REPEAT] = NF_REPEAT,
};

int queue_answer(int fd, uint16_t queue_number, uint32_t packet, enum queue_verdict verdict,
		 const uint32_t *mark, const void *replacement, size_t replacement_size)
{
	const struct nfqnl_msg_verdict_hdr answer = {.verdict = htonl(verdicts[verdict]),
						     .id = htonl(packet)};
	_cleanup_(free_message) struct nl_msg *message =
		new_message(NFNL_SUBSYS_QUEUE, NFQNL_MSG_VERDICT, queue_number, 0,
			    64 + NLA_ALIGN(replacement_size));

	if (!message || nla_put(message, NFQA_VERDICT_HDR, sizeof(answer), &answer) < 0)
		return -ENOMEM;
	if (mark && nla_put_u32(message, NFQA_MARK, htonl(*mark)) < 0)
		return -ENOMEM;
	if (replacement && nla_put(message, NFQA_PAYLOAD, (int)replacement_size, replacement) < 0)
		return -ENOMEM;
	return send_message(fd, message);
}

/* A verdict for a number and those that came before it, where before is by half the range
 * (nfq_id_after()): packets may be about to wrap. */
int queue_drop_all(int fd, uint16_t queue_number)
{
	static const uint32_t until[] = {INT32_MAX, UINT32_MAX, INT32_MAX};
	int result = 0;

	for (size_t i = 0; i < array_length(until) && result == 0; i++) {
		const struct nfqnl_msg_verdict_hdr answer = {.verdict = htonl(NF_DROP),
							     .id = htonl(until[i])};
		_cleanup_(free_message) struct nl_msg *message = new_message(
			NFNL_SUBSYS_QUEUE, NFQNL_MSG_VERDICT_BATCH, queue_number, 0, 64);

		if (!message || nla_put(message, NFQA_VERDICT_HDR, sizeof(answer), &answer) < 0)
			return -ENOMEM;
		result = send_message(fd, message);
	}
	return result;
}

uint32_t queue_lost(int fd)
{
	uint32_t counts[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(counts);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, counts, &size) < 0)
		return 0;
	return counts[SK_MEMINFO_DROPS];
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_events.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* Room for about a thousand messages between two looks. */
#define QUEUE_BYTES (256 * 1024)

struct socket_events {
	struct nl_sock *netlink;
	struct loop_source *source;
	struct socket_events_config config;
};

void socket_events_filter(const struct socket_ports *ports,
			  struct sock_filter filter[SOCKET_EVENTS_FILTER_SIZE])
{
	const uint32_t id = NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id);
	const uint32_t local = id + offsetof(struct inet_diag_sockid, idiag_sport);
	const uint32_t remote = id + offsetof(struct inet_diag_sockid, idiag_dport);
	const struct sock_filter program[SOCKET_EVENTS_FILTER_SIZE] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, remote),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, local),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ports->low, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, ports->high, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	for (size_t i = 0; i < SOCKET_EVENTS_FILTER_SIZE; i++)
		filter[i] = program[i];
}

static int on_message(struct nl_msg *message, void *context)
{
	struct socket_events *events = context;
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct socket_record record;

	if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
	    !socket_record_parse(nlmsg_data(header), (size_t)nlmsg_datalen(header), IPPROTO_UDP,
				 &record) &&
	    !record.remote_port)
		events->config.closed(events->config.context, &record);
	return NL_OK;
}

void socket_events_read(struct socket_events *events)
{
	int result;

	do {
		result = nl_recvmsgs_default(events->netlink);
		/* libnl's word for ENOBUFS */
		if (result == -NLE_NOMEM)
			events->config.lost(events->config.context);
	} while (result >= 0 || result == -NLE_NOMEM || result == -NLE_INTR);
}

static void on_ready(void *context, int fd, uint32_t ready)
{
	(void)fd;
	(void)ready;
	socket_events_read(context);
}

static int open_groups(struct socket_events *events, const struct socket_ports *ports)
{
	struct sock_filter filter[SOCKET_EVENTS_FILTER_SIZE];
	struct sock_fprog program = {.len = SOCKET_EVENTS_FILTER_SIZE, .filter = filter};
	int fd, result;

	if (nl_connect(events->netlink, NETLINK_SOCK_DIAG) < 0)
		return -EPROTONOSUPPORT;
	fd = nl_socket_get_fd(events->netlink);
	socket_events_filter(ports, filter);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){QUEUE_BYTES}, sizeof(int)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){QUEUE_BYTES}, sizeof(int));
	nl_socket_disable_seq_check(events->netlink);
	(void)nl_socket_modify_cb(events->netlink, NL_CB_VALID, NL_CB_CUSTOM, on_message, events);
	result = nl_socket_add_memberships(events->netlink, SKNLGRP_INET_UDP_DESTROY,
					   SKNLGRP_INET6_UDP_DESTROY, 0);
	if (result < 0)
		return result == -NLE_PERM ? -EPERM : -EPROTONOSUPPORT;
	return nl_socket_set_nonblocking(events->netlink) < 0 ? -EIO : 0;
}

int socket_events_new(struct loop *loop, const struct socket_ports *ports,
		      const struct socket_events_config *config, struct socket_events **ret_events)
{
	struct socket_events *events = calloc(1, sizeof(*events));
	int result;

	if (!events)
		return -ENOMEM;
	events->config = *config;
	events->netlink = nl_socket_alloc();
	result = events->netlink ? open_groups(events, ports) : -ENOMEM;
	if (!result)
		result = loop_add_fd(loop, nl_socket_get_fd(events->netlink), EPOLLIN, on_ready,
				     events, &events->source);
	if (result < 0) {
		socket_events_free(events);
		return result;
	}
	*ret_events = events;
	return 0;
}

void socket_events_free(struct socket_events *events)
{
	if (!events)
		return;
	loop_remove(events->source);
	nl_socket_free(events->netlink);
	free(events);
}

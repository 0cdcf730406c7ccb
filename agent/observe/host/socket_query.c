/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/cleanup.h"

/* Sockets bound to an interface are found only by naming it; this many interfaces are tried. */
#define INTERFACES_TRIED 32

/* The kernel fills at most this much in one answer (netlink_dump() in net/netlink/af_netlink.c). */
#define ANSWER_SIZE 32768

struct socket_query {
	struct nl_sock *netlink;
	bool tcp_in_one_walk; /* TCPDIAG_GETSOCK is understood */
	/* of the request in flight */
	uint8_t protocol;
	socket_record_fn found;
	void *context;
	bool finished;
	int result;
};

static int on_message(struct nl_msg *message, void *context)
{
	struct socket_query *query = context;
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct socket_record record;

	if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY || header->nlmsg_type == TCPDIAG_GETSOCK)
		if (!socket_record_parse(nlmsg_data(header), (size_t)nlmsg_datalen(header),
					 query->protocol, &record))
			query->found(query->context, &record);
	/* an exact answer is one message with nothing behind it */
	if (!(header->nlmsg_flags & NLM_F_MULTI))
		query->finished = true;
	return NL_OK;
}

static int on_finish(struct nl_msg *message, void *context)
{
	struct socket_query *query = context;
	struct nlmsghdr *header = nlmsg_hdr(message);

	/* a dump that failed says so in the payload of its end */
	if (nlmsg_datalen(header) >= (int)sizeof(int))
		memcpy(&query->result, nlmsg_data(header), sizeof(int));
	query->finished = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *context)
{
	struct socket_query *query = context;

	(void)from;
	query->result = error->error;
	query->finished = true;
	return NL_STOP;
}

int socket_query_new(struct socket_query **ret_query)
{
	struct socket_query *query = calloc(1, sizeof(*query));
	/* the kernel answers before send returns; this only ends a wait that can't end */
	struct timeval patience = {.tv_sec = 1};

	if (!query)
		return -ENOMEM;
	query->tcp_in_one_walk = true;
	query->netlink = nl_socket_alloc();
	if (!query->netlink) {
		free(query);
		return -ENOMEM;
	}
	if (nl_connect(query->netlink, NETLINK_SOCK_DIAG) < 0 ||
	    nl_socket_set_msg_buf_size(query->netlink, ANSWER_SIZE) < 0) {
		socket_query_free(query);
		return -EPROTONOSUPPORT;
	}
	nl_socket_disable_msg_peek(query->netlink);
	nl_socket_disable_auto_ack(query->netlink);
	(void)setsockopt(nl_socket_get_fd(query->netlink), SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	(void)nl_socket_modify_cb(query->netlink, NL_CB_VALID, NL_CB_CUSTOM, on_message, query);
	(void)nl_socket_modify_cb(query->netlink, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, query);
	(void)nl_socket_modify_err_cb(query->netlink, NL_CB_CUSTOM, on_error, query);
	*ret_query = query;
	return 0;
}

void socket_query_free(struct socket_query *query)
{
	if (!query)
		return;
	nl_socket_free(query->netlink);
	free(query);
}

static int ask(struct socket_query *query, int type, int flags, const void *request, size_t size,
	       uint8_t protocol, socket_record_fn found, void *context)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);
	int sent;

	if (!message)
		return -ENOMEM;
	query->protocol = protocol;
	query->found = found;
	query->context = context;
	query->finished = false;
	query->result = 0;
	sent = nlmsg_append(message, (void *)(uintptr_t)request, size, NLMSG_ALIGNTO);
	if (!sent)
		sent = nl_send_auto(query->netlink, message);
	nlmsg_free(message);
	if (sent < 0)
		return -EIO;
	while (!query->finished)
		if (nl_recvmsgs_default(query->netlink) < 0 && !query->finished)
			return -EIO;
	return query->result;
}

/* Listeners of both families in one walk of the kernel's table: the request that came before
 * sock_diag knows no family (inet_diag_dump_compat() in net/ipv4/inet_diag.c). */
static int dump_tcp(struct socket_query *query, socket_record_fn found, void *context)
{
	struct inet_diag_req request = {.idiag_states = 1U << TCP_LISTEN};

	return ask(query, TCPDIAG_GETSOCK, NLM_F_DUMP, &request, sizeof(request), IPPROTO_TCP,
		   found, context);
}

static int dump_both(struct socket_query *query, uint8_t protocol, uint32_t states,
		     socket_record_fn found, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct inet_diag_req_v2 request = {.sdiag_protocol = protocol, .idiag_states = states};

	for (size_t i = 0; i < array_length(families); i++) {
		int result;

		request.sdiag_family = families[i];
		result = ask(query, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request),
			     protocol, found, context);
		/* a kernel without IPv6 answers for IPv4 only */
		if (result < 0 && families[i] == AF_INET)
			return result;
	}
	return 0;
}

int socket_query_waiting(struct socket_query *query, uint8_t protocol, socket_record_fn found,
			 void *context)
{
	bool listens = protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;

	if (protocol == IPPROTO_TCP && query->tcp_in_one_walk) {
		if (!dump_tcp(query, found, context))
			return 0;
		query->tcp_in_one_walk = false;
	}
	return dump_both(query, protocol, 1U << (listens ? TCP_LISTEN : TCP_CLOSE), found, context);
}

int socket_query_connected(struct socket_query *query, socket_record_fn found, void *context)
{
	return dump_both(query, IPPROTO_TCP,
			 1U << TCP_ESTABLISHED | 1U << TCP_CLOSE_WAIT | 1U << TCP_FIN_WAIT1 |
				 1U << TCP_FIN_WAIT2,
			 found, context);
}

struct answer {
	bool given;
	struct socket_record record;
};

static void keep_answer(void *context, const struct socket_record *record)
{
	struct answer *answer = context;

	answer->given = true;
	answer->record = *record;
}

static int ask_one(struct socket_query *query, const struct inet_diag_req_v2 *request,
		   struct socket_record *ret_record)
{
	struct answer answer = {0};
	int result = ask(query, SOCK_DIAG_BY_FAMILY, 0, request, sizeof(*request),
			 request->sdiag_protocol, keep_answer, &answer);

	if (result < 0)
		return result;
	if (!answer.given)
		return -EBADMSG;
	*ret_record = answer.record;
	return 0;
}

int socket_query_exact(struct socket_query *query, uint8_t protocol, const struct ip_address *local,
		       uint16_t local_port, const struct ip_address *remote, uint16_t remote_port,
		       struct socket_record *ret_record)
{
	/* udp_dump_one() in net/ipv4/udp_diag.c has source and destination swapped, "for historical
	 * reasons" */
	bool swapped = protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
	struct inet_diag_req_v2 request = {
		.sdiag_family = local->family == 4 ? AF_INET : AF_INET6,
		.sdiag_protocol = protocol,
		.idiag_states = UINT32_MAX,
		.id.idiag_sport = htons(swapped ? remote_port : local_port),
		.id.idiag_dport = htons(swapped ? local_port : remote_port),
		.id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
	};
	struct if_nameindex *interfaces;
	int result;

	memcpy(swapped ? request.id.idiag_dst : request.id.idiag_src, local->bytes, 16);
	memcpy(swapped ? request.id.idiag_src : request.id.idiag_dst, remote->bytes, 16);
	result = ask_one(query, &request, ret_record);
	if (result != -ENOENT)
		return result;
	interfaces = if_nameindex();
	if (!interfaces)
		return -ENOENT;
	for (size_t i = 0; i < INTERFACES_TRIED && interfaces[i].if_index; i++) {
		request.id.idiag_if = interfaces[i].if_index;
		result = ask_one(query, &request, ret_record);
		if (result != -ENOENT)
			break;
	}
	if_freenameindex(interfaces);
	return result;
}

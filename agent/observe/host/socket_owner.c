/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_owner.h"

#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "observe/host/socket_proc.h"

#define CANDIDATES 16

struct candidates {
	const struct observed_flow *flow;
	uint32_t *inodes;
	size_t limit;
	size_t count;
};

static void add_inode(struct candidates *candidates, uint32_t inode)
{
	if (!inode)
		return;
	for (size_t i = 0; i < candidates->count && i < candidates->limit; i++)
		if (candidates->inodes[i] == inode)
			return;
	if (candidates->count < candidates->limit)
		candidates->inodes[candidates->count] = inode;
	candidates->count++;
}

/* Whether a socket that is not connected can send from this local address. */
static bool sends_from(const struct socket_record *record, const struct ip_address *local)
{
	if (ip_scope(&record->local) != ADDRESS_UNSPECIFIED)
		return ip_equal(&record->local, local);
	if (record->family == local->family)
		return true;
	return record->family == 6 && record->local.family == 6 && !record->v6_only;
}

static void add_waiting(void *context, const struct socket_record *record)
{
	struct candidates *candidates = context;

	if (!record->remote_port && record->local_port == candidates->flow->local_port &&
	    sends_from(record, &candidates->flow->local))
		add_inode(candidates, record->inode);
}

static void find_by_ports(struct socket_source *source, struct candidates *candidates)
{
	const struct observed_flow *flow = candidates->flow;
	bool datagrams = flow->protocol == IPPROTO_UDP || flow->protocol == IPPROTO_UDPLITE;
	struct socket_record record;
	int result = socket_source_exact(source, flow->protocol, &flow->local, flow->local_port,
					 &flow->remote, flow->remote_port, &record);

	if (!result && record.remote_port == flow->remote_port &&
	    record.local_port == flow->local_port)
		add_inode(candidates, record.inode);
	else if (datagrams)
		/* any of the unconnected ones may have sent it: the lookup names only the one that
		 * would receive */
		(void)socket_source_waiting(source, flow->protocol, add_waiting, candidates);
}

/* Requests that only programs send; everything else of ICMP is the kernel's own, however many raw
 * sockets there are. */
static bool is_request(const struct observed_flow *flow)
{
	switch (flow->protocol) {
	case IPPROTO_ICMP:
		return flow->icmp_type == ICMP_ECHO || flow->icmp_type == ICMP_TIMESTAMP;
	case IPPROTO_ICMPV6:
		return flow->icmp_type == ICMPV6_ECHO_REQUEST;
	default:
		return false;
	}
}

static bool may_reach(const struct socket_record *record, const struct observed_flow *flow)
{
	if (ip_scope(&record->local) != ADDRESS_UNSPECIFIED &&
	    !ip_equal(&record->local, &flow->local))
		return false;
	return ip_scope(&record->remote) == ADDRESS_UNSPECIFIED ||
	       ip_equal(&record->remote, &flow->remote);
}

static void add_ping(void *context, const struct socket_record *record)
{
	struct candidates *candidates = context;

	if (record->protocol == candidates->flow->protocol && may_reach(record, candidates->flow))
		add_inode(candidates, record->inode);
}

static void add_raw(void *context, const struct socket_record *record)
{
	struct candidates *candidates = context;
	uint8_t family = candidates->flow->protocol == IPPROTO_ICMP ? 4 : 6;

	if (record->family == family &&
	    (record->local_port == candidates->flow->protocol ||
	     record->local_port == IPPROTO_RAW) &&
	    may_reach(record, candidates->flow))
		add_inode(candidates, record->inode);
}

size_t socket_owner_candidates(struct socket_source *source, const struct observed_flow *flow,
			       uint32_t *inodes, size_t limit)
{
	struct candidates candidates = {.flow = flow, .inodes = inodes, .limit = limit};

	if (is_request(flow)) {
		/* they carry no port: any of these sockets may have sent it */
		(void)socket_proc_read(SOCKET_PROC_PING, add_ping, &candidates);
		(void)socket_proc_read(SOCKET_PROC_RAW, add_raw, &candidates);
	} else if (flow->local_port) {
		find_by_ports(source, &candidates);
	}
	return candidates.count;
}

int socket_owner_find(struct socket_source *source, struct socket_holder *holder,
		      const struct observed_flow *flow, uint64_t time_ns, char **ret_program,
		      bool *ret_left_out)
{
	struct socket_search searches[CANDIDATES];
	uint32_t inodes[CANDIDATES];
	size_t count = socket_owner_candidates(source, flow, inodes, CANDIDATES);
	size_t left_out = 0;
	char *program = NULL;
	bool differ = count == 0 || count > CANDIDATES;
	int result;

	if (differ) {
		*ret_program = NULL;
		*ret_left_out = false;
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		searches[i] = (struct socket_search){.inode = inodes[i], .time_ns = time_ns};
	result = socket_holder_find(holder, SOCKET_SEARCH_QUICK, searches, count);
	for (size_t i = 0; i < count; i++) {
		if (searches[i].left_out)
			left_out++;
		else if (!searches[i].program ||
			 (program && strcmp(program, searches[i].program) != 0))
			differ = true;
		else if (!program)
			program = take_pointer(searches[i].program);
		free(searches[i].program);
	}
	if (result < 0 || differ || left_out) {
		free(program);
		program = NULL;
	}
	if (result < 0)
		return result;
	*ret_program = program;
	*ret_left_out = left_out == count;
	return 0;
}

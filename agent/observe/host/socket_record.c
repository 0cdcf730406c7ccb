/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct nla_policy policies[INET_DIAG_MAX + 1] = {
	[INET_DIAG_SKV6ONLY] = {.type = NLA_U8},
	[INET_DIAG_PROTOCOL] = {.type = NLA_U8},
};

int socket_record_parse(const void *bytes, size_t size, uint8_t protocol,
			struct socket_record *ret_record)
{
	struct nlattr *attributes[INET_DIAG_MAX + 1];
	struct socket_record record = {.protocol = protocol};
	struct inet_diag_msg message;
	_cleanup_(freep) void *copy = NULL;
	size_t offset = NLMSG_ALIGN(sizeof(message));

	if (size < sizeof(message) || size > INT32_MAX)
		return -EBADMSG;
	memcpy(&message, bytes, sizeof(message));
	if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6)
		return -EBADMSG;
	memset(attributes, 0, sizeof(attributes));
	if (size > offset) {
		/* a copy: libnl wants the attributes aligned and writable */
		copy = malloc(size - offset);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, (const uint8_t *)bytes + offset, size - offset);
		if (nla_parse(attributes, INET_DIAG_MAX, copy, (int)(size - offset), policies) < 0)
			return -EBADMSG;
	}
	if (attributes[INET_DIAG_PROTOCOL])
		record.protocol = nla_get_u8(attributes[INET_DIAG_PROTOCOL]);
	if (attributes[INET_DIAG_SKV6ONLY]) {
		record.v6_only = nla_get_u8(attributes[INET_DIAG_SKV6ONLY]) != 0;
		record.v6_only_known = true;
	}
	record.state = message.idiag_state;
	if (message.idiag_family == AF_INET) {
		record.family = 4;
		record.local = ip_from_ipv4(message.id.idiag_src);
		record.remote = ip_from_ipv4(message.id.idiag_dst);
	} else {
		record.family = 6;
		record.local = ip_from_ipv6(message.id.idiag_src);
		record.remote = ip_from_ipv6(message.id.idiag_dst);
	}
	record.local_port = ntohs(message.id.idiag_sport);
	record.remote_port = ntohs(message.id.idiag_dport);
	record.inode = message.idiag_inode;
	record.cookie = (uint64_t)message.id.idiag_cookie[1] << 32 | message.id.idiag_cookie[0];
	*ret_record = record;
	return 0;
}

/* "0100007F", or four such words for IPv6: each a word of the address as this machine stores it. */
static int parse_address(const char *text, uint8_t family, struct ip_address *ret_address)
{
	size_t words = family == 4 ? 1 : 4;
	uint32_t address[4] = {0};

	if (strlen(text) != words * 8 || strspn(text, "0123456789abcdefABCDEF") != words * 8)
		return -EBADMSG;
	for (size_t i = 0; i < words; i++) {
		char word[9] = {0};

		memcpy(word, text + 8 * i, 8);
		address[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	*ret_address = family == 4 ? ip_from_ipv4(address) : ip_from_ipv6(address);
	return 0;
}

int socket_record_parse_line(const char *line, uint8_t family, uint8_t protocol,
			     struct socket_record *ret_record)
{
	struct socket_record record = {.protocol = protocol, .family = family};
	char local[33], remote[33];
	unsigned int local_port, remote_port, state, inode;

	/* net/ipv4/tcp_ipv4.c get_tcp4_sock() and its likes: slot, addresses, state, queues, timer,
	 * retransmits, user, timeout, inode */
	if (sscanf(line,
		   " %*u: %32[^: ]:%4x %32[^: ]:%4x %2x %*8[^: ]:%*8s %*[^: ]:%*s %*s %*u %*u %u",
		   local, &local_port, remote, &remote_port, &state, &inode) != 6)
		return -EBADMSG;
	if (parse_address(local, family, &record.local) < 0 ||
	    parse_address(remote, family, &record.remote) < 0)
		return -EBADMSG;
	record.local_port = (uint16_t)local_port;
	record.remote_port = (uint16_t)remote_port;
	record.state = (uint8_t)state;
	record.inode = inode;
	*ret_record = record;
	return 0;
}

int socket_record_parse_sctp_line(const char *line, struct socket_record *records, size_t limit)
{
	unsigned int style, state, port, inode;
	int used = 0;
	int count = 0;

	/* net/sctp/proc.c sctp_eps_seq_show(): ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS,
	 * where style 1 is TCP-like, which must listen (SST), and 0 is UDP-like */
	if (sscanf(line, " %*s %*s %u %u %*u %u %*u %u %n", &style, &state, &port, &inode, &used) !=
		    4 ||
	    !used || port > UINT16_MAX)
		return -EBADMSG;
	line += used;
	while ((size_t)count < limit) {
		char address[IP_TEXT_SIZE];
		int width = 0;

		if (sscanf(line, " %47s%n", address, &width) != 1)
			break;
		line += width;
		if (ip_parse(address, &records[count].local) < 0)
			continue;
		records[count].protocol = IPPROTO_SCTP;
		records[count].family = records[count].local.family;
		records[count].state = (uint8_t)state;
		records[count].local_port = (uint16_t)port;
		records[count].inode = inode;
		count++;
	}
	return count;
}

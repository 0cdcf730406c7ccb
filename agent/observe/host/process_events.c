/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/process_info.h"

/* Bursts wait in the kernel while files are hashed: at 1000 programs a second, several seconds. */
#define RECEIVE_BUFFER	    (4 * 1024 * 1024)
#define ACKNOWLEDGE_WAIT_MS 500
#define DATAGRAM_SIZE	    2048
#define DRAIN_LIMIT	    100000

struct process_events {
	int fd;
	struct loop_source *source;
	process_event_fn deliver;
	void (*after)(void *context);
	void *context;
	uint64_t seen;
	uint64_t lost;
	uint32_t drops_at_start;
};

static uint32_t word_at(const unsigned char *bytes, size_t offset)
{
	uint32_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

#define FIELD(member) offsetof(struct proc_event, event_data.member)

static struct process_event read_event(const unsigned char *bytes)
{
	struct process_event event = {.kind = PROCESS_EVENT_OTHER};
	uint32_t task = word_at(bytes, FIELD(exec.process_pid));

	memcpy(&event.time_ns, bytes + offsetof(struct proc_event, timestamp_ns),
	       sizeof(event.time_ns));
	event.pid = (pid_t)word_at(bytes, FIELD(exec.process_tgid));
	switch (word_at(bytes, offsetof(struct proc_event, what))) {
	case PROC_EVENT_FORK:
		event.pid = (pid_t)word_at(bytes, FIELD(fork.child_tgid));
		event.parent = (pid_t)word_at(bytes, FIELD(fork.parent_tgid));
		if (word_at(bytes, FIELD(fork.child_pid)) == (uint32_t)event.pid)
			event.kind = PROCESS_EVENT_FORK;
		break;
	case PROC_EVENT_EXEC:
		event.kind = PROCESS_EVENT_EXEC;
		break;
	case PROC_EVENT_UID:
		event.user = word_at(bytes, FIELD(id.e.euid));
		if (task == (uint32_t)event.pid)
			event.kind = PROCESS_EVENT_USER;
		break;
	case PROC_EVENT_EXIT:
		if (task == (uint32_t)event.pid)
			event.kind = PROCESS_EVENT_EXIT;
		break;
	default:
		break;
	}
	return event;
}

int process_events_parse(const void *datagram, size_t size, process_event_fn deliver, void *context)
{
	const unsigned char *bytes = datagram;
	/* older kernels send a shorter union; none of ours reaches beyond the exit's first words */
	const size_t event_size = FIELD(exit.exit_code);

	while (size >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr header;
		struct cn_msg message;
		struct process_event event;
		size_t step;

		memcpy(&header, bytes, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size)
			return -EBADMSG;
		if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_NOOP)
			goto next;
		if (header.nlmsg_len < NLMSG_HDRLEN + sizeof(message))
			return -EBADMSG;
		memcpy(&message, bytes + NLMSG_HDRLEN, sizeof(message));
		if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC)
			goto next;
		if (message.len > header.nlmsg_len - NLMSG_HDRLEN - sizeof(message))
			return -EBADMSG;
		if (message.len < FIELD(ack) + sizeof(uint32_t))
			return -EBADMSG;
		if (word_at(bytes + NLMSG_HDRLEN + sizeof(message), 0) == PROC_EVENT_NONE)
			goto next;
		if (message.len < event_size)
			return -EBADMSG;
		event = read_event(bytes + NLMSG_HDRLEN + sizeof(message));
		if (event.kind != PROCESS_EVENT_OTHER && event.pid > 0)
			deliver(context, &event);
	next:
		step = NLMSG_ALIGN(header.nlmsg_len);
		if (step >= size)
			return 0;
		bytes += step;
		size -= step;
	}
	return size ? -EBADMSG : 0;
}

/* Where a field of the event lies in a datagram; BPF loads are big-endian (linux/filter.h). */
#define AT(member)                                                                                 \
	(uint32_t)(NLMSG_HDRLEN + sizeof(struct cn_msg) + offsetof(struct proc_event, member))

/* Threads' forks and exits, and events nobody here wants, do not even wake us up. */
static int attach_filter(int fd)
{
	struct sock_filter program[] = {
		/* 0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(what)),
		/* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_NONE), 13, 0),
		/* 2 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_EXEC), 12, 0),
		/* 3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_FORK), 3, 0),
		/* 4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_EXIT), 6, 0),
		/* 5 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_UID), 5, 0),
		/* 6 */ BPF_STMT(BPF_RET | BPF_K, 0),
		/* 7 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(event_data.fork.child_pid)),
		/* 8 */ BPF_STMT(BPF_MISC | BPF_TAX, 0),
		/* 9 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(event_data.fork.child_tgid)),
		/* 10 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 4, 5),
		/* 11 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(event_data.exit.process_pid)),
		/* 12 */ BPF_STMT(BPF_MISC | BPF_TAX, 0),
		/* 13 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(event_data.exit.process_tgid)),
		/* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
		/* 15 */ BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		/* 16 */ BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = {.len = array_length(program), .filter = program};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return -errno;
	return 0;
}

static int ask(int fd, enum proc_cn_mcast_op operation)
{
	const uint32_t number = operation;
	const struct cn_msg message = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC},
				       .len = sizeof(number)};
	unsigned char request[NLMSG_HDRLEN + sizeof(message) + sizeof(number)] = {0};
	const struct nlmsghdr header = {.nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE};

	memcpy(request, &header, sizeof(header));
	memcpy(request + NLMSG_HDRLEN, &message, sizeof(message));
	memcpy(request + NLMSG_HDRLEN + sizeof(message), &number, sizeof(number));
	if (send(fd, request, sizeof(request), 0) < 0)
		return -errno;
	return 0;
}

/* What the kernel says to our request: 0 or its error; -ETIMEDOUT when it says nothing, as it does
 * outside the initial namespaces (drivers/connector/cn_proc.c). */
static int wait_for_acknowledgement(int fd)
{
	uint64_t until_ns = clock_monotonic_ns() + ACKNOWLEDGE_WAIT_MS * NS_PER_MS;
	const size_t payload = NLMSG_HDRLEN + sizeof(struct cn_msg);
	unsigned char datagram[DATAGRAM_SIZE];

	for (uint64_t now_ns; (now_ns = clock_monotonic_ns()) < until_ns;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t size;

		if (poll(&ready, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1) <= 0)
			continue;
		size = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);
		if (size < (ssize_t)(payload + FIELD(ack) + sizeof(uint32_t)))
			continue;
		if (word_at(datagram + payload, 0) == PROC_EVENT_NONE)
			return -(int)word_at(datagram + payload, FIELD(ack.err));
	}
	return -ETIMEDOUT;
}

static const char *reason(int result)
{
	switch (-result) {
	case EPERM:
	case EACCES:
		return "needs CAP_NET_ADMIN";
	case ECONNREFUSED:
		return "needs the initial network namespace";
	case EPROTONOSUPPORT:
	case ETIMEDOUT:
		return "kernel without CONFIG_PROC_EVENTS, or not its initial namespaces";
	default:
		return strerrorname_np(-result);
	}
}

static uint32_t dropped(int fd)
{
	uint32_t counters[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(counters);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, counters, &size) < 0)
		return 0;
	return counters[SK_MEMINFO_DROPS];
}

static int open_socket(int *ret_fd)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
	_cleanup_(closep) int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
	int size = RECEIVE_BUFFER;
	int result;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	result = attach_filter(fd);
	if (result < 0)
		return result;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	result = ask(fd, PROC_CN_MCAST_LISTEN);
	if (result < 0)
		return result;
	result = wait_for_acknowledgement(fd);
	if (result < 0)
		return result;
	*ret_fd = take_fd(&fd);
	return 0;
}

static void note_loss(struct process_events *events)
{
	uint32_t drops = dropped(events->fd) - events->drops_at_start;

	/* kernels before 4.12 do not tell how many: then each overrun counts as one */
	events->lost = drops > events->lost ? drops : events->lost + 1;
}

void process_events_drain(struct process_events *events)
{
	unsigned char datagram[DATAGRAM_SIZE];

	for (int i = 0; i < DRAIN_LIMIT; i++) {
		struct sockaddr_nl from = {0};
		socklen_t from_size = sizeof(from);
		ssize_t size = recvfrom(events->fd, datagram, sizeof(datagram), MSG_DONTWAIT,
					(struct sockaddr *)&from, &from_size);

		if (size < 0 && errno == ENOBUFS) {
			note_loss(events);
			continue;
		}
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return;
		if (from.nl_pid != 0) /* only the kernel's word counts */
			continue;
		events->seen++;
		if (process_events_parse(datagram, (size_t)size, events->deliver, events->context) <
		    0)
			events->lost++;
	}
}

static void readable(void *context, int fd, uint32_t ready)
{
	struct process_events *events = context;

	(void)fd;
	(void)ready;
	process_events_drain(events);
	events->after(events->context);
}

int process_events_new(struct loop *loop, process_event_fn deliver, void (*after)(void *context),
		       void *context, struct process_events **ret_events, const char **ret_off)
{
	struct process_events *events = NULL;
	_cleanup_(closep) int fd = -1;
	int result;

	if (!in_initial_pid_namespace()) {
		*ret_off = "needs the initial pid namespace";
		return -EOPNOTSUPP;
	}
	result = open_socket(&fd);
	if (result < 0) {
		*ret_off = reason(result);
		return result;
	}
	events = calloc(1, sizeof(*events));
	if (!events) {
		*ret_off = "out of memory";
		return -ENOMEM;
	}
	result = loop_add_fd(loop, fd, EPOLLIN, readable, events, &events->source);
	if (result < 0) {
		free(events);
		*ret_off = reason(result);
		return result;
	}
	events->drops_at_start = dropped(fd);
	events->fd = take_fd(&fd);
	events->deliver = deliver;
	events->after = after;
	events->context = context;
	*ret_events = events;
	return 0;
}

void process_events_free(struct process_events *events)
{
	if (!events)
		return;
	loop_remove(events->source);
	/* older kernels count listeners and never forget one that only closes */
	(void)ask(events->fd, PROC_CN_MCAST_IGNORE);
	(void)close(events->fd);
	free(events);
}

uint64_t process_events_seen(const struct process_events *events)
{
	return events->seen;
}

uint64_t process_events_lost(const struct process_events *events)
{
	return events->lost;
}

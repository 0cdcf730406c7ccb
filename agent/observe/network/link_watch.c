/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/link_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

struct link_watch {
	link_watch_fn changed;
	void *context;
	int socket; /* -1: only the timer */
	struct loop_source *messages;
	struct loop_source *timer;
};

void link_watch_free(struct link_watch *watch)
{
	if (!watch)
		return;
	loop_remove(watch->messages);
	loop_remove(watch->timer);
	closep(&watch->socket);
	free(watch);
}

static void on_timer(void *context)
{
	const struct link_watch *watch = context;

	watch->changed(watch->context);
}

/* That something was said is enough; what, is asked from the kernel afterwards. */
static void on_message(void *context, int fd, uint32_t events)
{
	const struct link_watch *watch = context;
	char byte;

	(void)events;
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 || errno == EINTR ||
	       errno == ENOBUFS)
		;
	watch->changed(watch->context);
}

static void watch_messages(struct loop *loop, struct link_watch *watch)
{
	const struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

	watch->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (watch->socket < 0)
		return;
	if (bind(watch->socket, (const struct sockaddr *)&group, sizeof(group)) < 0 ||
	    loop_add_fd(loop, watch->socket, EPOLLIN, on_message, watch, &watch->messages) < 0) {
		closep(&watch->socket);
		watch->socket = -1;
	}
}

int link_watch_new(struct loop *loop, link_watch_fn changed, void *context,
		   struct link_watch **ret_watch)
{
	struct link_watch *watch = calloc(1, sizeof(*watch));
	int result;

	if (!watch)
		return -ENOMEM;
	watch->changed = changed;
	watch->context = context;
	watch->socket = -1;
	result = loop_add_timer(loop, NS_PER_S, on_timer, watch, &watch->timer);
	if (result < 0) {
		link_watch_free(watch);
		return result;
	}
	watch_messages(loop, watch);
	*ret_watch = watch;
	return 0;
}

bool link_is_up(const char *interface)
{
	_cleanup_(closep) int fd = -1;
	struct ifreq request = {0};

	if (strcmp(interface, "any") == 0)
		return true;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || strlen(interface) >= sizeof(request.ifr_name))
		return false;
	memcpy(request.ifr_name, interface, strlen(interface));
	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

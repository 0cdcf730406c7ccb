/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/surroundings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "gate/resolver_files.h"
#include "gate/routing.h"

#define QUIET_NS	(200 * NS_PER_MS)
#define LONGEST_WAIT_NS (2 * NS_PER_S)

struct surroundings {
	struct loop *loop;
	void (*changed)(void *context);
	void *context;
	int routing_fd;
	struct loop_source *routing_source;
	int files_fd; /* -1: the kernel has no inotify left for us; tried again */
	struct string_list file_names;
	struct loop_source *files_source;
	struct loop_source *timer; /* NULL: nothing happened */
	uint64_t first_ns;	   /* of what happened and was not looked into yet */
	uint64_t last_ns;
	uint64_t not_before_ns; /* after a failure */
	struct routing routing;
	struct resolver_list resolvers;
	struct rules_surroundings now;
};

static void on_timer(void *context);

/* Something may be different. */
static void expect_change(struct surroundings *surroundings)
{
	surroundings->last_ns = clock_boottime_ns();
	if (surroundings->timer)
		return;
	surroundings->first_ns = surroundings->last_ns;
	/* without a timer the next event is another chance */
	(void)loop_add_timer(surroundings->loop, QUIET_NS / 2, on_timer, surroundings,
			     &surroundings->timer);
}

/* That something was said is enough; what, is read afterwards. */
static void on_routing(void *context, int fd, uint32_t events)
{
	char byte;

	(void)events;
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 || errno == EINTR ||
	       errno == ENOBUFS)
		;
	expect_change(context);
}

static void on_files(void *context, int fd, uint32_t events)
{
	struct surroundings *surroundings = context;

	(void)events;
	if (resolver_files_changed(fd, &surroundings->file_names))
		expect_change(surroundings);
}

static void unwatch_files(struct surroundings *surroundings)
{
	loop_remove(surroundings->files_source);
	surroundings->files_source = NULL;
	closep(&surroundings->files_fd);
	surroundings->files_fd = -1;
	string_list_free(&surroundings->file_names);
}

/* Whatever directories are there now, and no others. */
static int watch_files(struct surroundings *surroundings)
{
	int result;

	unwatch_files(surroundings);
	surroundings->files_fd = resolver_files_watch(&surroundings->file_names);
	if (surroundings->files_fd < 0)
		return surroundings->files_fd;
	result = loop_add_fd(surroundings->loop, surroundings->files_fd, EPOLLIN, on_files,
			     surroundings, &surroundings->files_source);
	if (result < 0)
		unwatch_files(surroundings);
	return result;
}

static bool same_addresses(const struct ip_address *a, size_t a_count, const struct ip_address *b,
			   size_t b_count)
{
	return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

static bool same_prefixes(const struct rules_surroundings *now, const struct routing *routing)
{
	if (now->on_link_count != routing->on_link_count)
		return false;
	for (size_t i = 0; i < now->on_link_count; i++)
		if (!ip_equal(&now->on_link[i].address, &routing->on_link[i].address) ||
		    now->on_link[i].prefix_length != routing->on_link[i].prefix_length)
			return false;
	return true;
}

static bool differs(const struct rules_surroundings *now, const struct routing *routing,
		    const struct resolver_list *resolvers)
{
	return !same_addresses(now->resolvers, now->resolver_count, resolvers->items,
			       resolvers->count) ||
	       !same_addresses(now->gateways, now->gateway_count, routing->gateways,
			       routing->gateway_count) ||
	       !same_prefixes(now, routing);
}

static void take_over(struct surroundings *surroundings, const struct routing *routing,
		      const struct resolver_list *resolvers)
{
	routing_free(&surroundings->routing);
	surroundings->routing = *routing;
	surroundings->resolvers = *resolvers;
	surroundings->now = (struct rules_surroundings){
		.known = true,
		.resolvers = surroundings->resolvers.items,
		.resolver_count = surroundings->resolvers.count,
		.gateways = surroundings->routing.gateways,
		.gateway_count = surroundings->routing.gateway_count,
		.on_link = surroundings->routing.on_link,
		.on_link_count = surroundings->routing.on_link_count,
	};
}

/* Watches before it reads: what changes in between is told. Returns whether something is different,
 * or negative errno with what is known as it was. */
static int look(struct surroundings *surroundings)
{
	struct resolver_list resolvers;
	struct routing routing;
	bool different;
	int result;

	/* see on_timer() for what could not be watched */
	(void)watch_files(surroundings);
	result = routing_read(&routing);
	if (result < 0)
		return result;
	resolver_files_read(&resolvers);
	different = differs(&surroundings->now, &routing, &resolvers);
	take_over(surroundings, &routing, &resolvers);
	return different;
}

/* Memory, descriptors, watches: they may be there in a moment. */
static void try_again_later(struct surroundings *surroundings)
{
	expect_change(surroundings);
	surroundings->not_before_ns = surroundings->last_ns + LONGEST_WAIT_NS;
}

static void on_timer(void *context)
{
	struct surroundings *surroundings = context;
	uint64_t now_ns = clock_boottime_ns();
	int result;

	if (now_ns < surroundings->not_before_ns ||
	    (now_ns - surroundings->last_ns < QUIET_NS &&
	     now_ns - surroundings->first_ns < LONGEST_WAIT_NS))
		return;
	loop_remove(surroundings->timer);
	surroundings->timer = NULL;
	result = look(surroundings);
	if (result < 0 || surroundings->files_fd < 0)
		try_again_later(surroundings);
	if (result > 0)
		surroundings->changed(surroundings->context);
}

int surroundings_new(struct loop *loop, void (*changed)(void *context), void *context,
		     struct surroundings **ret_surroundings, struct error *error)
{
	struct surroundings *surroundings = calloc(1, sizeof(*surroundings));
	int result;

	if (!surroundings)
		return error_set(error, ENOMEM, "out of memory");
	surroundings->loop = loop;
	surroundings->changed = changed;
	surroundings->context = context;
	surroundings->files_fd = -1;
	surroundings->routing_fd = routing_watch();
	result = surroundings->routing_fd;
	if (result >= 0)
		result = loop_add_fd(loop, surroundings->routing_fd, EPOLLIN, on_routing,
				     surroundings, &surroundings->routing_source);
	if (result >= 0)
		result = look(surroundings);
	if (result < 0) {
		surroundings_free(surroundings);
		return error_set(error, -result, "cannot read and follow routes and resolvers: %s",
				 strerror(-result));
	}
	if (surroundings->files_fd < 0)
		try_again_later(surroundings);
	*ret_surroundings = surroundings;
	return 0;
}

void surroundings_free(struct surroundings *surroundings)
{
	if (!surroundings)
		return;
	loop_remove(surroundings->timer);
	loop_remove(surroundings->routing_source);
	closep(&surroundings->routing_fd);
	unwatch_files(surroundings);
	routing_free(&surroundings->routing);
	free(surroundings);
}

const struct rules_surroundings *surroundings_now(const struct surroundings *surroundings)
{
	return &surroundings->now;
}

static int compare(const void *a, const void *b)
{
	return ip_compare(a, b);
}

bool surroundings_is_own(const struct surroundings *surroundings, const struct ip_address *address)
{
	const struct routing *routing = &surroundings->routing;

	if (ip_scope(address) == ADDRESS_LOOPBACK)
		return true;
	return routing->own_count > 0 &&
	       bsearch(address, routing->own, routing->own_count, sizeof(*address), compare);
}

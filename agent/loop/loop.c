/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };

struct loop_source {
	struct loop *loop;
	struct loop_source *next; /* in loop->sources, or loop->removed */
	struct loop_source *previous;
	enum source_kind kind;
	int fd;
	bool removed;
	void *context;
	union {
		loop_fd_fn fd_ready;
		loop_timer_fn timer;
		loop_signal_fn signal;
	} callback;
};

struct loop {
	int epoll;
	bool running;
	int value;
	struct loop_source *sources;
	struct loop_source *removed; /* freed once no callback can still hold them */
};

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		int code = errno;

		free(loop);
		return -code;
	}
	*ret_loop = loop;
	return 0;
}

static void free_removed(struct loop *loop)
{
	while (loop->removed) {
		struct loop_source *source = loop->removed;

		loop->removed = source->next;
		free(source);
	}
}

void loop_remove(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->removed)
		return;
	loop = source->loop;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->kind != SOURCE_FD)
		(void)close(source->fd);
	if (source->previous)
		source->previous->next = source->next;
	else
		loop->sources = source->next;
	if (source->next)
		source->next->previous = source->previous;
	source->removed = true;
	source->next = loop->removed;
	loop->removed = source;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_remove(loop->sources);
	free_removed(loop);
	(void)close(loop->epoll);
	free(loop);
}

/* Takes over fd only on success. NULL: errno says why. */
static struct loop_source *add_source(struct loop *loop, enum source_kind kind, int fd,
				      uint32_t events, void *context)
{
	struct loop_source *source = calloc(1, sizeof(*source));
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (!source)
		return NULL;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		int code = errno;

		free(source);
		errno = code;
		return NULL;
	}
	source->loop = loop;
	source->kind = kind;
	source->fd = fd;
	source->context = context;
	source->next = loop->sources;
	if (loop->sources)
		loop->sources->previous = source;
	loop->sources = source;
	return source;
}

int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn callback, void *context,
		struct loop_source **ret_source)
{
	struct loop_source *source = add_source(loop, SOURCE_FD, fd, events, context);

	if (!source)
		return -errno;
	source->callback.fd_ready = callback;
	if (ret_source)
		*ret_source = source;
	return 0;
}

int loop_set_events(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(source->loop->epoll, EPOLL_CTL_MOD, source->fd, &event) < 0)
		return -errno;
	return 0;
}

int loop_add_timer(struct loop *loop, uint64_t interval_ns, loop_timer_fn callback, void *context,
		   struct loop_source **ret_source)
{
	struct timespec interval = {.tv_sec = (time_t)(interval_ns / NS_PER_S),
				    .tv_nsec = (long)(interval_ns % NS_PER_S)};
	struct itimerspec times = {.it_interval = interval, .it_value = interval};
	_cleanup_(closep) int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	struct loop_source *source;

	if (fd < 0 || timerfd_settime(fd, 0, &times, NULL) < 0)
		return -errno;
	source = add_source(loop, SOURCE_TIMER, fd, EPOLLIN, context);
	if (!source)
		return -errno;
	(void)take_fd(&fd);
	source->callback.timer = callback;
	if (ret_source)
		*ret_source = source;
	return 0;
}

int loop_add_signal(struct loop *loop, int signal_number, loop_signal_fn callback, void *context,
		    struct loop_source **ret_source)
{
	_cleanup_(closep) int fd = -1;
	struct loop_source *source;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal_number);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	source = add_source(loop, SOURCE_SIGNAL, fd, EPOLLIN, context);
	if (!source)
		return -errno;
	(void)take_fd(&fd);
	source->callback.signal = callback;
	if (ret_source)
		*ret_source = source;
	return 0;
}

static void dispatch(struct loop_source *source, uint32_t events)
{
	struct signalfd_siginfo info;
	uint64_t expirations;

	switch (source->kind) {
	case SOURCE_FD:
		source->callback.fd_ready(source->context, source->fd, events);
		break;
	case SOURCE_TIMER:
		if (read(source->fd, &expirations, sizeof(expirations)) == sizeof(expirations))
			source->callback.timer(source->context);
		break;
	case SOURCE_SIGNAL:
		while (!source->removed && read(source->fd, &info, sizeof(info)) == sizeof(info))
			source->callback.signal(source->context, (int)info.ssi_signo);
		break;
	}
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[32];

	loop->running = true;
	while (loop->running) {
		int count = epoll_wait(loop->epoll, events, array_length(events), -1);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		for (int i = 0; i < count && loop->running; i++) {
			struct loop_source *source = events[i].data.ptr;

			if (!source->removed)
				dispatch(source, events[i].events);
		}
		free_removed(loop);
	}
	return loop->value;
}

void loop_stop(struct loop *loop, int value)
{
	loop->running = false;
	loop->value = value;
}

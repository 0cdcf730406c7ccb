/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* linux/memfd.h since 6.3; vm.memfd_noexec=2 allows no other */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* What makes a step count: all that was written before is there when this is. */
#define COMMIT(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

static int new_memfd(void)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("rtguard-desk", flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("rtguard-desk", flags);
	return fd < 0 ? -errno : fd;
}

static struct desk *map_desk(int fd)
{
	struct desk *desk = mmap(NULL, sizeof(*desk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return desk == MAP_FAILED ? NULL : desk;
}

int desk_new(int *ret_fd, struct desk **ret_desk)
{
	_cleanup_(closep) int fd = new_memfd();
	struct desk *desk;

	if (fd < 0)
		return fd;
	if (ftruncate(fd, sizeof(*desk)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	desk = map_desk(fd);
	if (!desk)
		return -errno;
	desk->version = DESK_VERSION;
	*ret_fd = take_fd(&fd);
	*ret_desk = desk;
	return 0;
}

int desk_map(int fd, struct desk **ret_desk)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
	struct desk *desk;
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	/* without the seals whoever holds it could make us fault */
	if (status.st_size != (off_t)sizeof(*desk) || (fcntl(fd, F_GET_SEALS) & seals) != seals)
		return -EBADMSG;
	desk = map_desk(fd);
	if (!desk)
		return -errno;
	if (desk->version != DESK_VERSION) {
		desk_unmap(desk);
		return -EBADMSG;
	}
	*ret_desk = desk;
	return 0;
}

void desk_unmap(struct desk *desk)
{
	if (desk)
		(void)munmap(desk, sizeof(*desk));
}

const struct fanotify_event_metadata *desk_event(const struct desk *desk)
{
	const struct fanotify_event_metadata *event;
	uint32_t cursor = desk->cursor;

	if (cursor > DESK_BUFFER_SIZE - sizeof(*event) || cursor % 8)
		return NULL;
	event = (const void *)(desk->buffer + cursor);
	if (event->event_len < sizeof(*event) || event->event_len > DESK_BUFFER_SIZE - cursor)
		return NULL;
	return event;
}

void desk_step(struct desk *desk)
{
	const struct fanotify_event_metadata *event = desk_event(desk);

	if (event)
		COMMIT(desk->cursor, desk->cursor + event->event_len);
}

struct desk_pending *desk_defer(struct desk *desk)
{
	const struct fanotify_event_metadata *event = desk_event(desk);

	for (size_t i = 0; event && i < DESK_PENDING_LIMIT; i++) {
		struct desk_pending *pending = &desk->pending[i];

		if (pending->fd)
			continue;
		pending->pid = event->pid;
		pending->mask = event->mask;
		pending->since_ns = desk->read_ns;
		pending->hash_current = 0;
		memset(pending->hash, 0, sizeof(pending->hash));
		COMMIT(pending->fd, event->fd);
		desk_step(desk);
		return pending;
	}
	return NULL;
}

/* Bytes that may be none: all where the cursor did not come to rest at the end of the events. */
static size_t used_of(const struct desk *desk)
{
	uint32_t length;

	if (desk->cursor > DESK_BUFFER_SIZE - sizeof(length))
		return DESK_BUFFER_SIZE;
	memcpy(&length, desk->buffer + desk->cursor, sizeof(length));
	return length ? DESK_BUFFER_SIZE : desk->cursor;
}

ssize_t desk_fill(struct desk *desk, int fanotify)
{
	ssize_t got;

	/* The cursor stands behind the last event: as long as it does, the buffer counts for
	 * nothing. Behind it all is zero. */
	memset(desk->buffer, 0, used_of(desk));
	COMMIT(desk->cursor, 0);
	desk->read_ns = clock_monotonic_ns();
	got = read(fanotify, desk->buffer, sizeof(desk->buffer));
	if (got >= 0)
		return got;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Deferred, and then it could not step on. */
static void finish_deferral(struct desk *desk)
{
	const struct fanotify_event_metadata *event = desk_event(desk);

	for (size_t i = 0; event && event->fd > 0 && i < DESK_PENDING_LIMIT; i++) {
		if (desk->pending[i].fd == event->fd) {
			desk_step(desk);
			return;
		}
	}
}

void desk_take_over(struct desk *desk)
{
	finish_deferral(desk);
	transient_close_all(&desk->transient);
	if (desk->mounts > 0) {
		int fd = desk->mounts;

		COMMIT(desk->mounts, 0);
		(void)close(fd);
	}
	for (size_t i = 0; i < DESK_EXAMINATIONS; i++) {
		desk->examinations[i].helper = 0; /* a late one writes nothing */
		COMMIT(desk->examinations[i].state, EXAMINATION_FREE);
	}
}

static bool deny(int fanotify, int fd, uint64_t mask)
{
	struct fanotify_response response = {.fd = fd, .response = FAN_DENY};

	return fd > 0 && mask & (FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM) &&
	       write(fanotify, &response, sizeof(response)) == (ssize_t)sizeof(response);
}

size_t desk_settle(struct desk *desk, int fanotify)
{
	const struct fanotify_event_metadata *event;
	size_t settled = 0;

	finish_deferral(desk);
	while ((event = desk_event(desk))) {
		settled += deny(fanotify, event->fd, event->mask);
		desk_step(desk);
	}
	for (size_t i = 0; i < DESK_PENDING_LIMIT; i++) {
		struct desk_pending *pending = &desk->pending[i];

		settled += deny(fanotify, pending->fd, pending->mask);
		pending->fd = 0;
	}
	desk->transient = (struct transient){0};
	desk->mounts = 0;
	desk->suspect_fd = 0;
	desk->suspect_count = 0;
	return settled;
}

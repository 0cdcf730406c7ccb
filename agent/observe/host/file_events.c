/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/file_events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>

#include "base/cleanup.h"
#include "observe/host/mount_table.h"
#include "observe/host/process_info.h"

#define EVENTS_PER_READ 64
#define GROUP_FLAGS                                                                                \
	(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS)

struct file_events {
	struct file_events_config config;
	int fd;
	int mountinfo;
	struct loop_source *source;
	struct loop_source *mount_source;
	uint64_t mask;
	unsigned int mark_scope; /* FAN_MARK_FILESYSTEM, or FAN_MARK_MOUNT */
	unsigned int marked;
	int mark_error;
	bool paused;
	bool evictable;
	pid_t self;
	uint64_t seen;
	uint64_t lost;
};

static int mark(struct file_events *events, unsigned int flags, int directory, const char *path)
{
	if (fanotify_mark(events->fd, flags, events->mask, directory, path) < 0)
		return -errno;
	return 0;
}

static void mark_mount(void *context, const struct mount_entry *entry)
{
	struct file_events *events = context;
	const char *directory = entry->directory;
	int result;

	if (!filesystem_holds_programs(entry->filesystem))
		return;
	result = mark(events, FAN_MARK_ADD | events->mark_scope, AT_FDCWD, directory);
	/* Linux before 4.20 has no marks on filesystems, and some filesystems don't allow them */
	if ((result == -EINVAL || result == -ENODEV || result == -EXDEV || result == -EOPNOTSUPP) &&
	    events->mark_scope == FAN_MARK_FILESYSTEM)
		result = mark(events, FAN_MARK_ADD | FAN_MARK_MOUNT, AT_FDCWD, directory);
	if (result == 0)
		events->marked++;
	else
		events->mark_error = result;
}

static void mounts_changed(void *context, int fd, uint32_t ready)
{
	(void)fd;
	(void)ready;
	(void)mount_table_walk(0, mark_mount, context);
}

static void take_event(struct file_events *events, const struct fanotify_event_metadata *event)
{
	if (event->mask & FAN_Q_OVERFLOW)
		events->lost++;
	if (event->fd < 0) {
		/* the kernel could not open the file for us: it was seen and can't be told */
		if (!(event->mask & FAN_Q_OVERFLOW))
			events->lost++;
		return;
	}
	if (event->vers != FANOTIFY_METADATA_VERSION || event->pid <= 0 ||
	    event->pid == events->self) {
		(void)close(event->fd);
		return;
	}
	events->seen++;
	events->config.deliver(events->config.context, event->fd, event->pid, event->mask);
}

/* Returns whether anything was read. */
static bool read_events(struct file_events *events, unsigned int room)
{
	struct fanotify_event_metadata buffer[EVENTS_PER_READ];
	size_t size = (room < EVENTS_PER_READ ? room : EVENTS_PER_READ) * sizeof(buffer[0]);
	struct fanotify_event_metadata *event = buffer;
	ssize_t length = read(events->fd, buffer, size);

	if (length < 0) {
		if (errno == EAGAIN || errno == EBADF || errno == EFAULT || errno == EINVAL)
			return false;
		/* the file could not be opened for us, and the event is gone */
		if (errno != EINTR)
			events->lost++;
		return true;
	}
	if (events->config.before)
		events->config.before(events->config.context);
	for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
		take_event(events, event);
	return true;
}

bool file_events_drain(struct file_events *events)
{
	for (;;) {
		unsigned int room = events->config.room(events->config.context);

		if (!room) {
			events->paused = true;
			(void)loop_set_events(events->source, 0);
			return false;
		}
		if (!read_events(events, room))
			break;
	}
	if (events->config.drained)
		events->config.drained(events->config.context);
	return true;
}

void file_events_resume(struct file_events *events)
{
	if (!events->paused)
		return;
	events->paused = false;
	(void)loop_set_events(events->source, EPOLLIN);
}

static void readable(void *context, int fd, uint32_t ready)
{
	(void)fd;
	(void)ready;
	(void)file_events_drain(context);
}

static int open_group(void)
{
	/* O_NONBLOCK: a FIFO or a device among the opened files must not make us wait */
	const unsigned int file_flags = O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK;
	int fd = fanotify_init(GROUP_FLAGS, file_flags | O_NOATIME);

	if (fd < 0 && errno == EINVAL)
		fd = fanotify_init(GROUP_FLAGS, file_flags);
	return fd < 0 ? -errno : fd;
}

static const char *reason(int result)
{
	switch (-result) {
	case EPERM:
		return "needs CAP_SYS_ADMIN";
	case ENOSYS:
		return "kernel without CONFIG_FANOTIFY";
	case EINVAL:
		return "kernel without exec notifications (Linux 5.0)";
	case EMFILE:
		return "too many fanotify groups";
	default:
		return strerrorname_np(-result);
	}
}

static int watch_mounts(struct loop *loop, struct file_events *events)
{
	int result;

	events->mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (events->mountinfo < 0)
		return -errno;
	/* before the first walk, so that a mount made meanwhile is told */
	result = loop_add_fd(loop, events->mountinfo, EPOLLPRI, mounts_changed, events,
			     &events->mount_source);
	if (result < 0)
		return result;
	result = mount_table_walk(0, mark_mount, events);
	if (result < 0)
		return result;
	return events->marked ? 0 : events->mark_error ? events->mark_error : -ENODEV;
}

int file_events_new(struct loop *loop, const struct file_events_config *config,
		    struct file_events **ret_events, const char **ret_off)
{
	struct file_events *events = calloc(1, sizeof(*events));
	int result = -ENOMEM;

	if (!events)
		goto fail;
	events->config = *config;
	events->mountinfo = -1;
	events->self = getpid();
	events->mask = FAN_OPEN_EXEC | (config->kind == FILE_EVENTS_OPEN ? FAN_OPEN : 0);
	/* Other pid namespaces see no pids of ours and have their own affairs: there only our own
	 * mounts are watched, else whole filesystems, whichever mount namespace reaches them. */
	events->mark_scope = in_initial_pid_namespace() ? FAN_MARK_FILESYSTEM : FAN_MARK_MOUNT;
	events->evictable = true;
	events->fd = result = open_group();
	if (result < 0)
		goto fail;
	result = watch_mounts(loop, events);
	if (result < 0)
		goto fail;
	result = loop_add_fd(loop, events->fd, EPOLLIN, readable, events, &events->source);
	if (result < 0)
		goto fail;
	*ret_events = events;
	return 0;
fail:
	*ret_off = reason(result);
	file_events_free(events);
	return result;
}

void file_events_free(struct file_events *events)
{
	if (!events)
		return;
	loop_remove(events->source);
	loop_remove(events->mount_source);
	if (events->fd >= 0)
		(void)close(events->fd);
	if (events->mountinfo >= 0)
		(void)close(events->mountinfo);
	free(events);
}

int file_events_watch(struct file_events *events, int fd)
{
	return mark(events, FAN_MARK_ADD | events->mark_scope, fd, NULL);
}

int file_events_ignore(struct file_events *events, int fd)
{
	const unsigned int flags = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK;
	int result = -EINVAL;

	if (events->evictable) {
		result = fanotify_mark(events->fd, flags | FAN_MARK_EVICTABLE, FAN_OPEN, fd, NULL);
		result = result < 0 ? -errno : 0;
	}
	if (result == -EINVAL) {
		/* Linux before 5.19: each mark keeps its inode in memory; there are few of
		 * these */
		events->evictable = false;
		result = fanotify_mark(events->fd, flags, FAN_OPEN, fd, NULL) < 0 ? -errno : 0;
	}
	return result;
}

uint64_t file_events_seen(const struct file_events *events)
{
	return events->seen;
}

uint64_t file_events_lost(const struct file_events *events)
{
	return events->lost;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guard/desk.h"
#include "observe/host/process_info.h"
#include "privilege/child.h"

#define IDLE_WAIT_MS 1000
#define END_WAIT_MS  2000

#define HOLDER_FIELDS_FIRST 5 /* before there were rules */

/* What the locked file says. */
struct holder {
	int supervisor;
	unsigned long long since_ns; /* when it began: pids are given again */
	int guard;		     /* 0: none */
	int group;		     /* numbers in the guard's descriptor table */
	int desk;
	/* the network namespace (its inode) in which rules for connections are; 0: there are none
	 */
	unsigned long long rules;
};

#define HOLDER_FORMAT(number, large)                                                               \
	"supervisor " number "\nsince " large "\nguard " number "\ngroup " number "\ndesk " number \
	"\nrules " large "\n"

struct instance {
	char path[PATH_MAX];
	int lock;
	unsigned long long since_ns; /* our own beginning */
	int guard_process;	     /* pidfd of the guard that was left over, or -1 */
	struct holder former;	     /* zero: nobody was before */
	struct holder own;	     /* what was noted last */
};

static int read_holder(int fd, struct holder *ret_holder)
{
	char text[200];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	if (size < 0)
		return -errno;
	text[size] = '\0';
	*ret_holder = (struct holder){0};
	if (sscanf(text, HOLDER_FORMAT("%d", "%llu"), &ret_holder->supervisor,
		   &ret_holder->since_ns, &ret_holder->guard, &ret_holder->group, &ret_holder->desk,
		   &ret_holder->rules) < HOLDER_FIELDS_FIRST)
		return -EBADMSG;
	return 0;
}

static unsigned long long started_ns(pid_t pid)
{
	struct process_stat stat;

	return process_stat_read(pid, &stat) == 0 ? stat.started_ns : 0;
}

static bool is_alive(const struct holder *holder)
{
	return holder->supervisor > 0 && holder->since_ns > 0 &&
	       started_ns(holder->supervisor) == holder->since_ns &&
	       !child_has_ended(holder->supervisor);
}

static int make_directory_of(const char *path, struct error *error)
{
	char directory[PATH_MAX];
	char *slash;

	(void)snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return 0;
	*slash = '\0';
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return error_set(error, errno, "cannot make %s: %s", directory, strerror(errno));
	return 0;
}

/* Somebody has the lock: a living supervisor, or the guard of one that is gone. */
static int meet_holder(struct instance *instance, struct error *error)
{
	if (read_holder(instance->lock, &instance->former) < 0)
		return error_set(error, EBUSY,
				 "%s is locked by a process that says nothing of itself; "
				 "'fuser %s' names it",
				 instance->path, instance->path);
	if (is_alive(&instance->former))
		return error_set(error, EBUSY,
				 "rtguard enforces here already: process %d; 'rtguard status' asks "
				 "it, 'rtguard stop' ends it",
				 instance->former.supervisor);
	instance->guard_process = (int)syscall(SYS_pidfd_open, instance->former.guard, 0);
	if (instance->guard_process < 0)
		return error_set(error, EBUSY,
				 "%s is locked, but neither its supervisor (process %d) nor its "
				 "guard (process %d) is there; 'fuser %s' names who holds it",
				 instance->path, instance->former.supervisor,
				 instance->former.guard, instance->path);
	return 0;
}

int instance_claim(const char *path, struct instance **ret_instance, struct error *error)
{
	struct instance *instance;
	int result = make_directory_of(path, error);

	if (result < 0)
		return result;
	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return error_set(error, ENOMEM, "out of memory");
	instance->guard_process = -1;
	instance->since_ns = started_ns(getpid());
	(void)snprintf(instance->path, sizeof(instance->path), "%s", path);
	instance->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (instance->lock < 0)
		result = error_set(error, errno, "cannot open %s: %s", path, strerror(errno));
	else if (flock(instance->lock, LOCK_EX | LOCK_NB) < 0)
		result = errno == EWOULDBLOCK ? meet_holder(instance, error)
					      : error_set(error, errno, "cannot lock %s: %s", path,
							  strerror(errno));
	if (result < 0) {
		instance_free(instance);
		return result;
	}
	(void)read_holder(instance->lock, &instance->former); /* none yet is fine */
	instance->own.rules = instance->former.rules;
	if (instance->guard_process < 0)
		instance_note(instance, 0, -1, -1);
	*ret_instance = instance;
	return 0;
}

void instance_free(struct instance *instance)
{
	if (!instance)
		return;
	closep(&instance->guard_process);
	closep(&instance->lock);
	free(instance);
}

pid_t instance_orphan(const struct instance *instance)
{
	return instance->guard_process >= 0 ? instance->former.guard : 0;
}

static void write_holder(int fd, const struct holder *holder)
{
	char text[200];
	int size = snprintf(text, sizeof(text), HOLDER_FORMAT("%d", "%llu"), holder->supervisor,
			    holder->since_ns, holder->guard, holder->group, holder->desk,
			    holder->rules);

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)size, 0);
}

void instance_note(struct instance *instance, pid_t guard, int group, int desk)
{
	instance->own.supervisor = (int)getpid();
	instance->own.since_ns = instance->since_ns;
	instance->own.guard = (int)guard;
	instance->own.group = group;
	instance->own.desk = desk;
	write_holder(instance->lock, &instance->own);
}

static unsigned long long own_network(void)
{
	struct stat status;

	return stat("/proc/self/ns/net", &status) == 0 ? status.st_ino : 0;
}

bool instance_had_rules(const struct instance *instance)
{
	return instance->former.rules && instance->former.rules == own_network();
}

void instance_note_rules(struct instance *instance, bool rules)
{
	instance->own.rules = rules ? own_network() : 0;
	/* until the guard that was left is taken over, the file is what it was */
	if (instance->guard_process < 0)
		write_holder(instance->lock, &instance->own);
}

enum instance_state instance_look(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct holder holder;

	if (fd < 0 || read_holder(fd, &holder) < 0)
		return INSTANCE_NONE;
	if (is_alive(&holder))
		return INSTANCE_ALIVE;
	if (!holder.rules)
		return INSTANCE_NONE;
	return holder.rules == own_network() ? INSTANCE_RULES : INSTANCE_RULES_ELSEWHERE;
}

void instance_forget_rules(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct holder holder;

	if (fd < 0 || read_holder(fd, &holder) < 0)
		return;
	holder.rules = 0;
	write_holder(fd, &holder);
}

static bool is_idle(const struct desk *desk)
{
	if (desk->busy_since_ns)
		return false;
	for (size_t i = 0; i < DESK_PENDING_LIMIT; i++)
		if (desk->pending[i].fd)
			return false;
	return true;
}

static int take_over(struct instance *instance, int *ret_group, int *ret_desk)
{
	_cleanup_(closep) int group =
		(int)syscall(SYS_pidfd_getfd, instance->guard_process, instance->former.group, 0);
	_cleanup_(closep) int desk_fd =
		(int)syscall(SYS_pidfd_getfd, instance->guard_process, instance->former.desk, 0);
	struct pollfd ended = {.fd = instance->guard_process, .events = POLLIN};
	struct desk *desk;
	int result;

	if (group < 0 || desk_fd < 0)
		return -errno;
	result = desk_map(desk_fd, &desk);
	if (result < 0)
		return result;
	for (int i = 0; i < IDLE_WAIT_MS && !is_idle(desk); i++)
		(void)usleep(1000);
	desk_unmap(desk);
	if (syscall(SYS_pidfd_send_signal, instance->guard_process, SIGKILL, NULL, 0) < 0)
		return -errno;
	if (poll(&ended, 1, END_WAIT_MS) != 1)
		return -ETIMEDOUT;
	*ret_group = take_fd(&group);
	*ret_desk = take_fd(&desk_fd);
	return 0;
}

int instance_adopt(struct instance *instance, int *ret_group, int *ret_desk, struct error *error)
{
	int result;

	*ret_group = -1;
	*ret_desk = -1;
	if (instance->guard_process < 0)
		return 0;
	result = take_over(instance, ret_group, ret_desk);
	if (result == -ESRCH || (result < 0 && child_has_ended(instance->former.guard)))
		result = 0; /* it ended meanwhile, and released whoever waited */
	if (result < 0)
		return error_set(error, -result,
				 "cannot take over from the guard that was left (process %d): %s",
				 instance->former.guard, strerror(-result));
	(void)close(instance->guard_process);
	instance->guard_process = -1;
	if (flock(instance->lock, LOCK_EX | LOCK_NB) < 0)
		return error_set(error, errno, "cannot lock %s: %s", instance->path,
				 strerror(errno));
	return 0;
}

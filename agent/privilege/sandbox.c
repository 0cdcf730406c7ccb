/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "privilege/landlock.h"

#define WORKER_USER "rtguard"

/* "Dynamic service users", systemd docs/UIDS-GIDS.md */
enum { FIRST_DYNAMIC_ID = 61184, LAST_DYNAMIC_ID = 65519 };

/* One bit per number of the dynamic range. */
struct id_set {
	uint8_t bits[(LAST_DYNAMIC_ID - FIRST_DYNAMIC_ID) / 8 + 1];
};

static void id_set_add(struct id_set *set, unsigned int id)
{
	if (id >= FIRST_DYNAMIC_ID && id <= LAST_DYNAMIC_ID)
		set->bits[(id - FIRST_DYNAMIC_ID) / 8] |=
			(uint8_t)(1U << (id - FIRST_DYNAMIC_ID) % 8);
}

static bool id_set_has(const struct id_set *set, unsigned int id)
{
	return set->bits[(id - FIRST_DYNAMIC_ID) / 8] & 1U << (id - FIRST_DYNAMIC_ID) % 8;
}

int sandbox_user(uid_t *ret_user, gid_t *ret_group)
{
	_cleanup_(fclosep) FILE *users = fopen("/etc/passwd", "re");
	_cleanup_(fclosep) FILE *groups = fopen("/etc/group", "re");
	struct id_set taken = {0};
	const struct passwd *user;
	const struct group *group;

	while (users && (user = fgetpwent(users))) {
		if (strcmp(user->pw_name, WORKER_USER) == 0 && user->pw_uid && user->pw_gid) {
			*ret_user = user->pw_uid;
			*ret_group = user->pw_gid;
			return 0;
		}
		id_set_add(&taken, user->pw_uid);
		id_set_add(&taken, user->pw_gid);
	}
	while (groups && (group = fgetgrent(groups)))
		id_set_add(&taken, group->gr_gid);
	for (unsigned int id = FIRST_DYNAMIC_ID; id <= LAST_DYNAMIC_ID; id++) {
		if (id_set_has(&taken, id))
			continue;
		*ret_user = id;
		*ret_group = id;
		return 0;
	}
	return -ENOENT;
}

/* Into a directory that is removed before anybody can put something there: a directory without a
 * name cannot get entries, and nothing has to be cleaned up later. */
static int enter_empty_root(struct error *error)
{
	static const char *const parents[] = {"/run", "/tmp", "/dev/shm", "/var/tmp"};
	char path[64];
	bool made = false;

	for (size_t i = 0; i < array_length(parents) && !made; i++) {
		(void)snprintf(path, sizeof(path), "%s/rtguard-root-XXXXXX", parents[i]);
		made = mkdtemp(path) != NULL;
	}
	if (!made)
		return error_set(error, errno,
				 "no place for a worker's empty root directory: /run, /tmp, "
				 "/dev/shm and /var/tmp cannot be written: %s",
				 strerror(errno));
	if (chdir(path) < 0 || rmdir(path) < 0 || chroot(".") < 0) {
		int code = errno;

		(void)rmdir(path);
		return error_set(error, code, "cannot enter an empty root directory: %s",
				 strerror(code));
	}
	return 0;
}

static int drop_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
	     capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capset, &header, none) < 0 || syscall(SYS_capget, &header, left) < 0)
		return -errno;
	return memcmp(left, none, sizeof(left)) == 0 ? 0 : -EPERM;
}

static int become_worker_user(struct error *error)
{
	uid_t user;
	gid_t group;

	if (sandbox_user(&user, &group) < 0)
		return error_set(error, ENOENT,
				 "no user for workers: add one named " WORKER_USER
				 " (useradd --system " WORKER_USER ")");
	/* Best effort: with the system call filter no socket can be made in them anyway. */
	(void)unshare(CLONE_NEWNET | CLONE_NEWIPC);
	if (enter_empty_root(error) < 0)
		return -error->code;
	if (drop_bounding_set() < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(group, group, group) < 0 || setresuid(user, user, user) < 0)
		return error_set(error, errno, "cannot become user %u: %s", user, strerror(errno));
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
		return error_set(error, EPERM, "root could be had back after giving it up");
	return 0;
}

static int limit_resources(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t most;
	} limits[] = {
		/* what comes over the channel and what the caller left open, one per interface */
		{RLIMIT_NOFILE, 64},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_CORE, 0},
		{RLIMIT_NPROC, 0},
		{RLIMIT_DATA, WORKER_MEMORY_BYTES},
	};

	for (size_t i = 0; i < array_length(limits); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit) < 0)
			return -errno;
		if (limit.rlim_max > limits[i].most)
			limit.rlim_max = limits[i].most;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i].resource, &limit) < 0)
			return -errno;
	}
	return 0;
}

int sandbox_enter(struct error *error)
{
	int result;

	if (geteuid() == 0 && become_worker_user(error) < 0)
		return -error->code;
	result = drop_capabilities();
	if (result < 0)
		return error_set(error, -result, "cannot give up capabilities: %s",
				 strerror(-result));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(error, errno, "cannot give up new privileges: %s",
				 strerror(errno));
	landlock_close_files();
	result = limit_resources();
	if (result < 0)
		return error_set(error, -result, "cannot limit resources: %s", strerror(-result));
	return 0;
}

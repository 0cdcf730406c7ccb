/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filesystems that were not there when the agent looked: new mounts, private ones, FUSE. */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evade.h"

static void mount_here(const char *type, const char *options)
{
	if (mkdir("mounted", 0755) || mount("none", "mounted", type, 0, options))
		err(2, "mount %s", type);
}

static void enter_mount_namespace(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(2, "unshare");
}

static void enter_user_namespace(void)
{
	char map[64];
	unsigned int user = getuid();
	unsigned int group = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		err(2, "unshare");
	set_value("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", user);
	set_value("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", group);
	set_value("/proc/self/gid_map", map);
}

static void run_in_mount(const char *name)
{
	drop(name, "mounted/evil");
	run("mounted/evil", NULL);
}

static void tmpfs_at_once(void)
{
	mount_here("tmpfs", NULL);
	run_in_mount("intruder-raw");
	umount2("mounted", MNT_DETACH);
}

static void ramfs_at_once(void)
{
	mount_here("ramfs", NULL);
	run_in_mount("intruder-raw");
	umount2("mounted", MNT_DETACH);
}

static void private_tmpfs(void)
{
	enter_mount_namespace();
	mount_here("tmpfs", NULL);
	run_in_mount("intruder-raw");
}

static void private_tmpfs_dynamic(void)
{
	enter_mount_namespace();
	mount_here("tmpfs", NULL);
	run_in_mount("intruder");
}

static void overlay(void)
{
	enter_mount_namespace();
	mount_here("tmpfs", NULL);
	if (mkdir("mounted/upper", 0755) || mkdir("mounted/work", 0755) || mkdir("lower", 0755) ||
	    mkdir("merged", 0755))
		err(2, "mkdir");
	copy_allowed("victim", "lower/victim");
	copy_allowed("libvictim.so", "lower/libvictim.so");
	if (mount("overlay", "merged", "overlay", 0,
		  "lowerdir=lower,upperdir=mounted/upper,workdir=mounted/work"))
		err(2, "mount overlay");
	run("merged/victim", NULL);
	drop("intruder-raw", "merged/victim");
	run("merged/victim", NULL);
}

static void change_root(void)
{
	pid_t pid;

	if (mkdir("root", 0755) || mkdir("root/bin", 0755))
		err(2, "mkdir");
	drop("intruder-static", "root/bin/sh");
	/* the trace's directory, at the same place */
	if (mkdir("root/run", 0755) || mkdir("root/run/evasion", 0755) ||
	    mount("/run/evasion", "root/run/evasion", NULL, MS_BIND, NULL))
		err(2, "mount");
	pid = fork();
	if (!pid) {
		if (chroot("root") || chdir("/"))
			err(2, "chroot");
		_exit(run("/bin/sh", NULL));
	}
	finish(pid);
	umount2("root/run/evasion", MNT_DETACH);
}

static void user_namespace(const char *name)
{
	enter_user_namespace();
	mount_here("tmpfs", NULL);
	run_in_mount(name);
}

static void user_namespace_static(void)
{
	user_namespace("intruder-raw");
}

static void user_namespace_dynamic(void)
{
	user_namespace("intruder");
}

#define NAMESPACE_LIMIT                                                                            \
	"a filesystem in a mount namespace of its own has no mark before its first program is "    \
	"seen; a static one may be done by then"
#define PRIVATE_REMEDY                                                                             \
	"no capability to mount for services (CapabilityBoundingSet=, RestrictNamespaces=)"
#define USER_NAMESPACE_REMEDY  "user namespaces for root alone"
#define USER_NAMESPACE_SETTING "user.max_user_namespaces=0"

const struct trick tricks_mounts[] = {
	{"tmpfs-at-once", 8, "a new tmpfs, executed from at once", AS_ROOT, 0, tmpfs_at_once},
	{"ramfs-at-once", 8, "a new ramfs, executed from at once", AS_ROOT, 0, ramfs_at_once},
	{"private-tmpfs", 8, "a tmpfs in a mount namespace of its own", AS_ROOT, NEEDS_MACHINE,
	 private_tmpfs, .limit = NAMESPACE_LIMIT, .remedy = PRIVATE_REMEDY},
	{"private-tmpfs-dynamic", 8, "the same, a dynamic program", AS_ROOT, NEEDS_MACHINE,
	 private_tmpfs_dynamic},
	{"overlay", 8, "an allowed program changed in an overlay's upper layer", AS_ROOT,
	 NEEDS_MACHINE, overlay},
	{"chroot", 8, "another root directory with a /bin/sh of its own", AS_ROOT, 0, change_root},
	{"user-namespace", 9, "a tmpfs in a user namespace", AS_NOBODY, NEEDS_MACHINE,
	 user_namespace_static, .limit = NAMESPACE_LIMIT, .remedy = USER_NAMESPACE_REMEDY,
	 .setting = USER_NAMESPACE_SETTING},
	{"user-namespace-dynamic", 9, "the same, a dynamic program", AS_NOBODY, NEEDS_MACHINE,
	 user_namespace_dynamic},
	{},
};

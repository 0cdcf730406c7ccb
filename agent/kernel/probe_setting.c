/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "kernel/capability_table.h"
#include "kernel/setting_table.h"
#include "kernel/sysctl.h"

/* Each asks for what cannot be had, or lets it go at once: only ENOSYS counts. */
bool memfd_is_absent(void)
{
	_cleanup_(closep) int fd = memfd_create("rtguard", MFD_CLOEXEC);

	return fd < 0 && errno == ENOSYS;
}

bool user_namespaces_are_absent(void)
{
	return access("/proc/self/ns/user", F_OK) < 0 && errno == ENOENT;
}

bool userfaultfd_is_absent(void)
{
	_cleanup_(closep) int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	return fd < 0 && errno == ENOSYS;
}

bool io_uring_is_absent(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == ENOSYS;
}

bool bpf_is_absent(void)
{
	return syscall(SYS_bpf, -1, NULL, 0) < 0 && errno == ENOSYS;
}

bool is_switched_by_sysctl_alone(void)
{
	return access("/proc/sys/kernel/osrelease", F_OK) == 0;
}

/* One way that is closed closes the gap; else the finding is about the first way there is. */
void probe_setting(const struct capability_row *row, const char *root,
		   struct capability_finding *finding)
{
	const struct setting *setting = setting_find(row->setting);
	bool found = false;

	for (size_t i = 0; i < SETTING_WAYS_MAX && setting->ways[i].sysctl; i++) {
		const struct setting_way *way = &setting->ways[i];
		long value;
		int result = sysctl_read(root, way->sysctl, &value);

		if (result == 0 && setting_is_enough(way, value)) {
			finding_set(finding, CAPABILITY_ON, "%s=%ld", way->sysctl, value);
			return;
		}
		if (result == -ENOENT || found)
			continue;
		found = true;
		if (result == 0)
			finding_set(finding, CAPABILITY_OFF, "%s=%ld", way->sysctl, value);
		else
			finding_set(finding, CAPABILITY_UNKNOWN, "%s: %s", way->sysctl,
				    strerrorname_np(-result));
	}
	if (found)
		return;
	if (row->is_absent && row->is_absent())
		finding_set(finding, CAPABILITY_ON, "not in this kernel");
	else
		finding_set(finding, CAPABILITY_MISSING, "no %s", setting->ways[0].sysctl);
}

static bool modules_must_be_signed(const char *root)
{
	char path[PATH_MAX];
	char answer = 'N';
	_cleanup_(closep) int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/sys/module/module/parameters/sig_enforce", root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

void probe_module_loading(const struct capability_row *row, const char *root,
			  struct capability_finding *finding)
{
	if (modules_must_be_signed(root))
		finding_set(finding, CAPABILITY_ON, "modules must be signed");
	else
		probe_setting(row, root, finding);
}

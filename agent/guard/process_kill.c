/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/process_kill.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/process_facts.h"

static bool runs(struct desk *desk, pid_t pid, const struct file_key *image)
{
	struct file_facts facts;

	return process_image_facts(desk, pid, &facts) == 0 && facts.key.device == image->device &&
	       facts.key.inode == image->inode;
}

int process_kill(struct desk *desk, pid_t pid, const struct file_key *image)
{
	int result = 0;
	int fd = desk_keep(desk, (int)syscall(SYS_pidfd_open, pid, 0));

	if (fd < 0 && errno != ENOSYS)
		return -errno;
	if (!runs(desk, pid, image))
		result = -ESRCH;
	/* before Linux 5.3: it waits for our answer, so that its pid is not free */
	else if (fd < 0)
		result = kill(pid, SIGKILL) < 0 ? -errno : 0;
	else if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		result = -errno;
	desk_close(desk, fd);
	return result;
}

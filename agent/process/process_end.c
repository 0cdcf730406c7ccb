/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/process_end.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int process_end(struct transient *transient, const struct process_image *image)
{
	int fd = transient_keep(transient, (int)syscall(SYS_pidfd_open, image->pid, 0));
	int result = 0;

	if (fd < 0 && errno != ENOSYS)
		return -errno;
	if (!process_image_holds(transient, image))
		result = -ESRCH;
	/* before Linux 5.3 a moment is left in which the pid could change hands, unless it waits
	 * for our answer */
	else if (fd < 0)
		result = kill(image->pid, SIGKILL) < 0 ? -errno : 0;
	else if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		result = -errno;
	transient_close(transient, fd);
	return result;
}

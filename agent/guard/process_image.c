/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/process_image.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/host/process_info.h"

static int open_place(const char *directory, const char *name)
{
	char path[300];
	int place;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	place = open(path, O_PATH | O_CLOEXEC);
	return place < 0 ? -errno : place;
}

/* The first thread may have ended and left the others running: then it has no program. */
static int open_of_a_thread(const char *process)
{
	char path[64];
	struct dirent *entry;
	int result = -ENOENT;
	DIR *tasks;

	(void)snprintf(path, sizeof(path), "%s/task", process);
	tasks = opendir(path);
	while (tasks && result < 0 && (entry = readdir(tasks))) {
		char link[270];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(link, sizeof(link), "%s/exe", entry->d_name);
		result = open_place(path, link);
	}
	if (tasks)
		(void)closedir(tasks);
	return result;
}

int process_image_look(pid_t pid, struct process_image *ret_image, int *ret_place)
{
	struct process_image image = {.pid = pid};
	_cleanup_(closep) int place = -1;
	struct process_stat status;
	char process[32];
	int result;

	result = process_stat_read(pid, &status);
	if (result < 0)
		return result;
	if (status.kernel_thread)
		return -ENOENT;
	(void)snprintf(process, sizeof(process), "/proc/%d", (int)pid);
	place = open_place(process, "exe");
	if (place == -ENOENT)
		place = open_of_a_thread(process);
	if (place < 0)
		return place;
	result = file_key_at(place, "", &image.file);
	if (result < 0 && result != -EACCES)
		return result;
	image.hidden = result < 0;
	image.parent = status.parent;
	image.started_ns = status.started_ns;
	image.image_mark = status.image_mark;
	*ret_image = image;
	*ret_place = take_fd(&place);
	return 0;
}

bool process_image_holds(const struct process_image *image)
{
	struct process_image now;
	_cleanup_(closep) int place = -1;

	return process_image_look(image->pid, &now, &place) == 0 &&
	       now.started_ns == image->started_ns && now.hidden == image->hidden &&
	       now.file.device == image->file.device && now.file.inode == image->file.inode;
}

int process_image_end(const struct process_image *image)
{
	_cleanup_(closep) int pidfd = (int)syscall(SYS_pidfd_open, image->pid, 0);
	long result;

	if (pidfd < 0 && errno != ENOSYS)
		return -errno;
	if (!process_image_holds(image))
		return -ESRCH;
	/* before Linux 5.3 a moment is left in which the pid could change hands */
	result = pidfd < 0 ? kill(image->pid, SIGKILL)
			   : syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	return result < 0 ? -errno : 0;
}

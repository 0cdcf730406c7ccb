/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/process_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process_read.h"

/* struct linux_dirent64 of getdents64(2) */
struct directory_entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

typedef int (*link_fn)(void *context, const char *link);

static int use_thread(pid_t thread, link_fn use, void *context)
{
	char link[PROCESS_PATH_SIZE];

	process_path(link, thread, "exe");
	return use(context, link);
}

static int use_other_threads(struct transient *transient, pid_t pid, link_fn use, void *context)
{
	_Alignas(8) char bytes[4096];
	char path[PROCESS_PATH_SIZE];
	int result = -ENOENT;
	long got;
	int fd;

	process_path(path, pid, "task");
	fd = transient_open(transient, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	got = syscall(SYS_getdents64, fd, bytes, sizeof(bytes));
	for (long at = 0; at < got && result == -ENOENT;) {
		const struct directory_entry *entry = (const void *)(bytes + at);
		int thread = atoi(entry->name);

		if (thread > 0 && thread != pid)
			result = use_thread(thread, use, context);
		at += entry->size;
	}
	transient_close(transient, fd);
	return result;
}

/* The first link that leads to a program. */
static int use_link(struct transient *transient, pid_t pid, link_fn use, void *context)
{
	int result = use_thread(pid, use, context);

	return result == -ENOENT ? use_other_threads(transient, pid, use, context) : result;
}

static int take_facts(void *context, const char *link)
{
	return file_facts_at(AT_FDCWD, link, context);
}

static int take_place(void *context, const char *link)
{
	int place = open(link, O_PATH | O_CLOEXEC);

	(void)context;
	return place < 0 ? -errno : place;
}

int process_image_facts(struct transient *transient, pid_t pid, struct file_facts *ret_facts)
{
	return use_link(transient, pid, take_facts, ret_facts);
}

int process_image_look(pid_t pid, struct process_image *ret_image, int *ret_place)
{
	_cleanup_(closep) int place = -1;
	struct process_stat status;
	struct file_facts facts = {0};
	int result;

	result = process_read_stat(NULL, pid, &status);
	if (result < 0)
		return result;
	if (status.kernel_thread)
		return -ENOENT;
	place = use_link(NULL, pid, take_place, NULL);
	if (place < 0)
		return place;
	result = file_facts_at(place, "", &facts);
	if (result < 0 && result != -EACCES)
		return result;
	*ret_image = (struct process_image){
		.pid = pid,
		.parent = status.parent,
		.started_ns = status.started_ns,
		.image_mark = status.image_mark,
		.hidden = result < 0,
		.file = facts.key,
		.mount = facts.mount,
	};
	*ret_place = take_fd(&place);
	return 0;
}

bool process_image_holds(struct transient *transient, const struct process_image *image)
{
	struct process_stat status;
	struct file_facts now;
	int result;

	if (image->started_ns && (process_read_stat(transient, image->pid, &status) < 0 ||
				  status.started_ns != image->started_ns))
		return false;
	result = process_image_facts(transient, image->pid, &now);
	if (image->hidden)
		return result == -EACCES;
	return result == 0 && now.key.device == image->file.device &&
	       now.key.inode == image->file.inode;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/file_examination.h"

#include <errno.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/host/mount_table.h"
#include "observe/host/named_file.h"
#include "process/file_hash.h"
#include "process/process_image.h"
#include "program/file_nature.h"

static int hash_all(int fd, struct file_report *report)
{
	static uint8_t buffer[FILE_HASH_SLICE]; /* the child's own */
	struct file_hash hash = {0};
	enum file_hash_step step;
	ssize_t got;

	do {
		step = file_hash_advance(&hash, fd, buffer, true, report->sha256, &report->settled);
	} while (step == FILE_HASH_MORE);
	if (step != FILE_HASH_DONE)
		return -EIO;
	report->facts.key = hash.key;
	got = pread(fd, buffer, sizeof(buffer), 0);
	report->nature =
		(uint8_t)(got < 0 ? FILE_EXECUTABLE : file_nature_of(buffer, (size_t)got, ""));
	return 0;
}

static int examine(int place, uint64_t size_limit, struct file_report *report)
{
	_cleanup_(closep) int fd = -1;
	struct statfs filesystem;
	int result = file_facts_at(place, "", &report->facts);

	if (result < 0)
		return result;
	if (!S_ISREG(report->facts.mode))
		return -EINVAL;
	if (fstatfs(place, &filesystem) < 0)
		return -errno;
	if (filesystem_keeper_of_magic((unsigned long)filesystem.f_type) == FILESYSTEM_PROCESS)
		return -EXDEV;
	if ((uint64_t)report->facts.key.size > size_limit)
		return -EFBIG;
	fd = regular_file_reopen(place);
	return fd < 0 ? fd : hash_all(fd, report);
}

void file_examine(int place, uint64_t size_limit, struct file_report *ret_report)
{
	memset(ret_report, 0, sizeof(*ret_report));
	ret_report->result = examine(place, size_limit, ret_report);
}

void file_examine_of(pid_t pid, const char *name, uint64_t size_limit,
		     struct file_report *ret_report)
{
	_cleanup_(closep) int place = -1;
	struct process_image image;
	int result;

	if (name)
		result = place = named_file_open(pid, name, false);
	else
		result = process_image_look(pid, &image, &place);
	if (result >= 0)
		file_examine(place, size_limit, ret_report);
	else
		*ret_report = (struct file_report){.result = result};
}

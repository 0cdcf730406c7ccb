/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unknown programs in files: as they are, in another's place, under another name, swapped in time.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evade.h"

static void drop_and_run(const char *name)
{
	drop(name, "evil");
	run("./evil", NULL);
}

static void elf_dynamic(void)
{
	drop_and_run("intruder");
}

static void elf_static(void)
{
	drop_and_run("intruder-static");
}

static void elf_static_pie(void)
{
	drop_and_run("intruder-static-pie");
}

static void elf_raw(void)
{
	drop_and_run("intruder-raw");
}

static void elf_32bit(void)
{
	drop_and_run("intruder-32");
}

static void replace_rename(void)
{
	run("./victim", NULL);
	drop("intruder", "evil");
	if (rename("evil", "victim"))
		err(2, "rename");
	run("./victim", NULL);
}

static void replace_write(void)
{
	run("./victim", NULL);
	drop("intruder", "victim");
	run("./victim", NULL);
}

static void replace_bind(void)
{
	run("./victim", NULL);
	drop("intruder", "evil");
	if (mount("evil", "victim", NULL, MS_BIND, NULL))
		err(2, "mount");
	run("./victim", NULL);
	umount2("victim", MNT_DETACH);
}

/* The unknown program, brought to the size of the file that it replaces. */
static uint8_t *of_size(const char *name, size_t size)
{
	size_t length;
	uint8_t *bytes = loot(name, &length);

	if (length > size)
		errx(2, "%s is larger than its victim", name);
	bytes = realloc(bytes, size);
	if (!bytes)
		err(2, "memory");
	memset(bytes + length, 0, size - length);
	return bytes;
}

static void set_times_back(const char *path, const struct stat *before)
{
	struct timespec times[2] = {before->st_atim, before->st_mtim};

	if (utimensat(AT_FDCWD, path, times, 0))
		err(2, "utimensat");
}

static void same_size_and_time(void)
{
	struct stat before;
	int fd;

	run("./victim", NULL);
	fd = open("victim", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &before))
		err(2, "victim");
	if (pwrite(fd, of_size("intruder", (size_t)before.st_size), (size_t)before.st_size, 0) !=
	    before.st_size)
		err(2, "write");
	close(fd);
	set_times_back("victim", &before);
	run("./victim", NULL);
}

static void shared_mapping(void)
{
	struct stat before;
	int fd;
	void *memory;

	run("./victim", NULL);
	fd = open("victim", O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &before))
		err(2, "victim");
	memory = mmap(NULL, (size_t)before.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		err(2, "mmap");
	close(fd);
	run("./victim", NULL); /* refused by the kernel while it is mapped for writing, or not */
	memcpy(memory, of_size("intruder", (size_t)before.st_size), (size_t)before.st_size);
	munmap(memory, (size_t)before.st_size);
	set_times_back("victim", &before);
	run("./victim", NULL);
}

static void unlinked(void)
{
	int fd;

	drop("intruder", "evil");
	fd = open("evil", O_RDONLY);
	if (fd < 0 || unlink("evil"))
		err(2, "evil");
	execute_fd(fd);
}

static void deleted_directory(void)
{
	int fd;

	if (mkdir("gone", 0755))
		err(2, "gone");
	drop("intruder", "gone/evil");
	fd = open("gone/evil", O_PATH);
	if (fd < 0 || unlink("gone/evil") || rmdir("gone"))
		err(2, "gone");
	execute_fd(fd);
}

static void deleted_name(void)
{
	drop("intruder", "victim (deleted)");
	run("./victim (deleted)", NULL);
}

static void symbolic_link(void)
{
	drop("intruder", "evil");
	if (rename("victim", "kept") || symlink("evil", "victim"))
		err(2, "symlink");
	run("./victim", NULL);
}

static void hard_link(void)
{
	drop("intruder", "evil");
	if (unlink("victim") || link("evil", "victim"))
		err(2, "link");
	run("./victim", NULL);
}

/* --- races: while one side executes "now", the other changes what that is */
static atomic_bool race_over;

static void *exchange(void *unused)
{
	while (!race_over)
		syscall(SYS_renameat2, AT_FDCWD, "now", AT_FDCWD, "other", 2 /* RENAME_EXCHANGE */);
	return unused;
}

static void *exchange_links(void *unused)
{
	for (unsigned int i = 0; !race_over; i++) {
		unlink("next");
		if (symlink(i & 1 ? "evil" : "victim", "next") || rename("next", "now"))
			break;
	}
	return unused;
}

static void race(void *(*change)(void *), const char *path)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, change, NULL))
		errx(2, "thread");
	for (int i = 0; i < tries() && !succeeded(); i++)
		run(path, NULL);
	race_over = true;
	pthread_join(thread, NULL);
}

static void race_rename(void)
{
	drop("intruder-raw", "now");
	copy_allowed("victim", "other");
	race(exchange, "./now");
}

static void race_symlink(void)
{
	drop("intruder-raw", "evil");
	if (symlink("victim", "now"))
		err(2, "symlink");
	race(exchange_links, "./now");
}

/* Another's directory in the place of this one, on the way to the same last name. */
static void race_directory(void)
{
	if (mkdir("now", 0755) || mkdir("other", 0755))
		err(2, "mkdir");
	drop("intruder-raw", "now/victim");
	copy_allowed("victim", "other/victim");
	copy_allowed("libvictim.so", "now/libvictim.so");
	copy_allowed("libvictim.so", "other/libvictim.so");
	race(exchange, "./now/victim");
}

const struct trick tricks_files[] = {
	{"elf-dynamic", 1, "an unknown program", AS_BOTH, 0, elf_dynamic},
	{"elf-static", 1, "an unknown static program", AS_BOTH, 0, elf_static},
	{"elf-static-pie", 1, "an unknown static PIE", AS_BOTH, 0, elf_static_pie},
	{"elf-raw", 1, "an unknown program without any library", AS_BOTH, 0, elf_raw},
	{"elf-32bit", 1, "an unknown 32-bit program", AS_BOTH, 0, elf_32bit},
	{"replace-rename", 2, "an allowed program replaced by rename", AS_BOTH, 0, replace_rename},
	{"replace-write", 2, "an allowed program overwritten", AS_BOTH, 0, replace_write},
	{"replace-bind", 2, "another file mounted over an allowed program", AS_ROOT, 0,
	 replace_bind},
	{"same-size-and-time", 3, "overwritten with the same size, times set back", AS_BOTH, 0,
	 same_size_and_time},
	{"shared-mapping", 3, "overwritten through a shared mapping, times set back", AS_BOTH, 0,
	 shared_mapping},
	{"unlinked", 6, "started through a descriptor after unlink", AS_BOTH, 0, unlinked},
	{"deleted-directory", 6, "started from a directory that is gone", AS_BOTH, 0,
	 deleted_directory},
	{"deleted-name", 6, "a file called \"victim (deleted)\"", AS_BOTH, 0, deleted_name},
	{"symbolic-link", 7, "a symbolic link in an allowed program's place", AS_BOTH, 0,
	 symbolic_link},
	{"hard-link", 7, "a hard link in an allowed program's place", AS_BOTH, 0, hard_link},
	{"race-rename", 7, "files exchanged between check and start, again and again", AS_BOTH, 0,
	 race_rename},
	{"race-symlink", 7, "a symbolic link exchanged between check and start", AS_BOTH, 0,
	 race_symlink},
	{"race-directory", 7, "directories exchanged between check and start", AS_BOTH, 0,
	 race_directory},
	{},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "observe/host/mount_table.h"
#include "observe/host/process_info.h"
#include "observe/host/users.h"

#define TAIL                                                                                       \
	" 0 0 0 0 0 0 0 0 20 0 3 0 12345 1000 10 99 1 2 1407 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 4 5" \
	" 6 65536 7 8 9 0\n"

static void stat_lines(void **state)
{
	struct process_stat status;

	(void)state;
	assert_int_equal(process_stat_parse("7 (a) S 6 7 5 34817 7 4194304" TAIL, &status), 0);
	assert_int_equal(status.parent, 6);
	assert_int_equal(status.session, 5);
	assert_int_equal(status.terminal, 34817);
	assert_false(status.kernel_thread);
	assert_true(status.started_ns == 12345 * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK)));
	assert_int_equal(status.threads, 3);
	assert_true(status.has_memory);
	assert_int_equal(status.state, 'S');
	/* stack and arguments, neither of which hides the other */
	assert_true(status.image_mark == (1407 ^ UINT64_C(65536) << 16));
	/* the name is the process's to choose: it can look like the rest of a line */
	assert_int_equal(
		process_stat_parse("7 (x) S 1 1 1 0 0 2129984) S 6 7 5 0 0 0" TAIL, &status), 0);
	assert_int_equal(status.parent, 6);
	assert_false(status.kernel_thread);
	/* a kernel thread by its flag, whatever its name */
	assert_int_equal(process_stat_parse("7 (sh) S 2 0 0 0 -1 2129984" TAIL, &status), 0);
	assert_true(status.kernel_thread);
	assert_int_equal(process_stat_parse("7 ([kworker/0:1]) S 2 0 0 0 0 4194304" TAIL, &status),
			 0);
	assert_false(status.kernel_thread);
	assert_false(status.forked);
	assert_int_equal(process_stat_parse("7 (a) S 6 7 5 0 0 4194368" TAIL, &status), 0);
	assert_true(status.forked);
	assert_int_equal(process_stat_parse("7 (a) S 6", &status), -EBADMSG);
	assert_int_equal(process_stat_parse("", &status), -EBADMSG);
}

static void status_files(void **state)
{
	uint32_t user;

	(void)state;
	assert_int_equal(process_user_parse("Name:\tx\nUid:\t1000\t33\t0\t0\n", &user), 0);
	assert_int_equal(user, 33);
	assert_int_equal(process_user_parse("Name:\tUid:\t1\t2\n", &user), -EBADMSG);
	assert_int_equal(process_user_parse("", &user), -EBADMSG);
}

static void this_process(void **state)
{
	struct process_stat status;
	char *path = NULL;
	uint32_t user;

	(void)state;
	assert_int_equal(process_stat_read(getpid(), &status), 0);
	assert_int_equal(status.parent, getppid());
	assert_int_equal(process_user_read(getpid(), &user), 0);
	assert_int_equal(user, geteuid());
	assert_int_equal(process_program_path(getpid(), &path), 0);
	assert_non_null(strstr(path, "test_process_info"));
	free(path);
	assert_true(process_stat_read(0x7ffffff0, &status) < 0);
}

static void mount_lines(void **state)
{
	struct mount_entry entry;
	char plain[] = "36 35 98:0 /r /mnt/a\\040b\\134c rw shared:1 master:2 - ext4 /dev/x rw\n";
	char bad[][64] = {"", "36 35 98:0 / /mnt rw", "36 35 - ext4",
			  "1 2 3:4 / relative rw - ext4 x", "1 2 3 / /mnt rw - ext4 x"};

	(void)state;
	assert_int_equal(mount_entry_parse(plain, &entry), 0);
	assert_string_equal(entry.directory, "/mnt/a b\\c");
	assert_string_equal(entry.filesystem, "ext4");
	assert_int_equal(entry.id, 36);
	assert_int_equal(entry.device, makedev(98, 0));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mount_entry_parse(bad[i], &entry), -EBADMSG);
	assert_true(filesystem_holds_programs("squashfs"));
	assert_true(filesystem_holds_programs("fuse.sshfs"));
	assert_false(filesystem_holds_programs("devtmpfs"));
	assert_true(filesystem_holds_devices("devtmpfs"));
	assert_false(filesystem_holds_devices("tmpfs"));
	assert_false(filesystem_holds_programs("proc"));
	assert_false(filesystem_holds_programs("autofs"));
	assert_int_equal(filesystem_keeper("ext4"), FILESYSTEM_KERNEL);
	assert_int_equal(filesystem_keeper("nfs4"), FILESYSTEM_NETWORK);
	assert_int_equal(filesystem_keeper("fuseblk"), FILESYSTEM_PROCESS);
	assert_int_equal(filesystem_keeper("fuse.sshfs"), FILESYSTEM_PROCESS);
	assert_int_equal(filesystem_keeper_of_magic(0x65735546), FILESYSTEM_PROCESS);
	assert_int_equal(filesystem_keeper_of_magic(0x6969), FILESYSTEM_NETWORK);
	assert_int_equal(filesystem_keeper_of_magic(0xEF53), FILESYSTEM_KERNEL);
}

static void names_of_users(void **state)
{
	char path[] = "/tmp/rtguard-test.XXXXXX";
	int fd = mkstemp(path);
	struct users *users;
	FILE *stream;

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	stream = fopen(path, "w");
	assert_non_null(stream);
	(void)fputs("root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbroken "
		    "line\n_chrony:x:110:1::/:/x\n",
		    stream);
	(void)fclose(stream);
	assert_int_equal(users_new(path, &users), 0);
	assert_string_equal(users_name(users, 0), "root");
	assert_string_equal(users_name(users, 110), "_chrony");
	assert_string_equal(users_name(users, 4000000000U), "4000000000");
	stream = fopen(path, "w");
	assert_non_null(stream);
	(void)fputs("admin:x:0:0::/:/bin/sh\n", stream);
	(void)fclose(stream);
	assert_string_equal(users_name(users, 0), "admin");
	(void)unlink(path);
	assert_string_equal(users_name(users, 0), "0");
	users_free(users);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_lines),	  cmocka_unit_test(status_files),
		cmocka_unit_test(this_process),	  cmocka_unit_test(mount_lines),
		cmocka_unit_test(names_of_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

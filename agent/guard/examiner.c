/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/examiner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "enforce/program_verdict.h"
#include "observe/host/named_file.h"
#include "process/file_examination.h"
#include "program/file_facts.h"
#include "report/finding.h"

#define COMMIT(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

/* A copy of the group's descriptor would keep everybody waiting when the supervisor is gone. */
static void close_all(void)
{
	if (syscall(SYS_close_range, 0U, ~0U, 0U) == 0)
		return;
	for (int fd = (int)sysconf(_SC_OPEN_MAX) - 1; fd >= 0; fd--)
		(void)close(fd);
}

static uint32_t why_not(int result)
{
	switch (-result) {
	case EFBIG:
		return FINDING_FILE_TOO_LARGE;
	case EXDEV:
		return FINDING_FILESYSTEM_UNTRUSTED;
	default:
		return FINDING_FILE_UNREADABLE;
	}
}

/* What stands in a script's place and is no regular file is not absent: a FIFO, or a link to a
 * descriptor, brings code that nobody asks about. */
static bool is_absent(const char *script, const struct file_report *report)
{
	if (report->result == -ENOENT || report->result == -ENOTDIR)
		return true;
	return report->result < 0 && (S_ISDIR(report->facts.mode) || named_file_is_stream(script));
}

static void examine(struct desk_examination *place, pid_t pid, const char *script,
		    uint64_t size_limit)
{
	struct file_report report;

	(void)prctl(PR_SET_NAME, "rtguard-examine");
	close_all();
	file_examine_of(pid, script, size_limit, &report);
	/* a guard that came later may have given the place to another */
	if (place->helper != getpid())
		return;
	place->hashed = report.result == 0;
	place->absent = script && is_absent(script, &report);
	place->why = place->hashed || place->absent ? FINDING_NONE : why_not(report.result);
	place->settled = report.settled;
	place->nature = report.nature;
	place->mount = report.facts.mount;
	memcpy(place->sha256, report.sha256, sizeof(place->sha256));
	place->key = report.facts.key;
	COMMIT(place->state, EXAMINATION_DONE);
}

int examiner_start(struct desk *desk, pid_t pid, const char *script, uint64_t size_limit)
{
	for (int i = 0; i < DESK_EXAMINATIONS; i++) {
		struct desk_examination *place = &desk->examinations[i];
		long helper;

		if (place->state != EXAMINATION_FREE)
			continue;
		memset(place, 0, sizeof(*place));
		place->pid = pid;
		place->since_ns = clock_monotonic_ns();
		COMMIT(place->state, EXAMINATION_RUNNING);
		/* a copy of everything, descriptors too: what it opens is its own */
		helper = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (helper == 0) {
			place->helper = getpid();
			examine(place, pid, script, size_limit);
			_exit(0);
		}
		if (helper < 0) {
			int error = errno;

			COMMIT(place->state, EXAMINATION_FREE);
			return -error;
		}
		place->helper = (int32_t)helper;
		desk->examined++;
		return i;
	}
	return -EBUSY;
}

bool examiner_done(struct desk *desk, int examination, uint64_t now_ns)
{
	struct desk_examination *place = &desk->examinations[examination];
	uint32_t state = __atomic_load_n(&place->state, __ATOMIC_ACQUIRE);

	if (state != EXAMINATION_RUNNING)
		return true;
	/* one that ended without a word left no process */
	if (now_ns - place->since_ns < EXAMINATION_NS &&
	    (kill(place->helper, 0) == 0 || errno != ESRCH))
		return false;
	if (__atomic_load_n(&place->state, __ATOMIC_ACQUIRE) == EXAMINATION_DONE)
		return true;
	(void)kill(place->helper, SIGKILL);
	place->helper = 0;
	place->hashed = 0;
	place->absent = 0;
	place->why = FINDING_FILE_UNREADABLE;
	COMMIT(place->state, EXAMINATION_DONE);
	return true;
}

void examiner_release(struct desk *desk, int examination)
{
	struct desk_examination *place = &desk->examinations[examination];

	place->helper = 0;
	COMMIT(place->state, EXAMINATION_FREE);
}

bool examiner_is_helper(const struct desk *desk, pid_t pid)
{
	for (size_t i = 0; i < DESK_EXAMINATIONS; i++)
		if (desk->examinations[i].state == EXAMINATION_RUNNING &&
		    desk->examinations[i].helper == pid)
			return true;
	return false;
}

/* Follows links of the process's own root only where that is also ours. */
static bool has_our_root(pid_t pid)
{
	struct file_facts ours;
	struct file_facts theirs;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	return file_facts_at(AT_FDCWD, "/proc/self/root", &ours) == 0 &&
	       file_facts_at(AT_FDCWD, path, &theirs) == 0 &&
	       ours.key.device == theirs.key.device && ours.key.inode == theirs.key.inode &&
	       ours.mount == theirs.mount;
}

int script_find(struct desk *desk, pid_t pid, const char *script, struct file_facts *ret_facts)
{
	/* only what the kernel has in memory: no filesystem is asked, so that none can keep us */
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS};
	uint64_t descriptor;
	char path[64];
	int directory;
	int result;
	int fd;

	if (named_file_is_descriptor(script, &descriptor)) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)descriptor);
		return file_facts_at(AT_FDCWD, path, ret_facts);
	}
	if (!has_our_root(pid))
		return -EAGAIN;
	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	directory = transient_open(&desk->transient, path, O_PATH | O_DIRECTORY);
	if (directory < 0)
		return -EAGAIN;
	fd = (int)syscall(SYS_openat2, directory, script, &how, sizeof(how));
	result = fd < 0 ? -errno : transient_keep(&desk->transient, fd);
	transient_close(&desk->transient, directory);
	if (result == -ENOENT || result == -ENOTDIR || result == -ELOOP)
		return result;
	if (result < 0)
		return -EAGAIN;
	result = file_facts_at(fd, "", ret_facts);
	transient_close(&desk->transient, fd);
	return result < 0 ? -EAGAIN : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "privilege/channel.h"
#include "privilege/child.h"
#include "privilege/standard_streams.h"
#include "report/quarantine_store.h"

struct quarantine {
	char *directory;
	pid_t pid; /* 0: none */
	int channel;
	bool is_starting;     /* its first answer is how that went */
	unsigned int waiting; /* handed over and not answered */
	unsigned int restarts;
	struct quarantine_counts counts;
};

/* To the worker, with the descriptor. */
struct errand {
	uint64_t event_id;
	struct finding finding;
};

/* From the worker: first how its start went (0 or an errno), then an enum quarantine_result for
 * each errand. */
typedef int32_t answer_t;

/* Whatever else has to be done goes first. */
static void step_back(void)
{
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static int open_store(struct quarantine_store *store, const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -errno : quarantine_store_open(store, fd);

	if (result < 0)
		closep(&fd);
	return result;
}

static void __attribute__((noreturn)) work(const char *directory, int channel)
{
	struct quarantine_store store = {.file_limit = QUARANTINE_FILE_LIMIT,
					 .total_limit = QUARANTINE_TOTAL_LIMIT};
	answer_t answer = (answer_t)-open_store(&store, directory);
	struct errand errand;
	int fd;

	(void)prctl(PR_SET_NAME, "rtguard-keeper", 0, 0, 0);
	step_back();
	(void)standard_streams_detach();
	if (channel_write(channel, &answer, sizeof(answer), 1) < 0 || answer != 0)
		_exit(1);
	while (channel_receive(channel, &errand, sizeof(errand), 1, true, &fd) == 1) {
		answer = QUARANTINE_FAILED;
		if (fd >= 0 && finding_is_valid(&errand.finding))
			answer = (answer_t)quarantine_store_keep(&store, errand.event_id,
								 &errand.finding, fd);
		closep(&fd);
		if (channel_write(channel, &answer, sizeof(answer), 1) < 0)
			break;
	}
	_exit(0);
}

static int start(struct quarantine *quarantine)
{
	int ends[2];
	int result = channel_pair(ends);
	pid_t pid;

	if (result < 0)
		return result;
	pid = child_fork(ends[1]);
	if (pid == 0)
		work(quarantine->directory, ends[1]);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return pid;
	}
	quarantine->pid = pid;
	quarantine->channel = ends[0];
	quarantine->is_starting = true;
	return 0;
}

/* Waits for the worker to have its directory, and from then on for it no more. */
static int finish_start(struct quarantine *quarantine)
{
	answer_t answer = EPIPE;

	(void)channel_receive(quarantine->channel, &answer, sizeof(answer), 1, true, NULL);
	if (answer != 0)
		return -answer;
	quarantine->is_starting = false;
	return fcntl(quarantine->channel, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int quarantine_new(const char *directory, struct quarantine **ret_quarantine, struct error *error)
{
	struct quarantine *quarantine;
	int result = directory_make(directory, 0700, error);

	if (result < 0)
		return result;
	quarantine = calloc(1, sizeof(*quarantine));
	if (!quarantine)
		return error_set(error, ENOMEM, "%s: out of memory", directory);
	quarantine->channel = -1;
	quarantine->directory = strdup(directory);
	result = quarantine->directory ? start(quarantine) : -ENOMEM;
	if (result == 0)
		result = finish_start(quarantine);
	if (result < 0) {
		quarantine_free(quarantine);
		return error_set(error, -result, "%s: %s", directory, strerror(-result));
	}
	*ret_quarantine = quarantine;
	return 0;
}

void quarantine_free(struct quarantine *quarantine)
{
	if (!quarantine)
		return;
	if (quarantine->pid > 0) {
		(void)kill(quarantine->pid, SIGKILL);
		while (waitpid(quarantine->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	closep(&quarantine->channel);
	free(quarantine->directory);
	free(quarantine);
}

pid_t quarantine_pid(const struct quarantine *quarantine)
{
	return quarantine->pid;
}

unsigned int quarantine_restarts(const struct quarantine *quarantine)
{
	return quarantine->restarts;
}

static void take_answers(struct quarantine *quarantine)
{
	uint64_t *const counts[QUARANTINE_RESULT_COUNT] = {
		[QUARANTINE_KEPT] = &quarantine->counts.kept,
		[QUARANTINE_KNOWN] = &quarantine->counts.known,
		[QUARANTINE_REFUSED] = &quarantine->counts.refused,
		[QUARANTINE_FAILED] = &quarantine->counts.failed,
	};
	answer_t answer;

	while (quarantine->pid > 0 &&
	       channel_receive(quarantine->channel, &answer, sizeof(answer), 1, false, NULL) == 1) {
		if (quarantine->is_starting) {
			quarantine->is_starting = false;
			continue;
		}
		if (quarantine->waiting > 0)
			quarantine->waiting--;
		if (answer >= 0 && answer < QUARANTINE_RESULT_COUNT)
			(*counts[answer])++;
	}
}

bool quarantine_child(struct quarantine *quarantine, pid_t pid)
{
	if (pid <= 0 || pid != quarantine->pid)
		return false;
	take_answers(quarantine);
	quarantine->counts.lost += quarantine->waiting;
	quarantine->waiting = 0;
	quarantine->pid = 0;
	closep(&quarantine->channel);
	quarantine->channel = -1;
	if (quarantine->restarts < QUARANTINE_RESTART_LIMIT && start(quarantine) == 0) {
		quarantine->restarts++;
		(void)fcntl(quarantine->channel, F_SETFL, O_NONBLOCK);
	}
	return true;
}

void quarantine_keep(struct quarantine *quarantine, int fd, const struct finding *finding,
		     uint64_t event_id)
{
	struct errand errand = {event_id, *finding};

	take_answers(quarantine);
	if (quarantine->pid > 0 && quarantine->waiting < QUARANTINE_QUEUE_LIMIT &&
	    channel_send(quarantine->channel, &errand, sizeof(errand), 1, fd) == 0)
		quarantine->waiting++;
	else
		quarantine->counts.lost++;
	(void)close(fd);
}

struct quarantine_counts quarantine_counts(struct quarantine *quarantine)
{
	take_answers(quarantine);
	return quarantine->counts;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "privilege/child.h"

#define WATCH_NS   NS_PER_S
#define RETRY_NS   (10 * NS_PER_MS)
#define SILENCE_NS (GUARD_SILENCE_MS * NS_PER_MS)
#define END_MS	   1000

struct guard_keeper {
	struct loop *loop;
	struct guard_keeper_config config;
	struct guard_config guard;
	struct coverage *coverage;
	struct desk *desk;
	int desk_fd;
	pid_t pid; /* 0: none at the moment */
	unsigned int restarts;
	bool told_to_end; /* by us: a change of policy or trust */
	uint64_t told_ns;
	void (*policy_done)(void *context);
	uint64_t last_beat;
	uint64_t silent_since_ns; /* 0: it is not */
	struct loop_source *watch;
	struct loop_source *retry;
	char killed_for[120]; /* why the watch ended it; "": it did not */
};

/* ---- starting ---- */

static void on_retry(void *context);

/* Without memory for a process now, again in a moment: until then everybody waits, nobody passes.
 */
static void start(struct guard_keeper *keeper)
{
	pid_t pid = guard_start(&keeper->guard);

	keeper->told_to_end = false;
	keeper->silent_since_ns = 0;
	keeper->pid = pid > 0 ? pid : 0;
	if (pid > 0 && keeper->retry) {
		loop_remove(keeper->retry);
		keeper->retry = NULL;
	} else if (pid <= 0 && !keeper->retry) {
		(void)loop_add_timer(keeper->loop, RETRY_NS, on_retry, keeper, &keeper->retry);
	}
}

static void on_retry(void *context)
{
	start(context);
}

/* ---- watching ---- */

/* Events that nobody has read yet. */
static bool has_waiting(const struct guard_keeper *keeper)
{
	int bytes = 0;

	return ioctl(coverage_fd(keeper->coverage), FIONREAD, &bytes) == 0 && bytes > 0;
}

static void end_silent(struct guard_keeper *keeper, const char *why)
{
	(void)snprintf(keeper->killed_for, sizeof(keeper->killed_for), "%s", why);
	(void)kill(keeper->pid, SIGKILL);
}

static void on_watch(void *context)
{
	struct guard_keeper *keeper = context;
	uint64_t now_ns = clock_monotonic_ns();

	if (!keeper->pid)
		return;
	/* whoever traces it is told of its end before we are, and may keep that to himself */
	if (keeper->killed_for[0] && child_has_ended(keeper->pid)) {
		(void)guard_keeper_child(keeper, keeper->pid, SIGKILL);
		return;
	}
	if (keeper->told_to_end && now_ns - keeper->told_ns > SILENCE_NS) {
		end_silent(keeper, "it did not end when it was told to");
		return;
	}
	if (keeper->desk->beat != keeper->last_beat ||
	    (!keeper->desk->busy_since_ns && !has_waiting(keeper))) {
		keeper->last_beat = keeper->desk->beat;
		keeper->silent_since_ns = 0;
		return;
	}
	if (!keeper->silent_since_ns)
		keeper->silent_since_ns = now_ns;
	else if (now_ns - keeper->silent_since_ns >= SILENCE_NS)
		end_silent(keeper, "it gave no sign of life while programs waited for it");
}

static void tell_to_end(struct guard_keeper *keeper)
{
	if (!keeper->pid || keeper->told_to_end)
		return;
	keeper->told_to_end = true;
	keeper->told_ns = clock_monotonic_ns();
	(void)kill(keeper->pid, SIGTERM);
}

static void describe_end(const struct guard_keeper *keeper, int status, char *text, size_t size)
{
	if (keeper->killed_for[0])
		(void)snprintf(text, size, "the guard was ended: %s", keeper->killed_for);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, size, "the guard was killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(text, size, "the guard ended with exit status %d",
			       WEXITSTATUS(status));
}

bool guard_keeper_child(struct guard_keeper *keeper, pid_t pid, int status)
{
	bool was_told = keeper->told_to_end && !keeper->killed_for[0] &&
			((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
			 (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
	enum failure failure = keeper->killed_for[0] ? FAILURE_GUARD_HUNG : FAILURE_GUARD_ENDED;
	char why[200];

	if (pid != keeper->pid)
		return false;
	if (WIFSTOPPED(status)) {
		end_silent(keeper, "somebody stopped it");
		return true;
	}
	describe_end(keeper, status, why, sizeof(why));
	start(keeper); /* before anything that could wait for a guard */
	keeper->killed_for[0] = '\0';
	if (keeper->policy_done) {
		void (*done)(void *context) = keeper->policy_done;

		keeper->policy_done = NULL;
		coverage_forget_verdicts(keeper->coverage);
		done(keeper->config.context);
	}
	if (!was_told) {
		keeper->restarts++;
		keeper->config.replaced(keeper->config.context, failure, why);
	}
	return true;
}

/* ---- changes ---- */

static void take_policy(struct guard_keeper *keeper, const struct loaded_policy *policy)
{
	keeper->guard.policy = policy->policy;
	keeper->guard.users = policy->users;
	keeper->guard.user_count = policy->user_count;
}

void guard_keeper_set_policy(struct guard_keeper *keeper, const struct loaded_policy *policy,
			     void (*done)(void *context))
{
	take_policy(keeper, policy);
	keeper->policy_done = done;
	tell_to_end(keeper);
}

void guard_keeper_set_trusted(struct guard_keeper *keeper, unsigned int place, pid_t pid)
{
	if (keeper->guard.trusted[place] == pid)
		return;
	keeper->guard.trusted[place] = pid;
	tell_to_end(keeper);
}

/* ---- making and ending ---- */

static int take_desk(struct guard_keeper *keeper, struct error *error)
{
	int result;

	if (keeper->config.inherited_desk >= 0) {
		keeper->desk_fd = keeper->config.inherited_desk;
		result = desk_map(keeper->desk_fd, &keeper->desk);
		if (result == 0)
			(void)desk_settle(keeper->desk, coverage_fd(keeper->coverage));
		/* what the kernel need not ask went by the policy of then */
		coverage_forget_verdicts(keeper->coverage);
	} else {
		result = desk_new(&keeper->desk_fd, &keeper->desk);
	}
	return result < 0 ? error_set(error, -result, "cannot make the guard's memory: %s",
				      strerror(-result))
			  : 0;
}

int guard_keeper_new(struct loop *loop, const struct guard_keeper_config *config,
		     struct guard_keeper **ret_keeper, struct error *error)
{
	struct guard_keeper *keeper = calloc(1, sizeof(*keeper));
	int result;

	if (!keeper)
		return error_set(error, ENOMEM, "out of memory");
	keeper->loop = loop;
	keeper->config = *config;
	keeper->desk_fd = -1;
	result = coverage_new(config->mode, coverage_scope_here(), config->inherited_group,
			      &keeper->coverage, error);
	if (result == 0)
		result = take_desk(keeper, error);
	if (result == 0) {
		keeper->guard = (struct guard_config){
			.mode = config->mode,
			.fanotify = coverage_fd(keeper->coverage),
			.findings = config->findings,
			.pass_files = config->pass_files,
			.desk = keeper->desk,
			.file_size_limit = config->file_size_limit,
		};
		take_policy(keeper, config->policy);
		memcpy(keeper->guard.trusted, config->trusted, sizeof(keeper->guard.trusted));
		result = loop_add_timer(loop, WATCH_NS, on_watch, keeper, &keeper->watch);
		if (result < 0)
			(void)error_set(error, -result, "cannot watch over the guard: %s",
					strerror(-result));
	}
	if (result < 0) {
		guard_keeper_free(keeper);
		return result;
	}
	start(keeper);
	if (!keeper->pid) {
		guard_keeper_free(keeper);
		return error_set(error, EAGAIN, "cannot start the guard: no process to be had");
	}
	*ret_keeper = keeper;
	return 0;
}

int guard_keeper_cover(struct guard_keeper *keeper, struct error *error)
{
	return coverage_start(keeper->coverage, keeper->loop, error);
}

/* Not longer than that: those whom it does not answer wait for us to close the group. */
static void end_guard(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	if (child_reap(pid, END_MS))
		return;
	(void)kill(pid, SIGKILL);
	(void)child_reap(pid, END_MS);
}

void guard_keeper_free(struct guard_keeper *keeper)
{
	if (!keeper)
		return;
	loop_remove(keeper->watch);
	loop_remove(keeper->retry);
	if (keeper->pid)
		end_guard(keeper->pid);
	coverage_free(keeper->coverage);
	desk_unmap(keeper->desk);
	closep(&keeper->desk_fd);
	free(keeper);
}

pid_t guard_keeper_pid(const struct guard_keeper *keeper)
{
	return keeper->pid;
}

unsigned int guard_keeper_restarts(const struct guard_keeper *keeper)
{
	return keeper->restarts;
}

const struct desk *guard_keeper_desk(const struct guard_keeper *keeper)
{
	return keeper->desk;
}

struct coverage *guard_keeper_coverage(const struct guard_keeper *keeper)
{
	return keeper->coverage;
}

int guard_keeper_desk_fd(const struct guard_keeper *keeper)
{
	return keeper->desk_fd;
}

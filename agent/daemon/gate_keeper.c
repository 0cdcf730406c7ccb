/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/gate_keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/gate_words.h"
#include "privilege/channel.h"
#include "privilege/child.h"

#define WATCH_NS      (3 * NS_PER_S)
#define RETRY_NS      (100 * NS_PER_MS) /* after the first end; then twice as long each time */
#define RETRY_MOST_NS (10 * NS_PER_S)
#define SETTLED_NS    (60 * NS_PER_S) /* who lived that long is replaced soon again */
#define CLEAR_MS      25000
#define END_MS	      1000
#define WORDS_MOST    64 /* in one turn of the loop */
#define ENDS_MOST     3	 /* of gates over one change, which is refused then */

struct gate_want {
	int network; /* -1: nothing yet */
	bool report_only;
};

struct gate_keeper {
	struct loop *loop;
	struct gate_keeper_config config;
	int channel; /* our end; -1: none */
	struct loop_source *source;
	struct loop_source *watch;
	struct loop_source *retry;
	uint64_t retry_ns;
	pid_t pid;
	uint64_t started_ns;
	unsigned int restarts;
	bool told_to_end;
	bool was_refused;    /* it could not apply again what was in force; told once */
	char killed_for[80]; /* why the watch ended it; "": it did not */
	char last_words[GATE_TEXT_SIZE];

	struct gate_want in_force;
	struct gate_want wanted; /* in_force, unless a change is under way */
	gate_applied_fn done;	 /* NULL: none is */
	unsigned int ends;	 /* of gates since it began */
	bool has_applied;	 /* this gate works by in_force */
	uint64_t ordered_ns;	 /* an order to apply is out since; 0: none */
	bool order_is_old;	 /* what is wanted changed since */
	uint64_t asked_ns;	 /* GATE_COUNT is unanswered since; 0: it is not */
	bool is_first;		 /* gate_keeper_apply_first() waits */
	int answer;		 /* of the last order: result and text */
	char answer_text[GATE_TEXT_SIZE];
	struct gate_counts counts;
};

static void start_or_retry(struct gate_keeper *keeper);

/* ---- orders ---- */

static void end_silent(struct gate_keeper *keeper, const char *why)
{
	(void)snprintf(keeper->killed_for, sizeof(keeper->killed_for), "%s", why);
	if (keeper->pid > 0)
		(void)kill(keeper->pid, SIGKILL);
}

/* Who does not take an order will not answer it either. */
static void order_wanted(struct gate_keeper *keeper)
{
	const struct gate_order order = {.kind = GATE_APPLY,
					 .report_only = keeper->wanted.report_only};

	if (keeper->channel < 0 || keeper->wanted.network < 0)
		return;
	if (keeper->ordered_ns) {
		keeper->order_is_old = true;
		return;
	}
	keeper->order_is_old = false;
	keeper->ordered_ns = clock_monotonic_ns();
	(void)channel_offer(keeper->channel, &order, sizeof(order), 1, keeper->wanted.network);
}

static void finish(struct gate_keeper *keeper, int result, const char *why)
{
	gate_applied_fn done = keeper->done;

	keeper->done = NULL;
	done(keeper->config.context, result, why);
}

/* The change is off; a gate that was started meanwhile has to be told what was before. */
static void refuse(struct gate_keeper *keeper, int result, const char *why)
{
	keeper->wanted = keeper->in_force;
	if (!keeper->has_applied)
		order_wanted(keeper);
	finish(keeper, result, why);
}

static void keep_answer(struct gate_keeper *keeper, int result, const char *text)
{
	keeper->answer = result;
	(void)snprintf(keeper->answer_text, sizeof(keeper->answer_text), "%s", text);
}

static void on_applied(struct gate_keeper *keeper, int result, const char *why)
{
	if (!keeper->ordered_ns || keeper->told_to_end)
		return; /* nobody asked, or nobody wants to know any more */
	keep_answer(keeper, result, why);
	keeper->ordered_ns = 0;
	if (keeper->asked_ns)
		keeper->asked_ns = clock_monotonic_ns();
	if (keeper->order_is_old) {
		order_wanted(keeper);
		return;
	}
	if (result < 0 && keeper->done) {
		refuse(keeper, result, why);
		return;
	}
	if (result < 0) {
		if (!keeper->was_refused && !keeper->is_first)
			keeper->config.replaced(keeper->config.context, FAILURE_RULES_REFUSED, why);
		keeper->was_refused = true; /* and again with the next watch */
		return;
	}
	keeper->was_refused = false;
	keeper->has_applied = true;
	keeper->in_force = keeper->wanted;
	if (keeper->done)
		finish(keeper, 0, NULL);
}

/* ---- words ---- */

static void take(struct gate_keeper *keeper, const struct gate_word *word)
{
	const struct gate_keeper_config *config = &keeper->config;

	if (!gate_word_is_valid(word))
		return;
	switch (word->kind) {
	case GATE_APPLIED:
		on_applied(keeper, word->result, word->text);
		break;
	case GATE_FOUND:
		config->found(config->context, &word->finding);
		break;
	case GATE_SAID:
		memcpy(keeper->last_words, word->text, sizeof(keeper->last_words));
		config->said(config->context, word->text);
		break;
	case GATE_COUNTED:
		keeper->asked_ns = 0;
		keeper->counts = word->counts;
		break;
	case GATE_CLEARED:
		keep_answer(keeper, word->result, word->text);
		keeper->ordered_ns = 0;
		break;
	}
}

static void close_channel(struct gate_keeper *keeper)
{
	loop_remove(keeper->source);
	keeper->source = NULL;
	closep(&keeper->channel);
	keeper->channel = -1;
}

/* A callback may end with the keeper's channel closed. */
static void on_words(void *context, int channel, uint32_t events)
{
	struct gate_keeper *keeper = context;
	struct gate_word word;

	(void)events;
	for (int i = 0; i < WORDS_MOST && keeper->channel == channel; i++) {
		int result = channel_receive(channel, &word, sizeof(word), 1, false, NULL);

		if (result == -EAGAIN)
			return;
		if (result <= 0) {
			close_channel(keeper); /* its end comes as SIGCHLD */
			return;
		}
		take(keeper, &word);
	}
}

/* ---- watching ---- */

static bool is_over(uint64_t since_ns, uint64_t limit_ms)
{
	return since_ns && clock_monotonic_ns() - since_ns > limit_ms * NS_PER_MS;
}

static void ask_counts(struct gate_keeper *keeper)
{
	const struct gate_order order = {.kind = GATE_COUNT};

	keeper->asked_ns = clock_monotonic_ns();
	(void)channel_offer(keeper->channel, &order, sizeof(order), 1, -1);
}

static void on_watch(void *context)
{
	struct gate_keeper *keeper = context;

	/* whoever traces it is told of its end before we are */
	if (keeper->killed_for[0] && keeper->pid > 0 && child_has_ended(keeper->pid))
		(void)gate_keeper_child(keeper, keeper->pid, SIGKILL);
	if (keeper->channel < 0 || keeper->told_to_end)
		return;
	if (is_over(keeper->ordered_ns, GATE_APPLY_MS))
		end_silent(keeper, "it did not say whether it applied the rules");
	else if (!keeper->ordered_ns && is_over(keeper->asked_ns, GATE_SILENCE_MS))
		end_silent(keeper, "it gave no sign of life");
	else if (keeper->was_refused && !keeper->ordered_ns)
		order_wanted(keeper);
	else if (!keeper->asked_ns)
		ask_counts(keeper);
}

/* ---- beginning and end ---- */

static int start(struct gate_keeper *keeper)
{
	int ends[2];
	int result = channel_pair(ends);
	pid_t pid;

	close_channel(keeper);
	keeper->pid = 0;
	keeper->told_to_end = false;
	keeper->has_applied = false;
	keeper->ordered_ns = 0;
	keeper->asked_ns = 0;
	keeper->killed_for[0] = '\0';
	keeper->last_words[0] = '\0';
	if (result < 0)
		return result;
	keeper->config.gate.channel = ends[1];
	keeper->config.gate.supervisor = getpid();
	pid = child_fork(ends[1]);
	if (pid == 0)
		_exit(keeper->config.run(&keeper->config.gate));
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return pid;
	}
	keeper->pid = pid;
	keeper->channel = ends[0];
	keeper->started_ns = clock_monotonic_ns();
	result = loop_add_fd(keeper->loop, ends[0], EPOLLIN, on_words, keeper, &keeper->source);
	keeper->config.started(keeper->config.context, pid);
	order_wanted(keeper);
	return result;
}

static void on_retry(void *context)
{
	struct gate_keeper *keeper = context;

	loop_remove(keeper->retry);
	keeper->retry = NULL;
	start_or_retry(keeper);
}

static void retry_later(struct gate_keeper *keeper)
{
	if (keeper->retry)
		return;
	(void)loop_add_timer(keeper->loop, keeper->retry_ns, on_retry, keeper, &keeper->retry);
	keeper->retry_ns =
		keeper->retry_ns * 2 < RETRY_MOST_NS ? keeper->retry_ns * 2 : RETRY_MOST_NS;
}

static void start_or_retry(struct gate_keeper *keeper)
{
	if (start(keeper) < 0)
		retry_later(keeper);
}

static void describe_end(const struct gate_keeper *keeper, int status, char *text, size_t size)
{
	if (keeper->killed_for[0])
		(void)snprintf(text, size, "the gate was ended: %s", keeper->killed_for);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, size, "the gate was killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(text, size, "the gate ended with exit status %d%s%s",
			       WEXITSTATUS(status), keeper->last_words[0] ? ", last saying: " : "",
			       keeper->last_words);
}

bool gate_keeper_child(struct gate_keeper *keeper, pid_t pid, int status)
{
	char why[GATE_TEXT_SIZE + 100];
	bool was_hung;

	if (pid != keeper->pid)
		return false;
	if (WIFSTOPPED(status)) {
		end_silent(keeper, "somebody stopped it");
		return true;
	}
	if (keeper->channel >= 0)
		on_words(keeper, keeper->channel, EPOLLIN); /* its last words */
	close_channel(keeper);
	keeper->pid = 0;
	if (keeper->told_to_end)
		return true;
	describe_end(keeper, status, why, sizeof(why));
	was_hung = keeper->killed_for[0];
	if (clock_monotonic_ns() - keeper->started_ns > SETTLED_NS)
		keeper->retry_ns = RETRY_NS;
	keeper->restarts++;
	retry_later(keeper);
	keeper->config.replaced(keeper->config.context,
				was_hung ? FAILURE_GATE_HUNG : FAILURE_GATE_ENDED, why);
	if (keeper->done && ++keeper->ends >= ENDS_MOST)
		refuse(keeper, -EIO, why); /* the next one begins with what was before */
	return true;
}

int gate_keeper_new(struct loop *loop, const struct gate_keeper_config *config,
		    struct gate_keeper **ret_keeper, struct error *error)
{
	struct gate_keeper *keeper = calloc(1, sizeof(*keeper));
	int result;

	if (!keeper)
		return error_set(error, ENOMEM, "out of memory");
	keeper->loop = loop;
	keeper->config = *config;
	keeper->channel = -1;
	keeper->retry_ns = RETRY_NS;
	keeper->in_force.network = -1;
	keeper->wanted.network = -1;
	result = loop_add_timer(loop, WATCH_NS, on_watch, keeper, &keeper->watch);
	if (result == 0)
		result = start(keeper);
	if (result < 0) {
		gate_keeper_free(keeper);
		return error_set(error, -result, "cannot start the gate: %s", strerror(-result));
	}
	*ret_keeper = keeper;
	return 0;
}

static void end(struct gate_keeper *keeper)
{
	keeper->told_to_end = true;
	if (keeper->pid <= 0)
		return;
	(void)kill(keeper->pid, SIGTERM); /* it writes down what it knows of names */
	(void)kill(keeper->pid, SIGCONT);
	if (!child_reap(keeper->pid, END_MS)) {
		(void)kill(keeper->pid, SIGKILL);
		(void)child_reap(keeper->pid, END_MS);
	}
	keeper->pid = 0;
}

void gate_keeper_free(struct gate_keeper *keeper)
{
	if (!keeper)
		return;
	keeper->done = NULL;
	end(keeper);
	if (keeper->channel >= 0)
		on_words(keeper, keeper->channel, EPOLLIN);
	close_channel(keeper);
	loop_remove(keeper->watch);
	loop_remove(keeper->retry);
	free(keeper);
}

/* ---- changes ---- */

/* Until the order out is answered, or the gate is gone. */
static bool wait_for_answer(struct gate_keeper *keeper, uint64_t limit_ms)
{
	uint64_t until_ns = clock_monotonic_ns() + limit_ms * NS_PER_MS;

	while (keeper->ordered_ns && keeper->channel >= 0) {
		struct pollfd words = {.fd = keeper->channel, .events = POLLIN};
		uint64_t now_ns = clock_monotonic_ns();

		if (now_ns >= until_ns)
			return false;
		(void)poll(&words, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1);
		on_words(keeper, keeper->channel, EPOLLIN);
	}
	return !keeper->ordered_ns;
}

int gate_keeper_apply_first(struct gate_keeper *keeper, int network, bool report_only,
			    struct error *error)
{
	bool answered;

	keeper->wanted = (struct gate_want){network, report_only};
	keeper->is_first = true;
	order_wanted(keeper);
	answered = wait_for_answer(keeper, GATE_APPLY_MS);
	keeper->is_first = false;
	if (!answered)
		return error_set(error, EIO, "the gate %s%s%s",
				 keeper->channel < 0 ? "ended" : "does not answer",
				 keeper->last_words[0] ? ", last saying: " : "",
				 keeper->last_words);
	return keeper->answer < 0 ? error_set(error, -keeper->answer, "%s", keeper->answer_text)
				  : 0;
}

int gate_keeper_apply(struct gate_keeper *keeper, int network, bool report_only,
		      gate_applied_fn done)
{
	if (keeper->done)
		return -EBUSY;
	keeper->done = done;
	keeper->ends = 0;
	keeper->wanted = (struct gate_want){network, report_only};
	order_wanted(keeper);
	return 0;
}

int gate_keeper_clear(struct gate_keeper *keeper, struct error *error)
{
	const struct gate_order order = {.kind = GATE_CLEAR};
	int result;

	keeper->told_to_end = true;
	keeper->done = NULL;
	loop_remove(keeper->retry);
	keeper->retry = NULL;
	if (keeper->channel < 0)
		return error_set(error, ESRCH, "there is no gate at the moment");
	keeper->ordered_ns = clock_monotonic_ns();
	result = channel_offer(keeper->channel, &order, sizeof(order), 1, -1);
	if (result == 0 && !wait_for_answer(keeper, CLEAR_MS))
		result = -ETIMEDOUT;
	end(keeper);
	if (result < 0)
		return error_set(error, -result, "the gate does not answer: %s", strerror(-result));
	return keeper->answer < 0 ? error_set(error, -keeper->answer, "%s", keeper->answer_text)
				  : 0;
}

bool gate_keeper_is_busy(const struct gate_keeper *keeper)
{
	return keeper->done != NULL;
}

pid_t gate_keeper_pid(const struct gate_keeper *keeper)
{
	return keeper->pid;
}

unsigned int gate_keeper_restarts(const struct gate_keeper *keeper)
{
	return keeper->restarts;
}

const struct gate_counts *gate_keeper_counts(const struct gate_keeper *keeper)
{
	return &keeper->counts;
}

const char *gate_keeper_trouble(const struct gate_keeper *keeper)
{
	if (keeper->pid <= 0)
		return "the gate is being started again; the rules stay as they are";
	if (keeper->was_refused)
		return "what was in force cannot be applied again; the rules stay as they are";
	if (!keeper->has_applied)
		return "the rules are being applied; those from before stay meanwhile";
	return NULL;
}

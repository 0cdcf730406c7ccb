/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_holder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "observe/host/socket_scan.h"
#include "observe/host/socket_verdict.h"

#define YOUNG_PROCESSES 64 /* asked from the execution watch */
#define OWNERS		16 /* processes that held a socket lately */
#define ANCESTORS	32 /* generations */
#define PIDS_LIMIT	(1U << 20)
#define CACHE_LIMIT	256 /* sockets */

/* How long an answer is good: one socket may start many flows. */
#define CACHE_TIME_NS (2 * NS_PER_S)

/* Searching may take 1/33 of one processor, saved up for at most 300 ms. */
#define CREDIT_DIVISOR	33
#define CREDIT_LIMIT_NS (300 * NS_PER_MS)

/* Without credit a search looks at this many processes. */
#define PROCESSES_WITHOUT_CREDIT 64

struct answer {
	uint64_t time_ns;
	char *program;
	pid_t pid;
	bool left_out;
};

struct socket_holder {
	struct execution_watch *executions;
	struct map *answers;  /* inode → struct answer */
	pid_t owners[OWNERS]; /* the latest first */
	pid_t *pids;	      /* all processes, while a search runs */
	size_t pids_capacity;
	int64_t credit_ns;
	uint64_t credited_ns;
	int64_t credit_limit_ns;
	unsigned int credit_divisor;
};

struct search {
	struct socket_holder *holder;
	struct socket_search *sockets;
	struct socket_verdict *verdicts; /* one for each socket */
	size_t count;
	size_t found; /* sockets that anybody holds */
	pid_t seen[YOUNG_PROCESSES + OWNERS + PROCESSES_WITHOUT_CREDIT];
	size_t seen_count; /* the first processes, so that none is scanned twice in vain */
	size_t scanned;
	pid_t pid; /* being scanned */
	bool pid_holds;
	bool quick;
	bool hurried; /* no credit */
	int result;
};

static void dispose_answer(void *value, void *context)
{
	(void)context;
	free(((struct answer *)value)->program);
}

int socket_holder_new(struct execution_watch *executions, struct socket_holder **ret_holder)
{
	struct socket_holder *holder = calloc(1, sizeof(*holder));

	if (!holder)
		return -ENOMEM;
	if (map_new(&holder->answers, CACHE_LIMIT, sizeof(struct answer), dispose_answer, NULL) <
	    0) {
		free(holder);
		return -ENOMEM;
	}
	holder->executions = executions;
	holder->credited_ns = clock_monotonic_ns();
	socket_holder_allow(holder, CREDIT_DIVISOR, CREDIT_LIMIT_NS);
	*ret_holder = holder;
	return 0;
}

void socket_holder_free(struct socket_holder *holder)
{
	if (!holder)
		return;
	map_free(holder->answers);
	free(holder->pids);
	free(holder);
}

void socket_holder_allow(struct socket_holder *holder, unsigned int divisor, uint64_t most_ns)
{
	holder->credit_divisor = divisor;
	holder->credit_limit_ns = (int64_t)most_ns;
	holder->credit_ns = holder->credit_limit_ns;
}

static int add_holder(struct search *search, size_t socket)
{
	uint64_t time_ns = search->sockets[socket].time_ns;
	pid_t *pid = &search->sockets[socket].pid;
	struct execution_watch *executions = search->holder->executions;
	bool left_out = search->pid == getpid();
	const char *program = NULL;
	char path[PATH_MAX];

	if (executions && !left_out)
		program = execution_watch_program(executions, search->pid, &left_out);
	if (!program && !left_out) {
		int result = socket_scan_program(search->pid, path);

		/* ended in between: it holds nothing any more */
		if (result == -ENOENT || result == -ESRCH)
			return 0;
		program = result < 0 ? NULL : path;
	}
	if (executions && time_ns && !left_out &&
	    !execution_watch_ran_at(executions, search->pid, time_ns))
		program = NULL;
	/* pid 1 counts when nobody else does */
	if (!left_out && (!*pid || *pid == 1))
		*pid = search->pid;
	return socket_verdict_add(&search->verdicts[socket], search->pid, program, left_out);
}

static void on_inode(void *context, uint32_t inode)
{
	struct search *search = context;

	for (size_t i = 0; i < search->count; i++) {
		struct socket_verdict *verdict = &search->verdicts[i];
		bool held = verdict->held;
		int result;

		if (search->sockets[i].inode != inode)
			continue;
		search->pid_holds = true;
		result = add_holder(search, i);
		if (result < 0)
			search->result = result;
		search->found += !held && verdict->held;
	}
}

static bool is_seen(const struct search *search, pid_t pid)
{
	for (size_t i = 0; i < search->seen_count; i++)
		if (search->seen[i] == pid)
			return true;
	return false;
}

/* The latest owner moves to the front. */
static void remember_owner(struct socket_holder *holder, pid_t pid)
{
	size_t place = 0;

	while (place < OWNERS - 1 && holder->owners[place] != pid)
		place++;
	memmove(holder->owners + 1, holder->owners, place * sizeof(*holder->owners));
	holder->owners[0] = pid;
}

static void scan_process(struct search *search, pid_t pid)
{
	if (search->seen_count < array_length(search->seen))
		search->seen[search->seen_count++] = pid;
	search->scanned++;
	search->pid = pid;
	search->pid_holds = false;
	(void)socket_scan_process(pid, on_inode, search);
	if (search->pid_holds)
		remember_owner(search->holder, pid);
}

/* Who could have handed the socket down. Not pid 1, whose word does not count beside another's. */
static void scan_ancestors(struct search *search, pid_t pid)
{
	for (int i = 0; i < ANCESTORS && pid > 1; i++) {
		pid = socket_scan_parent(pid);
		if (pid > 1 && !is_seen(search, pid))
			scan_process(search, pid);
	}
}

static void scan(struct search *search, pid_t pid)
{
	if (pid <= 0 || is_seen(search, pid))
		return;
	scan_process(search, pid);
	if (search->quick && search->pid_holds)
		scan_ancestors(search, pid);
}

static bool is_done(const struct search *search)
{
	if (search->hurried && search->scanned >= PROCESSES_WITHOUT_CREDIT)
		return true;
	return search->quick && search->found == search->count;
}

static void scan_list(struct search *search, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count && !is_done(search); i++)
		scan(search, pids[i]);
}

static void scan_all(struct search *search)
{
	struct socket_holder *holder = search->holder;
	pid_t owners[OWNERS];
	pid_t young[YOUNG_PROCESSES];
	size_t young_count = 0;
	ssize_t count;

	if (holder->executions)
		young_count = execution_watch_recent(holder->executions, young, YOUNG_PROCESSES);
	/* a few of the youngest, then those whose habit it is, then in order of age */
	scan_list(search, young, young_count < 4 ? young_count : 4);
	memcpy(owners, holder->owners, sizeof(owners));
	scan_list(search, owners, OWNERS);
	if (is_done(search))
		return;
	count = socket_scan_processes(&holder->pids, &holder->pids_capacity, PIDS_LIMIT);
	scan_list(search, young, young_count);
	if (count > 0)
		scan_list(search, holder->pids, (size_t)count);
}

static void earn_credit(struct socket_holder *holder, uint64_t now_ns)
{
	holder->credit_ns += (int64_t)((now_ns - holder->credited_ns) / holder->credit_divisor);
	if (holder->credit_ns > holder->credit_limit_ns)
		holder->credit_ns = holder->credit_limit_ns;
	holder->credited_ns = now_ns;
}

static bool recall(struct socket_holder *holder, struct socket_search *socket, uint64_t now_ns)
{
	struct answer *answer = map_find(holder->answers, &socket->inode, sizeof(socket->inode));

	if (!answer || now_ns - answer->time_ns > CACHE_TIME_NS)
		return false;
	socket->left_out = answer->left_out;
	socket->pid = answer->pid;
	socket->program = answer->program ? strdup(answer->program) : NULL;
	return socket->program || !answer->program;
}

static int conclude(struct search *search, size_t i, uint64_t now_ns)
{
	struct socket_search *socket = &search->sockets[i];
	const char *program = socket_verdict_program(&search->verdicts[i], &socket->left_out);
	struct answer *answer;

	if (program && !(socket->program = strdup(program)))
		return -ENOMEM;
	/* what a hurried search did not find may be there all the same */
	if (!search->verdicts[i].held && search->hurried)
		return 0;
	answer = map_add(search->holder->answers, &socket->inode, sizeof(socket->inode));
	if (!answer)
		return -ENOMEM;
	free(answer->program);
	*answer = (struct answer){
		.time_ns = now_ns, .left_out = socket->left_out, .pid = socket->pid};
	if (program && !(answer->program = strdup(program)))
		return -ENOMEM;
	return 0;
}

int socket_holder_find(struct socket_holder *holder, enum socket_search_depth depth,
		       struct socket_search *searches, size_t count)
{
	uint64_t start_ns = clock_monotonic_ns();
	struct search search = {
		.holder = holder,
		.sockets = searches,
		.count = count,
	};

	if (!count)
		return 0;
	for (size_t i = 0; i < count; i++) {
		searches[i].program = NULL;
		searches[i].left_out = false;
		searches[i].pid = 0;
	}
	if (depth == SOCKET_SEARCH_QUICK && count == 1 && recall(holder, &searches[0], start_ns))
		return 0;
	search.verdicts = calloc(count, sizeof(*search.verdicts));
	if (!search.verdicts)
		return -ENOMEM;
	earn_credit(holder, start_ns);
	search.hurried = holder->credit_ns <= 0;
	search.quick = depth == SOCKET_SEARCH_QUICK || search.hurried;
	scan_all(&search);
	for (size_t i = 0; i < count; i++) {
		int result = conclude(&search, i, start_ns);

		if (result < 0 && !search.result)
			search.result = result;
		socket_verdict_clear(&search.verdicts[i]);
	}
	free(search.verdicts);
	holder->credit_ns -= (int64_t)(clock_monotonic_ns() - start_ns);
	return search.result;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/execution_join.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "observe/host/arguments.h"
#include "observe/host/process_info.h"
#include "observe/host/script_file.h"

/* Without process events: how long a process may take from the open of its program to running it.
 */
#define LOOK_AGAIN_NS (200 * NS_PER_MS)
/* With them: an exec that was not announced after this failed. Slow storage takes its time. */
#define EXEC_LIMIT_NS (10 * NS_PER_S)
/* A file without "#!" that no interpreter was opened for within this time. */
#define SCRIPT_LIMIT_NS (1 * NS_PER_S)
#define AFTER_LOSS_NS	(5 * NS_PER_S)
#define ANCESTORS_LIMIT 16
#define OPENED_SLOTS	1024
#define CMDLINE_LIMIT	((ARGUMENT_SIZE_LIMIT + 1) * ARGUMENTS_LIMIT + 2)

struct execution {
	struct execution *next; /* in join->waiting */
	struct execution_join *join;
	pid_t pid;
	uint8_t source;
	bool settled; /* all but the checksum is known */
	bool dropped;
	bool hashed;
	bool pins_arguments;
	bool has_user;
	bool from_script;    /* the kernel's own "#!", not an argument, named the script */
	bool runs_arguments; /* arguments are to be told */
	uint32_t user;
	uint64_t opened_ns;
	uint64_t boot_age_ns;
	struct file_key file;
	struct label *path;
	struct label *parent;
	char *applet;
	struct arguments arguments;
	struct executable executable;
};

/* The program that a process opened last for exec, whether or not the process was known. */
struct opened {
	pid_t pid;
	bool loader_due; /* it names a loader: the next file of that pid */
	struct label *program;
};

struct execution_join {
	struct execution_join_config config;
	struct script_files *scripts;
	struct execution *waiting; /* not settled, newest first */
	pid_t *unmatched;	   /* announced execs whose file is not known yet */
	size_t unmatched_count;
	size_t unmatched_capacity;
	struct opened opened[OPENED_SLOTS]; /* by pid; the newest of a slot stays */
	uint64_t lost;
	uint64_t
		settle_until_ns; /* events were lost: until then what is not announced counts too */
};

static void free_execution(struct execution *execution)
{
	label_release(execution->path);
	label_release(execution->parent);
	free(execution->applet);
	arguments_clear(&execution->arguments);
	free(execution);
}

int execution_join_new(const struct execution_join_config *config, struct execution_join **ret_join)
{
	struct execution_join *join = calloc(1, sizeof(*join));

	if (!join)
		return -ENOMEM;
	join->config = *config;
	if (script_files_new(config->executables, config->deliver, config->context,
			     &join->scripts) < 0) {
		free(join);
		return -ENOMEM;
	}
	*ret_join = join;
	return 0;
}

void execution_join_free(struct execution_join *join)
{
	if (!join)
		return;
	while (join->waiting) {
		struct execution *execution = join->waiting;

		join->waiting = execution->next;
		free_execution(execution);
	}
	for (size_t i = 0; i < OPENED_SLOTS; i++)
		label_release(join->opened[i].program);
	script_files_free(join->scripts);
	free(join->unmatched);
	free(join);
}

/* ---- processes ---- */

static struct process *learn_process(struct execution_join *join, pid_t pid, int generations)
{
	const uint16_t inherited = PROCESS_OWN | PROCESS_SESSION;
	_cleanup_(freep) char *path = NULL;
	struct process_stat status;
	struct process *process = process_find(join->config.table, pid);
	struct label *parent_program = NULL;
	uint16_t membership = 0;
	uint32_t user;

	/* process events tell of every new owner of a pid */
	if (process && join->config.process_events)
		return process;
	if (pid <= 0 || generations > ANCESTORS_LIMIT || process_stat_read(pid, &status) < 0)
		return process;
	if (process && process->started_ns == status.started_ns)
		return process;
	process_forget(join->config.table, pid);
	process = learn_process(join, status.parent, generations + 1);
	if (process) {
		membership = process->flags & inherited;
		parent_program = label_reference(process->program);
	}
	process = process_add(join->config.table, pid);
	if (!process) {
		label_release(parent_program);
		return NULL;
	}
	process->parent_pid = status.parent;
	process->started_ns = status.started_ns;
	process->flags |= membership;
	process->parent_program = parent_program;
	if (status.kernel_thread)
		process->flags |= PROCESS_KERNEL;
	if (join->config.audit_session != AUDIT_SESSION_UNSET &&
	    process_audit_session(pid) == join->config.audit_session)
		process->flags |= PROCESS_SESSION;
	if (process_user_read(pid, &user) == 0) {
		process->user = process->exec_user = user;
		process->flags |= PROCESS_USER_KNOWN;
	}
	if (process_program_path(pid, &path) == 0)
		process->program = label_new(path, NULL);
	return process;
}

struct process *execution_join_process(struct execution_join *join, pid_t pid)
{
	return learn_process(join, pid, 0);
}

bool execution_join_left_out(const struct execution_join *join, const struct process *process)
{
	return process->flags & PROCESS_OWN ||
	       (process->flags & PROCESS_SESSION && !join->config.include_session);
}

/* ---- delivering ---- */

static void deliver(struct execution *execution)
{
	struct execution_join *join = execution->join;
	const struct executable *executable = &execution->executable;
	bool told = execution->runs_arguments && execution->arguments.count;
	struct observation observation = {
		.kind = OBSERVATION_EXECUTION,
		.time_ns = clock_realtime_ns(),
		.execution =
			{
				.pid = execution->pid,
				.path = execution->path->text,
				.sha256 = executable->hashed ? executable->sha256 : NULL,
				.unreadable = executable->unreadable,
				.user = execution->has_user
						? users_name(join->config.users, execution->user)
						: NULL,
				.parent = label_text(execution->parent),
				.arguments = told ? execution->arguments.vector + 1 : NULL,
				.applet = execution->applet,
				.pins_arguments = execution->pins_arguments,
				.boot_age_ns = execution->boot_age_ns,
				.source = execution->source,
			},
	};

	join->config.deliver(join->config.context, &observation);
}

/* Delivers or forgets what is complete; the execution may be gone afterwards. */
static void advance(struct execution *execution)
{
	if (!execution->hashed || (!execution->settled && !execution->dropped))
		return;
	if (execution->settled && execution->path)
		deliver(execution);
	free_execution(execution);
}

static void hashed(void *context, const struct executable *executable)
{
	struct execution *execution = context;

	execution->executable = *executable;
	execution->hashed = true;
	advance(execution);
}

static void stop_waiting(struct execution *execution)
{
	struct execution **place = &execution->join->waiting;

	while (*place && *place != execution)
		place = &(*place)->next;
	if (*place)
		*place = execution->next;
	execution->next = NULL;
}

static void drop(struct execution *execution)
{
	stop_waiting(execution);
	execution->dropped = true;
	advance(execution);
}

/* ---- arguments ---- */

static void read_arguments(struct execution *execution)
{
	char small[4096];
	_cleanup_(freep) char *large = NULL;
	char *bytes = small;
	ssize_t size;

	size = process_file_read(execution->pid, "cmdline", small, sizeof(small));
	if (size == (ssize_t)sizeof(small) - 1) {
		large = malloc(CMDLINE_LIMIT);
		if (!large)
			return;
		bytes = large;
		size = process_file_read(execution->pid, "cmdline", large, CMDLINE_LIMIT);
		if (size == CMDLINE_LIMIT - 1)
			return;
	}
	if (size > 0)
		(void)arguments_parse(bytes, (size_t)size, &execution->arguments);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The process runs the file now. Its argument vector is its own to overwrite, but this early it is
 * still what exec was given. */
static void look_at_arguments(struct execution *execution)
{
	struct execution_join *join = execution->join;
	enum program_class class = program_class_by_name(execution->path->text);
	const char *argv0;
	char root[64];

	read_arguments(execution);
	execution->pins_arguments |= class != PROGRAM_ORDINARY;
	if (!execution->arguments.count)
		return;
	argv0 = execution->arguments.vector[0];
	(void)snprintf(root, sizeof(root), "/proc/%d/root", (int)execution->pid);
	if (class == PROGRAM_ORDINARY &&
	    is_linked_applet(root, execution->path->text, &execution->file, argv0))
		class = PROGRAM_MULTI_CALL;
	if (class == PROGRAM_MULTI_CALL) {
		execution->pins_arguments = true;
		argv0 = base_name(argv0);
		execution->applet = strdup(*argv0 == '-' ? argv0 + 1 : argv0);
	}
	execution->runs_arguments = execution->pins_arguments;
	if (!execution->from_script)
		script_files_from_arguments(join->scripts, execution->pid, execution->path,
					    &execution->arguments);
}

/* ---- settling ---- */

static void finish_settling(struct execution *execution, bool look)
{
	struct execution_join *join = execution->join;

	if (execution->pins_arguments || !execution->path)
		; /* known from its "#!" line */
	else
		execution->pins_arguments =
			program_class_by_name(execution->path->text) != PROGRAM_ORDINARY;
	if (look && execution->path)
		look_at_arguments(execution);
	stop_waiting(execution);
	execution->settled = true;
	if (join->config.began)
		join->config.began(join->config.context, execution->pid);
	advance(execution);
}

static void take_script(struct execution *execution)
{
	struct execution_join *join = execution->join;

	if (script_files_interpreted(join->scripts, execution->pid, execution->path)) {
		executables_add_note(join->config.executables, &execution->file,
				     EXECUTABLE_INTERPRETS);
		execution->pins_arguments = true;
		execution->from_script = true;
	} else if (executables_has_note(join->config.executables, &execution->file,
					EXECUTABLE_INTERPRETS)) {
		execution->pins_arguments = true;
	}
}

/* The exec was announced, or nobody announces any. look: whether the process may be asked now. */
static void settle(struct execution *execution, bool look)
{
	struct execution_join *join = execution->join;
	struct process *process = execution_join_process(join, execution->pid);
	uint32_t user;

	take_script(execution);
	if (process) {
		process_match(process, execution->path);
		if (!join->config.process_events && process_user_read(execution->pid, &user) == 0) {
			process->user = process->exec_user = user;
			process->flags |= PROCESS_USER_KNOWN;
		}
		execution->has_user = process->flags & PROCESS_USER_KNOWN;
		execution->user = process->exec_user;
		label_assign(&execution->parent,
			     process_parent_program(join->config.table, process));
		/* a later image's arguments are not this one's */
		look = look && !process->unmatched && !(process->flags & PROCESS_ENDED);
	}
	if (join->config.process_events)
		look = look && process_runs(execution->pid, &execution->file);
	finish_settling(execution, look);
}

static struct execution *new_execution(struct execution_join *join, int fd, pid_t pid,
				       const struct file_key *file, struct label *path)
{
	struct execution *execution = calloc(1, sizeof(*execution));

	if (!execution) {
		(void)close(fd);
		join->lost++;
		return NULL;
	}
	execution->join = join;
	execution->pid = pid;
	execution->file = *file;
	execution->path = label_reference(path);
	execution->opened_ns = clock_boottime_ns();
	execution->boot_age_ns = execution->opened_ns;
	execution->next = join->waiting;
	join->waiting = execution;
	return execution;
}

/* ---- file events ---- */

static struct label *label_of(int fd, const struct file_key *file)
{
	_cleanup_(freep) char *path = NULL;

	if (descriptor_path(fd, &path) < 0)
		return NULL;
	return label_new(path, file);
}

/* Without process events nobody tells when the program runs: that is seen from outside, and when
 * the process ran the same file before, only its second look is sure to be at the new image. */
static void settle_without_events(struct execution *execution)
{
	struct process *process = execution_join_process(execution->join, execution->pid);

	if (!process) {
		settle(execution, false); /* gone already: what it ran is all that is known */
		return;
	}
	if (process_runs(execution->pid, &execution->file) &&
	    (!process->program || !execution->path ||
	     strcmp(process->program->text, execution->path->text) != 0))
		settle(execution, true);
}

static bool events_were_lost(const struct execution_join *join)
{
	return join->settle_until_ns && clock_boottime_ns() < join->settle_until_ns;
}

static void program_opened(struct execution_join *join, int fd, pid_t pid,
			   const struct file_key *file, struct label *path)
{
	struct process *process = execution_join_process(join, pid);
	struct execution *execution;

	execution = new_execution(join, fd, pid, file, path);
	if (!execution)
		return;
	execution->source = EXECUTION_EVENT;
	if (!join->config.process_events)
		settle_without_events(execution);
	else if (!process || process->unmatched || events_were_lost(join))
		settle(execution, true);
	/* the descriptor last: a known checksum may complete the execution at once */
	executables_hash(join->config.executables, fd, hashed, execution);
}

/* Only what it runs is of interest: its children and sockets are left out with it. */
static void left_out_opened(struct process *process, int fd, struct label *path,
			    const struct executable *executable)
{
	if (executable->kind == EXECUTABLE_PROGRAM || executable->kind == EXECUTABLE_LIBRARY)
		process_match(process, path);
	(void)close(fd);
}

/* Returns whether the file is the loader that the process's program named. */
static bool note_opened(struct execution_join *join, pid_t pid, const struct executable *executable,
			struct label *path)
{
	struct opened *opened = &join->opened[pid % OPENED_SLOTS];

	if (executable->kind == EXECUTABLE_LIBRARY && opened->pid == pid && opened->loader_due) {
		opened->loader_due = false;
		return true;
	}
	opened->pid = pid;
	opened->loader_due = executable->has_loader;
	label_assign(&opened->program, path);
	return false;
}

struct label *execution_join_opened(struct execution_join *join, pid_t pid)
{
	const struct opened *opened = &join->opened[pid % OPENED_SLOTS];

	return opened->pid == pid ? opened->program : NULL;
}

void execution_join_file(struct execution_join *join, int fd, pid_t pid)
{
	struct executable executable;
	struct file_key file;
	struct stat status;
	struct label *path;
	struct process *process;
	bool is_loader;
	bool left_out;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		(void)close(fd);
		return;
	}
	file = file_key_of(&status);
	path = label_of(fd, &file);
	if (executables_examine(join->config.executables, fd, &file, &executable) < 0)
		executable = (struct executable){.kind = EXECUTABLE_PROGRAM};
	is_loader = note_opened(join, pid, &executable, path);
	process = execution_join_process(join, pid);
	left_out = process && execution_join_left_out(join, process);
	if (is_loader && join->config.loader && !left_out)
		join->config.loader(join->config.context, fd, pid);
	else if (is_loader)
		(void)close(fd);
	else if (left_out)
		left_out_opened(process, fd, path, &executable);
	else if (executable.kind == EXECUTABLE_SCRIPT || executable.kind == EXECUTABLE_OTHER)
		script_files_opened(join->scripts, fd, pid, path,
				    executable.kind == EXECUTABLE_SCRIPT, clock_boottime_ns());
	else
		program_opened(join, fd, pid, &file, path);
	label_release(path);
}

/* ---- process events ---- */

static struct execution *waiting_of(struct execution_join *join, pid_t pid)
{
	struct execution *execution = join->waiting;

	while (execution && execution->pid != pid)
		execution = execution->next;
	return execution;
}

static void remember_unmatched(struct execution_join *join, pid_t pid)
{
	if (array_reserve(&join->unmatched, &join->unmatched_capacity, join->unmatched_count,
			  sizeof(*join->unmatched)) < 0) {
		join->lost++;
		return;
	}
	join->unmatched[join->unmatched_count++] = pid;
}

static void executed(struct execution_join *join, pid_t pid)
{
	struct execution *execution = waiting_of(join, pid);
	struct execution *older;

	(void)execution_join_process(join, pid);
	if (!process_executed(join->config.table, pid)) {
		if (execution)
			settle(execution, true);
		return;
	}
	if (!execution) {
		remember_unmatched(join, pid);
		return;
	}
	settle(execution, true);
	/* files that were opened before it for the same process: those execs failed */
	while ((older = waiting_of(join, pid)))
		drop(older);
}

static void user_changed(struct execution_join *join, const struct process_event *event)
{
	struct process *process = process_find(join->config.table, event->pid);

	if (!process)
		return;
	process->user = event->user;
	process->flags |= PROCESS_USER_KNOWN;
}

void execution_join_process_event(struct execution_join *join, const struct process_event *event)
{
	struct process_table *table = join->config.table;

	switch (event->kind) {
	case PROCESS_EVENT_FORK:
		(void)execution_join_process(join, event->parent);
		(void)process_forked(table, event->parent, event->pid, clock_boottime_ns());
		break;
	case PROCESS_EVENT_EXEC:
		executed(join, event->pid);
		break;
	case PROCESS_EVENT_USER:
		user_changed(join, event);
		break;
	case PROCESS_EVENT_EXIT:
		process_exited(table, event->pid, clock_boottime_ns());
		break;
	case PROCESS_EVENT_OTHER:
		break;
	}
}

/* ---- programs seen by looking at the process ---- */

/* Opens what the process runs now and reports it. Returns whether that was possible. */
static bool look_at_process(struct execution_join *join, struct process *process, uint8_t source,
			    uint64_t boot_age_ns)
{
	pid_t pid = process->pid;
	int fd = process_program_open(pid);
	struct execution *execution;
	struct file_key file;
	struct stat status;
	struct label *path;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) < 0) {
		(void)close(fd);
		return false;
	}
	file = file_key_of(&status);
	path = label_of(fd, &file);
	if (execution_join_left_out(join, process)) {
		process_match(process, path);
		label_release(path);
		(void)close(fd);
		return true;
	}
	if (join->config.unmarked && join->config.file_events && source == EXECUTION_EVENT)
		join->config.unmarked(join->config.context, fd);
	execution = new_execution(join, fd, pid, &file, path);
	label_release(path);
	if (!execution)
		return true;
	execution->source = source;
	execution->boot_age_ns = boot_age_ns;
	settle(execution, true);
	executables_hash(join->config.executables, fd, hashed, execution);
	return true;
}

void execution_join_files_drained(struct execution_join *join)
{
	size_t count = join->unmatched_count;

	join->unmatched_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct process *process = process_find(join->config.table, join->unmatched[i]);

		if (!process || !process->unmatched)
			continue;
		process->unmatched = 1; /* of several images only the last can be looked at */
		if (look_at_process(join, process, EXECUTION_EVENT, clock_boottime_ns()))
			continue;
		/* equal events of one process are one in fanotify's queue: the same program again
		 */
		if (!(process->flags & PROCESS_MATCHED && join->config.file_events) &&
		    !execution_join_left_out(join, process))
			join->lost++;
		process->unmatched = 0;
	}
}

void execution_join_running(struct execution_join *join, const struct process *process)
{
	struct process *own = process_find(join->config.table, process->pid);

	if (own)
		(void)look_at_process(join, own, EXECUTION_RUNNING, own->started_ns);
}

/* ---- time ---- */

bool execution_join_waits(const struct execution_join *join)
{
	return join->waiting || script_files_waiting(join->scripts);
}

/* The exec did not take place: the process still is what it was. */
static bool runs_what_it_ran(const struct process *process)
{
	_cleanup_(freep) char *path = NULL;

	return process->program && process_program_path(process->pid, &path) == 0 &&
	       strcmp(path, process->program->text) == 0;
}

static void look_again(struct execution *execution, uint64_t now_ns)
{
	struct execution_join *join = execution->join;
	struct process *process = process_find(join->config.table, execution->pid);
	uint64_t age_ns = now_ns - execution->opened_ns;
	struct process_stat status;

	if (join->config.process_events) {
		bool ended = !process || process->flags & PROCESS_ENDED;

		if (events_were_lost(join))
			settle(execution, true);
		else if (ended || age_ns > EXEC_LIMIT_NS)
			drop(execution);
		return;
	}
	if (process_stat_read(execution->pid, &status) < 0)
		settle(execution, false);
	else if (process_runs(execution->pid, &execution->file))
		settle(execution, true);
	else if (age_ns > LOOK_AGAIN_NS && process && runs_what_it_ran(process))
		drop(execution);
	else if (age_ns > LOOK_AGAIN_NS)
		settle(execution, false);
}

static struct label *interpreter_of(void *context, pid_t pid)
{
	struct execution_join *join = context;
	struct process *process = process_find(join->config.table, pid);

	if (!process || !process->program || execution_join_left_out(join, process) ||
	    program_class_by_name(process->program->text) == PROGRAM_ORDINARY)
		return NULL;
	return process->program;
}

void execution_join_tick(struct execution_join *join, uint64_t now_ns)
{
	struct execution *next;

	for (struct execution *execution = join->waiting; execution; execution = next) {
		next = execution->next;
		look_again(execution, now_ns);
	}
	if (now_ns > SCRIPT_LIMIT_NS)
		script_files_expire(join->scripts, now_ns - SCRIPT_LIMIT_NS, interpreter_of, join);
}

void execution_join_settle_all(struct execution_join *join)
{
	join->settle_until_ns = clock_boottime_ns() + AFTER_LOSS_NS;
	while (join->waiting)
		settle(join->waiting, true);
}

uint64_t execution_join_lost(const struct execution_join *join)
{
	return join->lost;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/execution_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/attention.h"
#include "observe/host/executable.h"
#include "observe/host/execution_join.h"
#include "observe/host/execution_losses.h"
#include "observe/host/file_events.h"
#include "observe/host/file_open_watch.h"
#include "observe/host/library_watch.h"
#include "observe/host/process_census.h"
#include "observe/host/process_events.h"
#include "observe/host/process_info.h"
#include "observe/host/process_roster.h"
#include "observe/host/process_table.h"
#include "observe/host/users.h"

/* The events of a start are read this much later at most, on a machine that is not overloaded. */
#define START_NOTICE_NS (20 * NS_PER_MS)

#define PROCESSES_LIMIT	   131072
#define DESCRIPTORS_WANTED 4096
#define FILES_AT_A_TIME	   512
#define ENDED_KEPT_NS	   (5 * NS_PER_S)
#define TICK_NS		   (20 * NS_PER_MS)
#define LIBRARY_SWEEP_NS   (30 * NS_PER_S)
#define LOSS_REPORT_TURNS  5
#define DRAIN_ROUNDS	   20
#define DRAIN_LIMIT_NS	   (5 * NS_PER_S)

/* How often /proc is read: one missing event layer is made up for by a look each second; with both
 * missing only what lives longer than the pause is seen. */
#define HOUSEKEEPING_NS (1 * NS_PER_S)
#define BLIND_SWEEP_NS	(100 * NS_PER_MS)

struct execution_watch {
	struct execution_watch_config config;
	struct execution_layers layers;
	struct loop *loop;
	struct process_table *table;
	struct users *users;
	struct executables *executables;
	struct process_events *processes; /* NULL: layer off */
	struct file_events *files;	  /* NULL: layer off */
	struct process_roster *roster;
	struct execution_join *join;
	struct library_files *library_files;
	struct library_watch *libraries;
	struct file_open_watch *opens; /* NULL: layer off */
	struct process_census *census;
	struct loop_source *tick;
	struct loop_source *housekeeping;
	struct loop_source *blind_sweep;
	struct loop_source *library_sweep;
	struct execution_losses losses; /* as told last */
	uint64_t process_losses_handled;
	unsigned int turns;
	bool closing;
	char *found; /* path last handed out that is in no table */
};

static void deliver(void *context, const struct observation *observation)
{
	struct execution_watch *watch = context;

	if (!watch->closing)
		watch->config.deliver(watch->config.context, observation);
}

/* Of what runs already nobody knows what it opened. */
static void deliver_execution(void *context, const struct observation *observation)
{
	struct execution_watch *watch = context;
	struct observation execution = *observation;

	if (observation->kind == OBSERVATION_EXECUTION)
		execution.execution.reads_watched =
			watch->opens && observation->execution.source == EXECUTION_EVENT;
	deliver(watch, &execution);
}

/* ---- losses ---- */

static void tell_counters(struct execution_watch *watch)
{
	const struct execution_losses now = {
		.files = {.seen = watch->files ? file_events_seen(watch->files) : 0,
			  .lost = execution_join_lost(watch->join) +
				  (watch->files ? file_events_lost(watch->files) : 0) +
				  (watch->opens ? file_open_watch_lost(watch->opens) : 0)},
		.processes = {.seen = watch->processes ? process_events_seen(watch->processes) : 0,
			      .lost = process_table_refused(watch->table) +
				      (watch->processes ? process_events_lost(watch->processes)
							: 0)},
	};

	execution_losses_tell(&watch->losses, &now, deliver, watch);
}

static void make_up_for_losses(struct execution_watch *watch)
{
	uint64_t lost = watch->processes ? process_events_lost(watch->processes) : 0;

	if (lost == watch->process_losses_handled)
		return;
	watch->process_losses_handled = lost;
	execution_join_settle_all(watch->join);
	(void)process_census_take(watch->census, false);
	tell_counters(watch);
}

/* ---- events ---- */

static void on_tick(void *context);

/* The short timer runs only while something waits for it. */
static void adjust_tick(struct execution_watch *watch)
{
	bool needed = execution_join_waits(watch->join) || library_watch_waits(watch->libraries);

	if (needed && !watch->tick) {
		(void)loop_add_timer(watch->loop, TICK_NS, on_tick, watch, &watch->tick);
	} else if (!needed && watch->tick) {
		loop_remove(watch->tick);
		watch->tick = NULL;
	}
}

static void on_tick(void *context)
{
	struct execution_watch *watch = context;
	uint64_t now_ns = clock_boottime_ns();

	execution_join_tick(watch->join, now_ns);
	library_watch_tick(watch->libraries, now_ns);
	adjust_tick(watch);
}

static void process_event(void *context, const struct process_event *event)
{
	struct execution_watch *watch = context;

	execution_join_process_event(watch->join, event);
}

static void take_process_events(void *context)
{
	struct execution_watch *watch = context;

	if (watch->processes)
		process_events_drain(watch->processes);
}

static void file_opened(void *context, int fd, pid_t pid, uint64_t mask)
{
	struct execution_watch *watch = context;

	(void)mask;
	execution_join_file(watch->join, fd, pid);
}

static void files_drained(void *context)
{
	struct execution_watch *watch = context;

	execution_join_files_drained(watch->join);
	adjust_tick(watch);
}

static void take_exec_events(void *context)
{
	struct execution_watch *watch = context;

	if (watch->files)
		(void)file_events_drain(watch->files); /* process events with them */
	else
		take_process_events(watch);
}

static unsigned int room_for_files(void *context)
{
	struct execution_watch *watch = context;

	return executables_room(watch->executables);
}

/* The files of the execs that were announced are queued by now. */
static void process_events_taken(void *context)
{
	struct execution_watch *watch = context;

	if (watch->files)
		(void)file_events_drain(watch->files);
	else
		files_drained(watch);
	make_up_for_losses(watch);
}

static void files_hashed(void *context)
{
	struct execution_watch *watch = context;

	if (watch->files)
		file_events_resume(watch->files);
	if (watch->opens)
		file_open_watch_resume(watch->opens);
}

static void program_began(void *context, pid_t pid)
{
	struct execution_watch *watch = context;

	if (!watch->opens)
		library_watch_began(watch->libraries, pid);
}

static void unmarked_filesystem(void *context, int fd)
{
	struct execution_watch *watch = context;

	if (watch->files)
		(void)file_events_watch(watch->files, fd);
	if (watch->opens)
		file_open_watch_filesystem(watch->opens, fd);
}

/* ---- timers ---- */

static void on_housekeeping(void *context)
{
	struct execution_watch *watch = context;
	uint64_t now_ns = clock_boottime_ns();

	if (now_ns > ENDED_KEPT_NS)
		process_table_expire(watch->table, now_ns - ENDED_KEPT_NS);
	if (!watch->processes && watch->files)
		(void)process_census_take(watch->census, false);
	if (++watch->turns % LOSS_REPORT_TURNS == 0)
		tell_counters(watch);
	adjust_tick(watch);
}

static void on_blind_sweep(void *context)
{
	struct execution_watch *watch = context;

	(void)process_census_take(watch->census, false);
	adjust_tick(watch);
}

static void on_library_sweep(void *context)
{
	struct execution_watch *watch = context;

	library_watch_sweep(watch->libraries);
}

static int start_timers(struct execution_watch *watch)
{
	int result = loop_add_timer(watch->loop, HOUSEKEEPING_NS, on_housekeeping, watch,
				    &watch->housekeeping);

	if (result == 0)
		result = loop_add_timer(watch->loop, LIBRARY_SWEEP_NS, on_library_sweep, watch,
					&watch->library_sweep);
	if (result == 0 && !watch->processes && !watch->files)
		result = loop_add_timer(watch->loop, BLIND_SWEEP_NS, on_blind_sweep, watch,
					&watch->blind_sweep);
	return result;
}

/* ---- making ---- */

static size_t raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 64;
	if (limit.rlim_cur < DESCRIPTORS_WANTED) {
		limit.rlim_cur =
			limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	/* a library takes two while it is hashed, and others here need some as well */
	return limit.rlim_cur / 4 < FILES_AT_A_TIME ? limit.rlim_cur / 4 : FILES_AT_A_TIME;
}

static bool sees_other_users(void)
{
	_cleanup_(freep) char *path = NULL;

	int result = process_program_path(1, &path);

	return geteuid() == 0 || (result != -EACCES && result != -EPERM);
}

static int start_layers(struct execution_watch *watch, struct error *error)
{
	struct file_events_config files = {
		.kind = FILE_EVENTS_EXEC,
		.deliver = file_opened,
		.before = take_process_events,
		.drained = files_drained,
		.room = room_for_files,
		.context = watch,
	};

	(void)process_events_new(watch->loop, process_event, process_events_taken, watch,
				 &watch->processes, &watch->layers.connector_off);
	(void)file_events_new(watch->loop, &files, &watch->files, &watch->layers.fanotify_off);
	/* the connector alone tells pids (to anybody, since Linux 6.6), not what they run */
	if (!watch->files && !sees_other_users())
		return error_set(error, EPERM,
				 "cannot see other users' processes (fanotify: %s; process "
				 "connector: %s); run as root",
				 watch->layers.fanotify_off,
				 watch->layers.connector_off ? watch->layers.connector_off : "on");
	return 0;
}

/* Before the census, so that nothing is opened unseen between them. */
static void watch_opens(struct execution_watch *watch)
{
	const struct file_open_watch_config opens = {
		.table = watch->table,
		.roster = watch->roster,
		.executables = watch->executables,
		.join = watch->join,
		.libraries = watch->library_files,
		.process_events = watch->processes,
		.deliver = deliver,
		.context = watch,
		.before = take_exec_events,
	};

	(void)file_open_watch_new(watch->loop, &opens, &watch->opens, &watch->layers.opens_off);
	if (watch->opens)
		watch->layers.opens_off = NULL;
}

static int make_parts(struct execution_watch *watch)
{
	struct process_roster_config roster = {
		.table = watch->table,
		.process_events = watch->processes,
		.include_session = watch->config.include_session,
		.session = login_session_of_self(),
	};
	struct execution_join_config join = {
		.table = watch->table,
		.executables = watch->executables,
		.users = watch->users,
		.file_events = watch->files,
		.process_events = watch->processes,
		.deliver = deliver_execution,
		.began = program_began,
		.unmarked = unmarked_filesystem,
		.context = watch,
	};
	struct library_watch_config libraries = {
		.table = watch->table,
		.executables = watch->executables,
	};
	struct process_census_config census = {
		.table = watch->table,
		.process_events = watch->processes,
	};
	int result = process_roster_new(&roster, &watch->roster);

	if (result < 0)
		return result;
	join.roster = libraries.roster = census.roster = watch->roster;
	result = execution_join_new(&join, &watch->join);
	if (result < 0)
		return result;
	census.join = watch->join;
	result = library_files_new(watch->executables, deliver, watch, &watch->library_files);
	if (result < 0)
		return result;
	libraries.libraries = watch->library_files;
	result = library_watch_new(&libraries, &watch->libraries);
	if (result < 0)
		return result;
	watch_opens(watch);
	return process_census_new(&census, &watch->census);
}

static int start(struct execution_watch *watch, struct error *error)
{
	size_t files_at_a_time = raise_descriptor_limit();
	int result = process_table_new(&watch->table, PROCESSES_LIMIT);

	if (result == 0)
		result = users_new("/etc/passwd", &watch->users);
	if (result == 0)
		result = executables_new(watch->loop, files_at_a_time, &watch->executables);
	if (result < 0)
		return error_set(error, -result, "cannot watch executions: %s", strerror(-result));
	executables_on_progress(watch->executables, files_hashed, watch);
	result = start_layers(watch, error);
	if (result < 0)
		return result;
	result = make_parts(watch);
	if (result == 0)
		result = process_census_take(watch->census, true);
	if (result == 0)
		result = start_timers(watch);
	if (result < 0)
		return error_set(error, -result, "cannot watch executions: %s", strerror(-result));
	library_watch_sweep(watch->libraries);
	executables_finish(watch->executables);
	adjust_tick(watch);
	return 0;
}

int execution_watch_new(struct loop *loop, const struct execution_watch_config *config,
			struct execution_watch **ret_watch, struct error *error)
{
	struct execution_watch *watch = calloc(1, sizeof(*watch));
	int result;

	if (!watch)
		return error_set(error, ENOMEM, "out of memory");
	watch->config = *config;
	watch->loop = loop;
	result = start(watch, error);
	if (result < 0) {
		execution_watch_free(watch);
		return result;
	}
	executables_yield(watch->executables, true);
	attention_raise();
	*ret_watch = watch;
	return 0;
}

void execution_watch_free(struct execution_watch *watch)
{
	if (!watch)
		return;
	watch->closing = true;
	attention_lower();
	loop_remove(watch->tick);
	loop_remove(watch->housekeeping);
	loop_remove(watch->blind_sweep);
	loop_remove(watch->library_sweep);
	file_events_free(watch->files);
	process_events_free(watch->processes);
	executables_free(watch->executables);
	file_open_watch_free(watch->opens);
	library_watch_free(watch->libraries);
	library_files_free(watch->library_files);
	execution_join_free(watch->join);
	process_census_free(watch->census);
	process_roster_free(watch->roster);
	process_table_free(watch->table);
	users_free(watch->users);
	free(watch->found);
	free(watch);
}

struct execution_layers execution_watch_layers(const struct execution_watch *watch)
{
	return watch->layers;
}

/* ---- questions ---- */

/* Returns whether that were all, or false: there was no room to hash more files. */
static bool take_events(struct execution_watch *watch)
{
	bool all = true;

	if (watch->files)
		all = file_events_drain(watch->files); /* process events first, by itself */
	else {
		take_process_events(watch);
		files_drained(watch);
	}
	make_up_for_losses(watch);
	return all;
}

/* All that is queued, however many files there are to hash; on a machine that never pauses, for
 * some seconds. */
static void take_everything(struct execution_watch *watch)
{
	uint64_t until_ns = clock_boottime_ns() + DRAIN_LIMIT_NS;
	bool all;

	do {
		all = take_events(watch);
		all = (!watch->opens || file_open_watch_drain(watch->opens)) && all;
		executables_finish(watch->executables);
		files_hashed(watch);
	} while (!all && clock_boottime_ns() < until_ns);
}

void execution_watch_drain(struct execution_watch *watch)
{
	executables_yield(watch->executables, false);
	attention_lower(); /* nothing is waited for any more */
	for (int i = 0; i < DRAIN_ROUNDS; i++) {
		take_everything(watch);
		execution_join_tick(watch->join, clock_boottime_ns());
		library_watch_tick(watch->libraries, clock_boottime_ns());
		if (!execution_join_waits(watch->join) && !library_watch_waits(watch->libraries))
			break;
		(void)usleep(TICK_NS / 1000);
	}
	executables_finish(watch->executables);
	tell_counters(watch);
	adjust_tick(watch);
}

const char *execution_watch_program(struct execution_watch *watch, pid_t pid, bool *ret_left_out)
{
	const struct process *process;
	char *path = NULL;

	*ret_left_out = false;
	(void)take_events(watch);
	process = process_roster_find(watch->roster, pid);
	if (!process)
		return NULL;
	*ret_left_out = process_roster_left_out(watch->roster, process);
	if (process->flags & PROCESS_KERNEL)
		return NULL;
	if (watch->processes && !process->unmatched)
		return label_text(process->program);
	/* without process events an exec may be newer than the table */
	if (process_program_path(pid, &path) < 0)
		return process->unmatched ? NULL : label_text(process->program);
	free(watch->found);
	watch->found = path;
	return path;
}

/* Without process events the table may be behind: it still has the image before. */
static bool is_behind(const struct execution_watch *watch, const struct process *process)
{
	_cleanup_(freep) char *path = NULL;

	return !watch->processes && process->flags & PROCESS_MATCHED && process->program &&
	       process_program_path(process->pid, &path) == 0 &&
	       strcmp(path, label_text(process->program)) != 0;
}

bool execution_watch_ran_at(struct execution_watch *watch, pid_t pid, uint64_t time_ns)
{
	uint64_t now_ns = clock_realtime_ns();
	uint64_t age_ns = time_ns < now_ns ? now_ns - time_ns : 0;
	uint64_t then_ns = clock_boottime_ns() - age_ns;
	const struct process *process;

	(void)take_events(watch);
	process = process_roster_find(watch->roster, pid);
	if (execution_join_replaced_ns(watch->join, pid) > then_ns)
		return false;
	return !process || (process->started_ns <= then_ns + START_NOTICE_NS &&
			    process->replaced_ns <= then_ns && !is_behind(watch, process));
}

size_t execution_watch_recent(struct execution_watch *watch, pid_t *pids, size_t limit)
{
	take_process_events(watch);
	return process_table_recent(watch->table, pids, limit);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "execution_stage.h"
#include "observe/host/process_events.h"

#define PROGRAMS 500

/* where the helper programs of this test were built */
static const char *helpers;

static const char *helper(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", helpers, name);
	return path;
}

struct place {
	char path[256];
};

static struct place in(const char *directory, const char *name)
{
	struct place place;

	(void)snprintf(place.path, sizeof(place.path), "%s/%s", directory, name);
	return place;
}

static struct place numbered(const char *directory, int number)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "p%03d", number);
	return in(directory, name);
}

static void run(const char *path, bool wait)
{
	const char *const argv[] = {path, NULL};

	(void)start_program(path, argv, wait);
}

/* ---- many programs that are over at once ---- */

static void make_programs(const char *directory)
{
	char trailer[16];

	for (int i = 0; i < PROGRAMS; i++) {
		(void)snprintf(trailer, sizeof(trailer), "%d", i);
		copy_with_trailer(helper("tiny"), numbered(directory, i).path, trailer);
	}
}

static void start_programs(const char *directory)
{
	for (int i = 0; i < PROGRAMS; i++) {
		run(numbered(directory, i).path, true);
		(void)usleep(300);
	}
}

static void every_program_is_there(const struct sightings *sightings, const char *directory)
{
	char sha256[65];

	for (int i = 0; i < PROGRAMS; i++) {
		struct place place = numbered(directory, i);
		size_t from = 0;
		const struct sighting *item =
			find_sighting(sightings, OBSERVATION_EXECUTION, place.path, &from);

		CHECK(item);
		sha256_of(place.path, sha256);
		CHECK(strcmp(item->sha256, sha256) == 0);
		CHECK(item->source == EXECUTION_EVENT);
		CHECK(!find_sighting(sightings, OBSERVATION_EXECUTION, place.path, &from));
	}
}

static void every_program_is_there_and_nothing_lost(const struct sightings *sightings,
						    const char *directory)
{
	every_program_is_there(sightings, directory);
	for (size_t i = 0; i < sightings->count; i++)
		CHECK(sightings->items[i].kind != OBSERVATION_LOSS ||
		      sightings->items[i].lost == 0);
}

static void hundreds_of_brief_programs(void **state)
{
	const struct stage stage = {
		.name = "brief programs",
		.prepare = make_programs,
		.act = start_programs,
		.check = every_program_is_there_and_nothing_lost,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

static void every_program_has_user_and_parent(const struct sightings *sightings,
					      const char *directory)
{
	char self[256] = "";

	if (sightings->layers.connector_off) {
		fprintf(stderr, "SKIPPED: no process connector here: %s\n",
			sightings->layers.connector_off);
		return;
	}
	/* what others on this machine run in places of their own may well be lost: not asserted */
	every_program_is_there(sightings, directory);
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	for (int i = 0; i < PROGRAMS; i++) {
		const struct sighting *item = find_sighting(sightings, OBSERVATION_EXECUTION,
							    numbered(directory, i).path, NULL);

		CHECK(strcmp(item->user, "root") == 0);
		CHECK(strcmp(item->parent, self) == 0);
	}
}

static void brief_programs_with_the_process_connector(void **state)
{
	const struct stage stage = {
		.name = "process connector",
		.machine = true,
		.prepare = make_programs,
		.act = start_programs,
		.check = every_program_has_user_and_parent,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

/* ---- users without process events ---- */

#define JOBS 60

static void make_jobs(const char *directory)
{
	char trailer[16];

	for (int i = 0; i < JOBS; i++) {
		(void)snprintf(trailer, sizeof(trailer), "%d", i);
		copy_with_trailer(helper("tiny"), numbered(directory, i).path, trailer);
	}
	copy_with_trailer(helper("brief"), in(directory, "brief").path, "");
	copy_with_trailer(helper("libprobe.so"), in(directory, "libprobe.so").path, "");
	CHECK(chmod(directory, 0755) == 0);
}

/* Each process runs setpriv as root first. */
static void start_jobs(const char *directory)
{
	struct place brief = in(directory, "brief");
	const char *const slow[] = {"setpriv", "--reuid=65534", brief.path, "1500", NULL};

	for (int i = 0; i < JOBS; i++) {
		struct place place = numbered(directory, i);
		const char *const argv[] = {"setpriv", "--reuid=65534", place.path, NULL};

		(void)start_program("/usr/bin/setpriv", argv, true);
	}
	(void)start_program("/usr/bin/setpriv", slow, true);
}

static void no_job_has_the_user_of_the_program_before(const struct sightings *sightings,
						      const char *directory)
{
	const struct sighting *item;

	CHECK(sightings->layers.connector_off);
	for (int i = 0; i < JOBS; i++) {
		item = find_sighting(sightings, OBSERVATION_EXECUTION, numbered(directory, i).path,
				     NULL);
		CHECK(item);
		CHECK(!*item->user || strcmp(item->user, "nobody") == 0);
	}
	item = find_sighting(sightings, OBSERVATION_EXECUTION, in(directory, "brief").path, NULL);
	CHECK(item && strcmp(item->user, "nobody") == 0);
}

static void users_without_process_events(void **state)
{
	const struct stage stage = {
		.name = "users",
		.prepare = make_jobs,
		.act = start_jobs,
		.check = no_job_has_the_user_of_the_program_before,
	};

	(void)state;
	if (access("/usr/bin/setpriv", X_OK) < 0) {
		print_message("SKIPPED: no setpriv\n");
		skip();
	}
	assert_true(stage_run(&stage));
}

/* ---- scripts ---- */

static void make_scripts(const char *directory)
{
	static const char *const names[] = {"direct", "given"};

	for (size_t i = 0; i < array_length(names); i++) {
		struct place place = in(directory, names[i]);
		_cleanup_(fclosep) FILE *stream = fopen(place.path, "we");

		CHECK(stream);
		CHECK(fprintf(stream, "%s# %s\nsleep 0.2\n", i ? "" : "#!/bin/sh\n", names[i]) > 0);
		CHECK(fchmod(fileno(stream), 0755) == 0);
	}
}

static void run_scripts(const char *directory)
{
	struct place given = in(directory, "given");
	const char *const argv[] = {"sh", "-e", given.path, "word", NULL};

	run(in(directory, "direct").path, true);
	(void)start_program("/bin/sh", argv, true);
}

static void scripts_are_there(const struct sightings *sightings, const char *directory)
{
	static const char *const names[] = {"direct", "given"};
	_cleanup_(freep) char *shell = realpath("/bin/sh", NULL);
	char expected[600];
	char sha256[65];
	const struct sighting *item;
	size_t from = 0;

	for (size_t i = 0; i < array_length(names); i++) {
		struct place place = in(directory, names[i]);

		item = find_sighting(sightings, OBSERVATION_SCRIPT, place.path, NULL);
		sha256_of(place.path, sha256);
		CHECK(item && strcmp(item->sha256, sha256) == 0);
		CHECK(strcmp(item->interpreter, shell) == 0);
	}
	do {
		item = find_sighting(sightings, OBSERVATION_EXECUTION, shell, &from);
		CHECK(item);
		CHECK(item->pins_arguments);
		(void)snprintf(expected, sizeof(expected), "-e|%s/given|word", directory);
	} while (strcmp(item->arguments, expected) != 0);
}

static void scripts_and_their_interpreters(void **state)
{
	const struct stage stage = {
		.name = "scripts",
		.prepare = make_scripts,
		.act = run_scripts,
		.check = scripts_are_there,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

/* A file this new is told again each time it is seen: its times prove nothing yet. */
static bool library_was_told(const struct sightings *sightings, const char *path,
			     const char *content)
{
	const struct sighting *item;
	size_t from = 0;
	char sha256[65];

	sha256_of(content, sha256);
	while ((item = find_sighting(sightings, OBSERVATION_LIBRARY, path, &from)))
		if (strcmp(item->sha256, sha256) == 0)
			return true;
	return false;
}

/* ---- what is opened ---- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	_cleanup_(fclosep) FILE *stream = fopen(path, "we");

	CHECK(stream && fputs(text, stream) >= 0 && fchmod(fileno(stream), mode) == 0);
}

/* A shell that sources code and data, and whose child opens a file as a shell before it executes
 * something else. */
static void make_read_files(const char *directory)
{
	char text[1024];

	write_file(in(directory, "code.sh").path, "A=1\n", 0644);
	write_file(in(directory, "settings").path, "B=1\n", 0644);
	write_file(in(directory, "input").path, "words\n", 0644);
	write_file(in(directory, "empty").path, "", 0644);
	write_file(in(directory, "fed").path, "#!/bin/sh\n:\n", 0644);
	copy_with_trailer(helper("libprobe.so"), in(directory, "plugin.so").path, "plugin");
	copy_with_trailer(helper("tiny"), in(directory, "read").path, "read");
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\ncd %s\n. ./code.sh\n. ./settings\n(cat < input) "
		       ">/dev/null\nread x < empty\n"
		       "echo new > made; read y < made\ncat plugin.so read >/dev/null\n"
		       "sh < fed\n:\n",
		       directory);
	write_file(in(directory, "reader").path, text, 0644);
}

static void read_files(const char *directory)
{
	struct place reader = in(directory, "reader");
	const char *const argv[] = {"sh", reader.path, NULL};

	(void)start_program("/bin/sh", argv, true);
	/* what no interpreter opens does not matter, unless it is machine code */
	(void)start_program("/bin/cat",
			    (const char *const[]){"cat", in(directory, "input").path, NULL}, true);
}

static void what_was_read_is_told(const struct sightings *sightings, const char *directory)
{
	static const char *const code[] = {"code.sh", "reader", "fed"};
	static const char *const data[] = {"settings", "input", "made"};
	static const char *const machine_code[] = {"plugin.so", "read"};
	_cleanup_(freep) char *shell = realpath("/bin/sh", NULL);
	const struct sighting *item;
	char sha256[65];

	for (size_t i = 0; i < array_length(code); i++) {
		struct place place = in(directory, code[i]);

		item = find_sighting(sightings, OBSERVATION_SCRIPT, place.path, NULL);
		sha256_of(place.path, sha256);
		CHECK(item && strcmp(item->sha256, sha256) == 0);
		CHECK(strcmp(item->interpreter, shell) == 0);
		CHECK(!find_sighting(sightings, OBSERVATION_READ, place.path, NULL));
	}
	for (size_t i = 0; i < array_length(data); i++) {
		item = find_sighting(sightings, OBSERVATION_READ, in(directory, data[i]).path,
				     NULL);
		CHECK(item && strcmp(item->program, shell) == 0);
		CHECK(item->is_new == (strcmp(data[i], "made") == 0));
	}
	CHECK(find_sighting(sightings, OBSERVATION_READ, "/etc/ld.so.cache", NULL));
	CHECK(!find_sighting(sightings, OBSERVATION_READ, in(directory, "empty").path, NULL));
	for (size_t i = 0; i < array_length(machine_code); i++) {
		struct place place = in(directory, machine_code[i]);

		CHECK(library_was_told(sightings, place.path, place.path));
		CHECK(!find_sighting(sightings, OBSERVATION_READ, place.path, NULL));
	}
	for (size_t i = 0; i < sightings->count; i++)
		CHECK(sightings->items[i].kind != OBSERVATION_READ ||
		      strcmp(sightings->items[i].program, shell) == 0);
}

static void what_interpreters_read(void **state)
{
	const struct stage stage = {
		.name = "reads",
		.prepare = make_read_files,
		.act = read_files,
		.check = what_was_read_is_told,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

static void make_chain(const char *directory)
{
	char text[512];

	write_file(in(directory, "inner").path, "#!/bin/sh\nsleep 0.1\n", 0755);
	(void)snprintf(text, sizeof(text), "#!%s\n", in(directory, "inner").path);
	write_file(in(directory, "outer").path, text, 0755);
}

static void run_chain(const char *directory)
{
	run(in(directory, "outer").path, true);
}

static void both_are_scripts(const struct sightings *sightings, const char *directory)
{
	static const char *const names[] = {"inner", "outer"};
	_cleanup_(freep) char *shell = realpath("/bin/sh", NULL);

	for (size_t i = 0; i < array_length(names); i++) {
		const struct sighting *item = find_sighting(sightings, OBSERVATION_SCRIPT,
							    in(directory, names[i]).path, NULL);

		CHECK(item && strcmp(item->interpreter, shell) == 0);
	}
}

static void scripts_that_interpret_scripts(void **state)
{
	const struct stage stage = {
		.name = "chain",
		.prepare = make_chain,
		.act = run_chain,
		.check = both_are_scripts,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

/* ---- files that change, names that lie ---- */

static void make_changing(const char *directory)
{
	copy_with_trailer(helper("tiny"), in(directory, "deleted").path, "deleted");
	copy_with_trailer(helper("tiny"), in(directory, "deleted.copy").path, "deleted");
	copy_with_trailer(helper("tiny"), in(directory, "replaced").path, "old");
	copy_with_trailer(helper("tiny"), in(directory, "replaced.old").path, "old");
	copy_with_trailer(helper("tiny"), in(directory, "replaced.new").path, "new");
	copy_with_trailer(helper("tiny"), in(directory, "liar").path, "liar");
}

static void change_files(const char *directory)
{
	const char *const liar[] = {"[kworker/0:1]", NULL};

	run(in(directory, "deleted").path, true);
	CHECK(unlink(in(directory, "deleted").path) == 0);
	run(in(directory, "replaced").path, true);
	CHECK(rename(in(directory, "replaced.new").path, in(directory, "replaced").path) == 0);
	(void)start_program(in(directory, "liar").path, liar, true);
}

static void files_are_what_ran(const struct sightings *sightings, const char *directory)
{
	static const struct {
		const char *name;
		const char *content;
	} files[] = {{"deleted", "deleted.copy"}, {"replaced", "replaced.old"}, {"liar", "liar"}};
	char sha256[65];

	for (size_t i = 0; i < array_length(files); i++) {
		const struct sighting *item = find_sighting(
			sightings, OBSERVATION_EXECUTION, in(directory, files[i].name).path, NULL);

		sha256_of(in(directory, files[i].content).path, sha256);
		CHECK(item && strcmp(item->sha256, sha256) == 0);
	}
}

static void deleted_replaced_and_lying_programs(void **state)
{
	const struct stage stage = {
		.name = "changing files",
		.prepare = make_changing,
		.act = change_files,
		.check = files_are_what_ran,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

/* ---- libraries ---- */

static void make_library(const char *directory)
{
	copy_with_trailer(helper("brief"), in(directory, "brief").path, "");
	copy_with_trailer(helper("libprobe.so"), in(directory, "libprobe.so").path, "first");
	copy_with_trailer(helper("libprobe.so"), in(directory, "first").path, "first");
	copy_with_trailer(helper("libprobe.so"), in(directory, "second").path, "second");
}

static void use_library(const char *directory)
{
	const char *const slow[] = {"brief", "1500", NULL};
	const char *const fast[] = {"brief", "0", NULL};

	(void)start_program(in(directory, "brief").path, slow, true);
	/* a new file is seen though its program is gone at once */
	CHECK(link(in(directory, "second").path, in(directory, "new").path) == 0);
	CHECK(rename(in(directory, "new").path, in(directory, "libprobe.so").path) == 0);
	(void)start_program(in(directory, "brief").path, fast, true);
}

static void both_libraries_are_there(const struct sightings *sightings, const char *directory)
{
	struct place place = in(directory, "libprobe.so");

	CHECK(library_was_told(sightings, place.path, in(directory, "first").path));
	CHECK(library_was_told(sightings, place.path, in(directory, "second").path));
}

static void mapped_libraries(void **state)
{
	const struct stage stage = {
		.name = "libraries",
		.prepare = make_library,
		.act = use_library,
		.check = both_libraries_are_there,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

/* ---- the login session ---- */

static void make_two(const char *directory)
{
	copy_with_trailer(helper("brief"), in(directory, "inside").path, "inside");
	copy_with_trailer(helper("brief"), in(directory, "outside").path, "outside");
	copy_with_trailer(helper("libprobe.so"), in(directory, "libprobe.so").path, "");
}

static void run_inside(const char *directory)
{
	const char *const argv[] = {"inside", "100", NULL};

	(void)start_program(in(directory, "inside").path, argv, true);
}

static void run_outside(const char *directory)
{
	const char *const argv[] = {"outside", "100", NULL};

	(void)start_program(in(directory, "outside").path, argv, true);
}

static void only_outside_is_there(const struct sightings *sightings, const char *directory)
{
	CHECK(find_sighting(sightings, OBSERVATION_EXECUTION, in(directory, "outside").path, NULL));
	CHECK(!find_sighting(sightings, OBSERVATION_EXECUTION, in(directory, "inside").path, NULL));
}

static void the_login_session_is_left_out(void **state)
{
	const struct stage stage = {
		.name = "login session",
		.within_session = true,
		.prepare = make_two,
		.act = run_outside,
		.act_in_session = run_inside,
		.check = only_outside_is_there,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

/* ---- layers that are missing ---- */

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	CHECK(syscall(SYS_capget, &header, data) == 0);
	data[0].effective &= ~(1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN);
	CHECK(syscall(SYS_capset, &header, data) == 0);
}

static void sweeps_found_it(const struct sightings *sightings, const char *directory)
{
	const struct sighting *item = find_sighting(sightings, OBSERVATION_EXECUTION,
						    in(directory, "outside").path, NULL);
	char sha256[65];

	CHECK(strcmp(sightings->layers.fanotify_off, "needs CAP_SYS_ADMIN") == 0);
	CHECK(sightings->layers.connector_off);
	sha256_of(in(directory, "outside").path, sha256);
	CHECK(item && strcmp(item->sha256, sha256) == 0);
	CHECK(item->source == EXECUTION_RUNNING);
}

static void run_for_long(const char *directory)
{
	const char *const argv[] = {"outside", "1500", NULL};

	(void)start_program(in(directory, "outside").path, argv, true);
}

static void sweeps_without_event_layers(void **state)
{
	const struct stage stage = {
		.name = "no event layers",
		.before_watch = drop_capabilities,
		.prepare = make_two,
		.act = run_for_long,
		.check = sweeps_found_it,
	};

	(void)state;
	assert_true(stage_run(&stage));
}

static void ignore_event(void *context, const struct process_event *event)
{
	(void)context;
	(void)event;
}

static void after_events(void *context)
{
	(void)context;
}

static void the_connector_is_refused_in_another_network(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct process_events *events;
		const char *off = NULL;
		struct loop *loop;

		CHECK(unshare(CLONE_NEWNET) == 0);
		CHECK(loop_new(&loop) == 0);
		CHECK(process_events_new(loop, ignore_event, after_events, NULL, &events, &off) <
		      0);
		CHECK(off && strstr(off, "initial"));
		loop_free(loop);
		_exit(0);
	}
	assert_true(ended_well(pid));
}

static void without_privileges_it_says_so(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		const struct execution_watch_config config = {0};
		struct execution_watch *watch;
		struct error error = {0};
		struct loop *loop;

		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
		CHECK(loop_new(&loop) == 0);
		CHECK(execution_watch_new(loop, &config, &watch, &error) == -EPERM);
		CHECK(strstr(error.message, "run as root"));
		loop_free(loop);
		_exit(0);
	}
	assert_true(ended_well(pid));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hundreds_of_brief_programs),
		cmocka_unit_test(brief_programs_with_the_process_connector),
		cmocka_unit_test(users_without_process_events),
		cmocka_unit_test(scripts_and_their_interpreters),
		cmocka_unit_test(deleted_replaced_and_lying_programs),
		cmocka_unit_test(mapped_libraries),
		cmocka_unit_test(what_interpreters_read),
		cmocka_unit_test(scripts_that_interpret_scripts),
		cmocka_unit_test(the_login_session_is_left_out),
		cmocka_unit_test(sweeps_without_event_layers),
		cmocka_unit_test(the_connector_is_refused_in_another_network),
		cmocka_unit_test(without_privileges_it_says_so),
	};

	helpers = argc > 1 ? argv[1] : ".";
	/* the test runner's would win over the library beside the program */
	(void)unsetenv("LD_LIBRARY_PATH");
	if (geteuid() != 0) {
		fprintf(stderr, "SKIPPED: watching executions needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

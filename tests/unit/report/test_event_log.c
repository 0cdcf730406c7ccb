/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "findings.h"
#include "report/event_line.h"
#include "report/event_log.h"

uint64_t __wrap_clock_monotonic_ns(void);
static uint64_t now_ns = 1000 * NS_PER_S;

uint64_t __wrap_clock_monotonic_ns(void)
{
	return now_ns;
}

static char directory[64];
static char inner[96]; /* below it, made by the log */

static int make_directory(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/test_event_log.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(inner, sizeof(inner), "%s/a/events", directory);
	return 0;
}

static void path_of(unsigned int number, char path[160])
{
	(void)snprintf(path, 160, "%s/events.%u", inner, number);
}

static int remove_directory(void **state)
{
	char path[160];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		path_of(i, path);
		(void)unlink(path);
	}
	(void)rmdir(inner);
	(void)snprintf(path, sizeof(path), "%s/a", directory);
	(void)rmdir(path);
	return rmdir(directory);
}

#define LINES_MAX 4096
struct lines {
	size_t count;
	uint64_t ids[LINES_MAX];
	char *texts[LINES_MAX];
};

static void keep_line(void *context, uint64_t id, const char *line)
{
	struct lines *lines = context;

	assert_true(lines->count < LINES_MAX);
	lines->ids[lines->count] = id;
	lines->texts[lines->count++] = strdup(line);
}

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->texts[i]);
	lines->count = 0;
}

static struct event_log *open_log(size_t limit)
{
	struct event_log *log;

	assert_int_equal(event_log_new(inner, limit, &log, NULL), 0);
	return log;
}

static void read_files(struct lines *lines)
{
	lines->count = 0;
	assert_int_equal(event_files_read(inner, keep_line, lines, NULL), 0);
}

static void ids_grow_over_restarts(void **state)
{
	struct event_log *log = open_log(1 << 20);
	struct finding finding = make_finding("/tmp/a", 1);
	struct lines lines = {0};
	struct stat status;
	char path[160];

	(void)state;
	assert_int_equal(event_log_note(log, EVENT_STARTED, "version %d", 1), 1);
	assert_int_equal(event_log_finding(log, &finding), 2);
	event_log_free(log);
	path_of(0, path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);

	log = open_log(1 << 20);
	assert_int_equal(event_log_note(log, EVENT_STOPPED, "by request"), 3);
	event_log_free(log);
	read_files(&lines);
	assert_int_equal(lines.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(lines.ids[i], i + 1);
	assert_non_null(strstr(lines.texts[2], "\"event\":\"stopped\",\"text\":\"by request\""));
	free_lines(&lines);
}

static void two_files_take_turns(void **state)
{
	struct event_log *log = open_log(2000);
	struct lines lines = {0};
	struct stat status;
	char path[160];

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		(void)event_log_note(log, EVENT_MODE, "number %u", i);
	event_log_free(log);
	for (unsigned int i = 0; i < 2; i++) {
		path_of(i, path);
		assert_int_equal(stat(path, &status), 0);
		assert_true(status.st_size > 0 && status.st_size <= 2000);
	}
	read_files(&lines);
	assert_true(lines.count > 20 && lines.count < 60);
	for (size_t i = 0; i < lines.count; i++)
		assert_int_equal(lines.ids[i], 100 - lines.count + 1 + i);
	free_lines(&lines);
	/* goes on in the newer one: a restart must not empty what is left of the last hours */
	log = open_log(2000);
	assert_int_equal(event_log_note(log, EVENT_MODE, "after"), 101);
	event_log_free(log);
	read_files(&lines);
	assert_int_equal(lines.ids[lines.count - 1], 101);
	assert_true(lines.count > 20);
	free_lines(&lines);
}

static void a_torn_line_is_ended(void **state)
{
	struct event_log *log = open_log(1 << 20);
	struct lines lines = {0};
	char path[160];
	int fd;

	(void)state;
	(void)event_log_note(log, EVENT_STARTED, "x");
	event_log_free(log);
	path_of(0, path);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write_all(fd, "{\"id\":2,\"ti", 11), 0);
	(void)close(fd);
	/* a reader meanwhile takes it for a line that is being written */
	read_files(&lines);
	assert_int_equal(lines.count, 1);
	free_lines(&lines);

	log = open_log(1 << 20);
	assert_int_equal(event_log_note(log, EVENT_STARTED, "again"), 3);
	event_log_free(log);
	read_files(&lines);
	assert_int_equal(lines.count, 2);
	assert_int_equal(lines.ids[1], 3);
	free_lines(&lines);
}

static void repeats_are_one_line_and_a_count(void **state)
{
	struct event_log *log = open_log(1 << 20);
	struct finding finding = make_finding("/tmp/a", 1);
	struct finding other = make_finding("/tmp/a", 2);
	struct lines lines = {0};

	(void)state;
	event_log_on_line(log, keep_line, &lines);
	assert_int_equal(event_log_next_ns(log), 0);
	assert_int_equal(event_log_finding(log, &finding), 1);
	assert_int_equal(event_log_next_ns(log), 0);
	now_ns += NS_PER_S;
	finding.pid = 78;
	finding.repeats = 9;
	(void)snprintf(finding.path, sizeof(finding.path), "/tmp/elsewhere"); /* same content */
	assert_int_equal(event_log_finding(log, &finding), 1);
	assert_int_equal(event_log_finding(log, &other), 2);
	assert_int_equal(event_log_next_ns(log), now_ns + 59 * NS_PER_S);
	assert_int_equal(lines.count, 2);

	now_ns += 58 * NS_PER_S;
	event_log_tick(log);
	assert_int_equal(lines.count, 2);
	now_ns += 2 * NS_PER_S;
	event_log_tick(log);
	assert_int_equal(lines.count, 3);
	assert_non_null(strstr(lines.texts[2], "\"event\":\"repeated\",\"of\":1,\"count\":10,"));
	assert_int_equal(lines.ids[2], 3);
	assert_int_equal(event_log_next_ns(log), 0);
	/* after its minute it is news again */
	assert_int_equal(event_log_finding(log, &finding), 4);
	assert_int_equal(event_log_counts(log).findings, 22);
	assert_int_equal(event_log_counts(log).lines, 4);
	event_log_free(log);
	free_lines(&lines);
}

static void what_is_counted_is_written_at_the_end(void **state)
{
	struct event_log *log = open_log(1 << 20);
	struct finding finding = make_finding("/tmp/a", 1);
	struct lines lines = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)event_log_finding(log, &finding);
	event_log_free(log);
	read_files(&lines);
	assert_int_equal(lines.count, 2);
	assert_non_null(strstr(lines.texts[1], "\"of\":1,\"count\":4,"));
	free_lines(&lines);
}

static void a_flood_of_different_findings_is_a_number(void **state)
{
	struct event_log *log = open_log(4 << 20);
	struct lines lines = {0};
	char path[64];

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		struct finding finding;

		(void)snprintf(path, sizeof(path), "/tmp/%u", i);
		finding = make_finding(path, 1);
		finding.hashed = 0;
		assert_int_equal(event_log_finding(log, &finding),
				 i < EVENT_FINDINGS_PER_MINUTE ? i + 1 : 0);
	}
	assert_int_equal(event_log_next_ns(log), now_ns + 60 * NS_PER_S);
	now_ns += 60 * NS_PER_S;
	event_log_tick(log);
	read_files(&lines);
	assert_int_equal(lines.count, EVENT_FINDINGS_PER_MINUTE + 1);
	assert_non_null(strstr(lines.texts[lines.count - 1],
			       "\"event\":\"lost\",\"text\":\"2400 more findings"));
	free_lines(&lines);
	assert_int_equal(event_log_counts(log).findings, 3000);
	event_log_free(log);
}

static void recent_lines_are_bounded(void **state)
{
	struct event_log *log;
	struct lines lines = {0};

	(void)state;
	assert_int_equal(event_log_new(NULL, 0, &log, NULL), 0);
	for (unsigned int i = 0; i < 1000; i++)
		(void)event_log_note(log, EVENT_MODE, "%u", i);
	event_log_recent(log, keep_line, &lines);
	assert_int_equal(lines.count, EVENT_RECENT_COUNT);
	assert_int_equal(lines.ids[0], 1000 - EVENT_RECENT_COUNT + 1);
	assert_int_equal(lines.ids[EVENT_RECENT_COUNT - 1], 1000);
	free_lines(&lines);
	assert_int_equal(event_log_counts(log).lost_lines, 0);
	event_log_free(log);
}

/* RLIMIT_FSIZE fails a write as a full disk does, in the middle of a line too. */
static void a_full_disk_is_counted_and_told(void **state)
{
	struct event_log *log = open_log(1 << 20);
	struct rlimit before;
	struct rlimit full;
	struct lines lines = {0};

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)event_log_note(log, EVENT_STARTED, "x");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	full = (struct rlimit){100, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	(void)event_log_note(log, EVENT_MODE, "does not fit in a hundred bytes: %080d", 1);
	(void)event_log_note(log, EVENT_MODE, "nor does this: %080d", 1);
	assert_int_equal(event_log_counts(log).lost_lines, 2);
	now_ns += 60 * NS_PER_S;
	event_log_tick(log); /* cannot be told yet */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(event_log_next_ns(log), now_ns + 60 * NS_PER_S);
	now_ns += 60 * NS_PER_S;
	event_log_tick(log);
	assert_int_equal(event_log_next_ns(log), 0);
	event_log_free(log);

	read_files(&lines);
	assert_int_equal(lines.count, 2);
	assert_non_null(strstr(lines.texts[1], "\"event\":\"lost\",\"text\":\"2 lines could not"));
	free_lines(&lines);
}

static void what_is_no_file_is_refused(void **state)
{
	struct event_log *log;
	struct error error = {0};
	char path[160];

	(void)state;
	assert_int_equal(directory_make(inner, 0700, NULL), 0);
	path_of(1, path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(event_log_new(inner, 1000, &log, &error), -ELOOP);
	assert_non_null(strstr(error.message, path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(event_log_new(inner, 1000, &log, &error), -EINVAL);
}

static void no_files_are_enoent(void **state)
{
	(void)state;
	assert_int_equal(event_files_read("/nonexistent", keep_line, NULL, NULL), -ENOENT);
}

/* By the other end, the port that was wanted and the name; not by our own port. */
static void packets_are_joined_by_where_they_went(void **state)
{
	struct finding different[] = {
		make_flow_finding("192.0.2.7", 53, ""),
		make_flow_finding("192.0.2.8", 53, ""),
		make_flow_finding("192.0.2.7", 54, ""),
		make_flow_finding("192.0.2.7", 53, "evil.example"),
		make_flow_finding("192.0.2.7", 53, ""),
		make_flow_finding("192.0.2.7", 53, ""),
		make_flow_finding("192.0.2.7", 53, ""),
	};
	struct finding service = make_flow_finding("192.0.2.9", 50000, "");
	const size_t count = sizeof(different) / sizeof(different[0]);
	struct event_log *log;
	uint64_t first;

	(void)state;
	different[4].flow.protocol = IPPROTO_TCP;
	different[5].program[0] = '\0';
	different[6].kind = FINDING_CONNECTION_PROGRAM;
	assert_int_equal(event_log_new(NULL, 0, &log, NULL), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(event_log_finding(log, &different[i]), i + 1);
	for (size_t i = 0; i < count; i++) {
		different[i].flow.local_port++;
		assert_int_equal(event_log_finding(log, &different[i]), i + 1);
	}
	service.kind = FINDING_SERVICE_UNKNOWN;
	service.flow.way = WAY_IN;
	first = event_log_finding(log, &service);
	service.flow.remote_port++;
	assert_int_equal(event_log_finding(log, &service), first);
	service.flow.local_port++;
	assert_int_not_equal(event_log_finding(log, &service), first);
	event_log_free(log);
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (unsigned int kind = EVENT_FINDING; kind < EVENT_KIND_COUNT; kind++)
		assert_non_null(event_kind_name(kind));
	assert_null(event_kind_name(EVENT_KIND_COUNT));
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(ids_grow_over_restarts),
		in_directory(two_files_take_turns),
		in_directory(a_torn_line_is_ended),
		in_directory(repeats_are_one_line_and_a_count),
		in_directory(what_is_counted_is_written_at_the_end),
		in_directory(a_flood_of_different_findings_is_a_number),
		cmocka_unit_test(recent_lines_are_bounded),
		in_directory(a_full_disk_is_counted_and_told),
		in_directory(what_is_no_file_is_refused),
		cmocka_unit_test(no_files_are_enoent),
		cmocka_unit_test(packets_are_joined_by_where_they_went),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

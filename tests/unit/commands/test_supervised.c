/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that speak to a supervisor, or read what it wrote: against a server that answers as
 * docs/control.md says, and real log files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../report/findings.h"
#include "backends/backend.h"
#include "base/file.h"
#include "command_doubles.h"
#include "control/protocol.h"
#include "control/server.h"
#include "profiles/profile_json.h"
#include "report/event_log.h"

static unsigned int cleared;
static int clear_result;

int backend_clear_all(struct error *error)
{
	cleared++;
	return clear_result < 0 ? error_set(error, -clear_result, "no") : 0;
}

static char directory[64];
static char socket_path[96];
static char events_path[96];
static pid_t server;

static json_t *answer_status(void *context, struct control_peer *peer, const json_t *request)
{
	(void)context;
	(void)peer;
	(void)request;
	return json_pack(
		"{s:s, s:s, s:s, s:i, s:{s:s, s:b, s:i, s:s, s:i, s:i, s:i, s:i},"
		" s:[{s:s, s:b, s:s}, {s:s, s:b, s:s}], s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i},"
		" s:[{s:s, s:i, s:i}], s:[{s:s, s:s, s:s, s:s, s:b}], s:{s:i, s:i, s:i, s:s}}",
		STATUS_MODE, MODE_ENFORCE, STATUS_SINCE, "2026-03-02T08:00:00Z", STATUS_STARTED,
		"2026-03-02T08:00:00Z", STATUS_CONFIRM_SECONDS, 125, STATUS_PROFILE, PROFILE_PATH,
		"/etc/rtguard/camera.json", PROFILE_SIGNED, 1, PROFILE_VERSION, 3, PROFILE_KEY_ID,
		"9f86d081884c7d65", PROFILE_PROGRAMS, 61, PROFILE_PINNED, 4, PROFILE_LIBRARIES, 212,
		PROFILE_SCRIPTS, 17, STATUS_LAYERS, LAYER_NAME, LAYER_PERMISSION_NAME, LAYER_ON, 1,
		LAYER_REASON, "3 filesystems", LAYER_NAME, LAYER_CONNECTOR_NAME, LAYER_ON, 0,
		LAYER_REASON, "not in the initial network namespace\x1b", STATUS_COUNTERS,
		COUNTER_EVENTS, 5120, COUNTER_PERMITTED, 5100, COUNTER_DENIED, 20, COUNTER_KILLED,
		0, COUNTER_HASHED_FILES, 300, COUNTER_HASHED_BYTES, 104857600, COUNTER_LONGEST_US,
		1800, COUNTER_FINDINGS_LOST, 0, STATUS_WORKERS, WORKER_NAME, "guard", WORKER_PID,
		412, WORKER_RESTARTS, 2, STATUS_SETTINGS, SETTING_NAME, "memfd", SETTING_SYSCTL,
		"vm.memfd_noexec", SETTING_BEFORE, "0", SETTING_NOW, "2", SETTING_CHANGED, 1,
		STATUS_EVENTS, EVENTS_TOTAL_FINDINGS, 20, EVENTS_LINES, 9, EVENTS_LOST_LINES, 0,
		EVENTS_DIRECTORY, events_path);
}

static json_t *answer_events(void *context, struct control_peer *peer, const json_t *request)
{
	static const char *const lines[] = {
		"{\"id\":4,\"time\":\"2026-03-02T08:00:00Z\",\"event\":\"started\",\"text\":\"x\"}",
		"{\"id\":5,\"time\":\"2026-03-02T08:00:01Z\",\"event\":\"repeated\",\"of\":2,"
		"\"count\":7,\"path\":\"/tmp/tool\"}",
	};
	bool findings = json_is_true(json_object_get(request, EVENTS_FINDINGS));

	(void)context;
	for (size_t i = findings; i < 2; i++)
		(void)control_answer_text(peer, lines[i]);
	(void)control_answer(peer, control_ok());
	/* one line more for who follows, and then it ends */
	if (json_is_true(json_object_get(request, EVENTS_FOLLOW))) {
		(void)control_answer_text(peer,
					  "{\"id\":6,\"event\":\"stopped\",\"text\":\"bye\"}");
		return control_error("that was all");
	}
	return NULL;
}

static json_t *echo(void *context, struct control_peer *peer, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
	json_t *answer = control_error("asked: %s", text);

	(void)context;
	(void)peer;
	free(text);
	return answer;
}

static json_t *agree(void *context, struct control_peer *peer, const json_t *request)
{
	(void)context;
	(void)peer;
	(void)request;
	return control_ok();
}

static const struct control_command requests[] = {
	{REQUEST_STATUS, false, answer_status},
	{REQUEST_EVENTS, false, answer_events},
	{REQUEST_RELOAD, true, echo},
	{REQUEST_MODE, true, echo},
	{REQUEST_CONFIRM, true, agree},
	{REQUEST_STOP, true, echo},
	{0},
};

static void serve(int ready)
{
	struct control_server *control;
	struct loop *loop;

	(void)alarm(50);
	if (loop_new(&loop) < 0 ||
	    control_server_new(loop, socket_path, requests, NULL, NULL, &control, NULL) < 0 ||
	    write(ready, "r", 1) != 1)
		_exit(1);
	(void)loop_run(loop);
	_exit(0);
}

static void write_log(void)
{
	struct finding finding = make_finding("/tmp/tool", 0xab);
	struct event_log *log;

	assert_int_equal(event_log_new(events_path, 1 << 20, &log, NULL), 0);
	(void)event_log_note(log, EVENT_STARTED, "enforces camera.json");
	(void)event_log_finding(log, &finding);
	finding.user = 0;
	finding.kind = FINDING_ARGUMENTS_UNKNOWN;
	(void)snprintf(finding.path, sizeof(finding.path), "/usr/bin/dash");
	memset(finding.sha256, 0x11, sizeof(finding.sha256));
	(void)event_log_finding(log, &finding);
	event_log_free(log);
}

static const char profile_text[] =
	"{\"format\":\"rtguard-profile/1\",\"policy\":{\"programs\":["
	"{\"path\":\"/opt/tool\",\"sha256\":"
	"\"abababababababababababababababababababababababababababababababab\","
	"\"phase\":\"steady\",\"users\":[],\"parents\":[],\"arguments\":\"any\"},"
	"{\"path\":\"/usr/bin/dash\",\"sha256\":"
	"\"1111111111111111111111111111111111111111111111111111111111111111\","
	"\"phase\":\"steady\",\"users\":[],\"parents\":[],\"arguments\":[[\"-y\"],[\"-x\",\"1\"]]}]"
	","
	"\"scripts\":[],\"libraries\":[],\"listeners\":[],\"connections\":[],\"names\":[],"
	"\"bridge\":null}}";
static char profile_path[96];

static int set_up(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/test_supervised.XXXXXX");
	if (!mkdtemp(directory) || pipe(ready) < 0)
		return -1;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/control", directory);
	(void)snprintf(events_path, sizeof(events_path), "%s/events", directory);
	(void)snprintf(profile_path, sizeof(profile_path), "%s/profile", directory);
	write_log();
	if (file_replace(profile_path, profile_text, sizeof(profile_text) - 1, NULL) < 0)
		return -1;
	server = fork();
	if (server == 0)
		serve(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return -1;
	(void)close(ready[0]);
	(void)close(ready[1]);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"control", "control.pid", "profile", "events/events.0",
					    "events/events.1"};

	(void)state;
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[160];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(events_path);
	return rmdir(directory);
}

static char *run(int (*command)(int argc, char **argv), const char *name, const char *const *more,
		 int *ret_code)
{
	const char *words[16] = {name, "--control", socket_path};
	size_t count = 3;

	while (more && *more)
		words[count++] = *more++;
	return output_of(command, words, ret_code);
}

static void assert_holds(const char *text, const char *part)
{
	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void status_tells_all(void **state)
{
	static const char *const parts[] = {
		"Mode      enforce since 2026-03-02T08:00:00Z\n",
		"goes back to audit in 02:05 unless",
		"Profile   /etc/rtguard/camera.json\n",
		"version 3, signed by 9f86d081884c7d65\n",
		"61 programs (4 pinned), 212 libraries, 17 scripts\n",
		"5120 (5100 permitted, 20 denied, 0 killed)",
		"300 files, 100.0 MiB; the longest answer took 1.8 ms",
		"permission  on     3 filesystems",
		"connector   off    not in the initial network namespace?",
		"guard       412         2",
		"vm.memfd_noexec  0       2    yes",
		"LAST FINDINGS\n2026-03-02T08:00:01Z  #5      repeated",
	};
	int code;
	char *text = run(command_status, "status", NULL, &code);

	(void)state;
	assert_int_equal(code, EXIT_FINDINGS);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_holds(text, parts[i]);
	free(text);
}

static void status_is_json_on_request(void **state)
{
	int code;
	char *text = run(command_status, "status", (const char *[]){"--json", NULL}, &code);
	json_t *status = json_loads(text, 0, NULL);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(status, STATUS_MODE)), MODE_ENFORCE);
	assert_int_equal(json_array_size(json_object_get(status, "last_findings")), 1);
	json_decref(status);
	free(text);
}

static void nobody_there_is_trouble(void **state)
{
	const char *words[] = {"status", "--control", "/nonexistent/control", NULL};
	int code;

	(void)state;
	free(output_of(command_status, words, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_string_equal(complaint, "status: /nonexistent/control: nothing is enforced here");
}

static void leave_rules(const char *lock, unsigned long long network)
{
	char left[128];

	(void)snprintf(left, sizeof(left),
		       "supervisor 1\nsince 1\nguard 0\ngroup -1\ndesk -1\nrules %llu\n", network);
	assert_int_equal(file_replace(lock, left, strlen(left), NULL), 0);
}

/* A supervisor that was killed leaves its rules, and says so in the file that it had locked. */
static void stop_removes_rules_that_were_left(void **state)
{
	char control[] = "/tmp/test_stop.XXXXXX";
	char lock[sizeof(control) + 16];
	const char *words[] = {"stop", "--control", control, NULL};
	struct stat network;
	char *text;
	int code;

	(void)state;
	(void)close(mkstemp(control));
	(void)unlink(control);
	(void)snprintf(lock, sizeof(lock), "%s.lock", control);
	assert_int_equal(stat("/proc/self/ns/net", &network), 0);
	leave_rules(lock, network.st_ino + 1);
	cleared = 0;
	free(output_of(command_stop, words, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_int_equal(cleared, 0);
	assert_holds(complaint, "another network namespace");
	leave_rules(lock, network.st_ino);
	clear_result = -EPERM;
	free(output_of(command_stop, words, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_int_equal(cleared, 1);
	clear_result = 0;
	text = output_of(command_stop, words, &code);
	assert_int_equal(code, EXIT_FINE);
	assert_int_equal(cleared, 2);
	assert_holds(text, "rules that an earlier one left are removed");
	free(text);
	/* and none are left to be told of */
	free(output_of(command_stop, words, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_holds(complaint, "nothing is enforced here");
	(void)unlink(lock);
}

static void changes_are_asked_for(void **state)
{
	char expected[256];
	int code;

	(void)state;
	free(run(command_mode, "mode", (const char *[]){"audit", NULL}, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_string_equal(complaint, "mode: asked: {\"mode\":\"audit\",\"request\":\"mode\"}");
	free(run(command_mode, "mode", (const char *[]){"on", NULL}, &code));
	assert_string_equal(complaint, "mode: 'on': expected audit or enforce");
	free(run(command_mode, "mode", NULL, &code));
	assert_string_equal(complaint, "mode: expected audit or enforce");

	free(run(command_reload, "reload", NULL, &code));
	assert_string_equal(complaint, "reload: asked: {\"request\":\"reload\"}");
	assert_int_equal(chdir(directory), 0);
	free(run(command_reload, "reload", (const char *[]){"./profile", NULL}, &code));
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(expected, sizeof(expected),
		       "reload: asked: {\"profile\":\"%s\",\"request\":\"reload\"}", profile_path);
	assert_string_equal(complaint, expected);
	free(run(command_reload, "reload", (const char *[]){"/nonexistent", NULL}, &code));
	assert_string_equal(complaint, "reload: /nonexistent: No such file or directory");

	free(run(command_stop, "stop", NULL, &code));
	assert_string_equal(complaint, "stop: asked: {\"request\":\"stop\"}");
	free(run(command_stop, "stop", (const char *[]){"x", NULL}, &code));
	assert_string_equal(complaint, "stop: 'x' is not expected here");
}

static void confirm_says_what_was_done(void **state)
{
	int code;
	char *text = run(command_confirm, "confirm", NULL, &code);

	(void)state;
	assert_int_equal(code, EXIT_FINE);
	assert_string_equal(text, "Enforcement stays.\n");
	free(text);
}

static void events_come_from_the_files(void **state)
{
	const char *words[] = {"events",    "--control", "/nonexistent", "--directory",
			       events_path, NULL,	 NULL,		 NULL};
	int code;
	char *text = output_of(command_events, words, &code);

	(void)state;
	assert_int_equal(code, EXIT_FINDINGS);
	assert_holds(text, "#1      started          enforces camera.json\n");
	assert_holds(text,
		     "2026-03-02T08:00:00Z  #2      denied           /tmp/tool is not in the "
		     "profile (process 77 of /usr/bin/dash, user 1000, arguments: tool -x)\n");
	assert_holds(text, "#3      denied           /usr/bin/dash was never run with");
	free(text);

	words[5] = "--since"; /* the findings are of March, the start of now */
	words[6] = "1h";
	text = output_of(command_events, words, &code);
	assert_int_equal(code, EXIT_FINE);
	assert_holds(text, "#1 ");
	assert_null(strstr(text, "#2 "));
	free(text);

	words[5] = "-n1";
	words[6] = "--json";
	text = output_of(command_events, words, &code);
	assert_int_equal(strncmp(text, "{\"id\":3,", 8), 0);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);

	words[4] = "/nonexistent";
	words[5] = NULL;
	free(output_of(command_events, words, &code));
	assert_int_equal(code, EXIT_TROUBLE);
	assert_holds(complaint, "/nonexistent: no event log there");
}

static void following_goes_on_after_the_files(void **state)
{
	int code;
	char *text = run(command_events, "events", (const char *[]){"--follow", NULL}, &code);

	(void)state;
	assert_int_equal(code, EXIT_TROUBLE);
	assert_string_equal(complaint, "events: that was all");
	/* 1 to 3 of the files, 4 and later of the supervisor, in order and once */
	assert_holds(text, "#1      started");
	assert_holds(text, "#3      denied");
	assert_holds(text,
		     "#4      started          x\n2026-03-02T08:00:01Z  #5      repeated      "
		     "   #2 came 7 more times: /tmp/tool\n-  #6      stopped          bye\n");
	free(text);
}

static json_t *explanation_of(const char *id)
{
	const char *words[] = {"explain",   id,		  "--directory", events_path,
			       "--profile", profile_path, "--json",	 NULL};
	int code;
	char *text = output_of(command_explain, words, &code);
	json_t *explanation = json_loads(text, 0, NULL);

	if (code != EXIT_FINE)
		fail_msg("%s", complaint);
	assert_non_null(explanation);
	free(text);
	return explanation;
}

/* The delta, put into a profile, has to be one. */
static struct profile *profile_of(const json_t *explanation)
{
	json_t *document = json_copy(json_object_get(explanation, "delta"));
	struct profile *profile = NULL;
	struct error error = {0};
	char *text;

	assert_true(json_is_object(document));
	(void)json_object_set_new(document, "format", json_string(PROFILE_FORMAT));
	text = json_dumps(document, 0);
	if (profile_parse("delta", text, strlen(text), &profile, &error) < 0)
		fail_msg("%s", error.message);
	free(text);
	json_decref(document);
	return profile;
}

static void explain_gives_the_delta_for_a_program(void **state)
{
	json_t *explanation = explanation_of("2");
	struct profile *delta = profile_of(explanation);
	const json_t *nearest = json_array_get(json_object_get(explanation, "nearest"), 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(nearest, "relation")),
			    "same content, other path");
	assert_holds(json_string_value(json_object_get(nearest, "entry")),
		     "program /opt/tool abab");
	assert_int_equal(delta->program_count, 1);
	assert_string_equal(delta->programs[0].path, "/tmp/tool");
	assert_true(delta->programs[0].any_arguments);
	assert_string_equal(delta->programs[0].parents.items[0], "/usr/sbin/sshd");
	assert_int_equal(json_array_size(json_object_get(explanation, "cautions")), 2);
	profile_free(delta);
	json_decref(explanation);
}

static void explain_gives_the_delta_for_arguments(void **state)
{
	json_t *explanation = explanation_of("#3");
	struct profile *delta = profile_of(explanation);
	const json_t *nearest = json_object_get(explanation, "nearest");

	(void)state;
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(nearest, 0), "relation")),
		"this file");
	/* the one that begins alike comes first */
	assert_string_equal(json_string_value(json_object_get(json_array_get(nearest, 1), "entry")),
			    "-x 1");
	assert_int_equal(delta->program_count, 1);
	assert_int_equal(delta->programs[0].argument_count, 1);
	assert_int_equal(delta->programs[0].arguments[0].count, 1);
	assert_string_equal(delta->programs[0].arguments[0].items[0], "-x");
	profile_free(delta);
	json_decref(explanation);
}

static void explain_is_readable(void **state)
{
	const char *words[] = {"explain",   "2",	  "--directory", events_path,
			       "--profile", profile_path, NULL};
	int code;
	char *text = output_of(command_explain, words, &code);

	(void)state;
	assert_int_equal(code, EXIT_FINE);
	assert_holds(text,
		     "Nearest in the profile:\n  same content, other path: program /opt/tool");
	assert_holds(text, "What would permit it:\n{\n  \"policy\": {\n    \"programs\": [");
	assert_holds(text, "! Permit it only if you know");
	free(text);
}

static void explain_refuses_what_it_cannot(void **state)
{
	static const struct {
		const char *id;
		const char *complaint;
	} cases[] = {
		{"1", "explain: event 1 is no finding"},
		{"99", "explain: no event 99; 'rtguard events' lists those that are kept"},
		{"0", "explain: '0': expected the number of an event"},
		{"x", "explain: 'x': expected the number of an event"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *words[] = {"explain",   cases[i].id,  "--directory", events_path,
				       "--profile", profile_path, NULL};
		int code;

		free(output_of(command_explain, words, &code));
		assert_int_equal(code, EXIT_TROUBLE);
		assert_string_equal(complaint, cases[i].complaint);
	}
}

#define supervised(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		supervised(status_tells_all),
		supervised(status_is_json_on_request),
		cmocka_unit_test(nobody_there_is_trouble),
		cmocka_unit_test(stop_removes_rules_that_were_left),
		supervised(changes_are_asked_for),
		supervised(confirm_says_what_was_done),
		supervised(events_come_from_the_files),
		supervised(following_goes_on_after_the_files),
		supervised(explain_gives_the_delta_for_a_program),
		supervised(explain_gives_the_delta_for_arguments),
		supervised(explain_is_readable),
		supervised(explain_refuses_what_it_cannot),
	};

	(void)alarm(55);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "commands/replay_report.h"

static struct observed_flow flow_to(const char *address, uint8_t protocol, uint16_t port,
				    const char *name)
{
	struct observed_flow flow = {
		.protocol = protocol, .remote_port = port, .local_port = 40000};

	assert_int_equal(ip_parse(address, &flow.remote), 0);
	(void)snprintf(flow.name, sizeof(flow.name), "%s", name);
	return flow;
}

static char *printed(const struct replay_report *report, const struct replaying_result *result)
{
	struct table_style style = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(replay_report_print(report, result, &style, out), 0);
	(void)fclose(out);
	return text;
}

static void rows_of_one_peer_are_one(void **state)
{
	struct replay_report *report = replay_report_new(false);
	struct replaying_result result = {.starts = 9, .blocked = 4, .heard = true};
	struct observed_flow ping = flow_to("192.0.2.9", IPPROTO_ICMP, 0, "");
	struct observed_flow web = flow_to("192.0.2.1", IPPROTO_TCP, 443, "a.example");
	char *text;

	(void)state;
	ping.icmp_type = 8;
	replay_report_blocked(report, 1 * NS_PER_S, &ping);
	for (uint64_t i = 2; i <= 4; i++)
		replay_report_blocked(report, i * NS_PER_S, &web);
	text = printed(report, &result);
	assert_string_equal(
		text,
		"BLOCKED  PROTOCOL  PEER                     PORT  FIRST                 LAST\n"
		"      3  tcp       a.example (192.0.2.1)     443  1970-01-01T00:00:02Z  "
		"1970-01-01T00:00:04Z\n"
		"      1  icmp      192.0.2.9              type 8  1970-01-01T00:00:01Z  "
		"1970-01-01T00:00:01Z\n"
		"4 of 9 connection starts would have been blocked\n");
	free(text);
	replay_report_free(report);
}

static void names_do_not_steer_the_terminal(void **state)
{
	struct replay_report *report = replay_report_new(false);
	struct replaying_result result = {.starts = 1, .blocked = 1, .heard = true};
	struct observed_flow flow = flow_to("192.0.2.1", IPPROTO_UDP, 53, "\033[2Jx");
	char *text;

	(void)state;
	replay_report_blocked(report, NS_PER_S, &flow);
	text = printed(report, &result);
	assert_non_null(strstr(text, "?[2Jx (192.0.2.1)"));
	assert_null(strchr(text, '\033'));
	free(text);
	replay_report_free(report);
}

static void what_is_left_out_is_counted(void **state)
{
	struct replay_report *rows = replay_report_new(false);
	struct replay_report *list = replay_report_new(true);
	struct replaying_result result = {.starts = 100001, .blocked = 100001, .heard = true};
	struct observed_flow flow = flow_to("192.0.2.1", IPPROTO_TCP, 0, "");
	char *text;
	json_t *object;

	(void)state;
	for (uint32_t i = 0; i < 100001; i++) {
		flow.remote_port = (uint16_t)(i % 10003);
		replay_report_blocked(list, NS_PER_S, &flow);
		if (i < 10003)
			replay_report_blocked(rows, NS_PER_S, &flow);
	}
	text = printed(rows, &result);
	assert_non_null(strstr(text, "\n3 further rows are left out\n"));
	free(text);
	text = printed(list, &result);
	object = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(object, "blocked_starts")), 100000);
	assert_int_equal(json_integer_value(json_object_get(object, "blocked_starts_left_out")), 1);
	json_decref(object);
	free(text);
	replay_report_free(rows);
	replay_report_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_one_peer_are_one),
		cmocka_unit_test(names_do_not_steer_the_terminal),
		cmocka_unit_test(what_is_left_out_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

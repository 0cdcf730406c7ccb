/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "findings.h"
#include "report/event_flow.h"
#include "report/event_line.h"

static void a_flow_is_written_and_read_back(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.7", 53, "evil.example");
	json_t *event = event_of_finding(1, &finding);
	struct finding_flow flow;

	(void)state;
	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, EVENT_KEY_WAY)), "out");
	assert_string_equal(json_string_value(json_object_get(event, EVENT_KEY_PROTOCOL)), "udp");
	assert_string_equal(json_string_value(json_object_get(event, EVENT_KEY_LOCAL)),
			    "192.0.2.1");
	assert_string_equal(json_string_value(json_object_get(event, EVENT_KEY_REMOTE)),
			    "192.0.2.7");
	assert_int_equal(json_integer_value(json_object_get(event, EVENT_KEY_REMOTE_PORT)), 53);
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_TYPE)));
	assert_true(event_flow_read(event, &flow));
	assert_memory_equal(&flow, &finding.flow, sizeof(flow));
	json_decref(event);
	event = event_of_repeats(2, 0, 1, 5, &finding);
	assert_true(event_flow_read(event, &flow));
	json_decref(event);
}

static void what_has_no_ports_has_none(void **state)
{
	struct finding finding = make_flow_finding("2001:db8::7", 0, "");
	json_t *event;

	(void)state;
	finding.flow.protocol = IPPROTO_ICMPV6;
	finding.flow.icmp_type = 128;
	event = event_of_finding(1, &finding);
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_LOCAL_PORT)));
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_REMOTE_PORT)));
	assert_true(json_is_null(json_object_get(event, EVENT_KEY_NAME)));
	assert_int_equal(json_integer_value(json_object_get(event, EVENT_KEY_TYPE)), 128);
	json_decref(event);
	finding = make_finding("/tmp/tool", 1);
	event = event_of_finding(1, &finding);
	assert_null(json_object_get(event, EVENT_KEY_WAY));
	json_decref(event);
}

static void events_of_others_may_make_no_sense(void **state)
{
	static const char *const none[] = {
		"{}",
		"{\"way\":\"out\"}",
		"{\"way\":\"sideways\",\"protocol\":\"udp\"}",
		"{\"way\":\"out\",\"protocol\":\"hop\"}",
		"{\"way\":\"out\",\"protocol\":\"udp\",\"remote\":\"1.2.3\"}",
		"{\"way\":\"out\",\"protocol\":\"udp\",\"remote_port\":65536}",
		"{\"way\":\"out\",\"protocol\":\"udp\",\"local_port\":-1}",
		"{\"way\":\"out\",\"protocol\":\"icmp\",\"type\":256}",
		"{\"way\":\"out\",\"protocol\":\"icmp\",\"type\":\"8\"}",
	};
	struct finding_flow flow;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		json_t *event = json_loads(none[i], 0, NULL);

		if (event_flow_read(event, &flow))
			fail_msg("%s was taken", none[i]);
		json_decref(event);
	}
}

static void says(enum finding_kind kind, const struct finding *finding, const char *expected)
{
	char text[FLOW_TEXT_SIZE];

	event_flow_text(kind, &finding->flow, text);
	assert_string_equal(text, expected);
}

static void every_way_has_its_words(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.7", 53, "evil.example");

	(void)state;
	says(FINDING_CONNECTION_UNKNOWN, &finding, "udp to 192.0.2.7 port 53 (evil.example)");
	says(FINDING_NAME_UNKNOWN, &finding, "evil.example, asked of 192.0.2.7,");
	finding.flow.way = WAY_IN;
	says(FINDING_ANSWER_UNASKED, &finding, "the answer of 192.0.2.7 about evil.example");
	finding.flow.name[0] = '\0';
	says(FINDING_SERVICE_UNKNOWN, &finding, "udp from 192.0.2.7 to port 40000");
	finding.flow.protocol = IPPROTO_ICMP;
	finding.flow.icmp_type = 8;
	says(FINDING_SERVICE_UNKNOWN, &finding, "icmp from 192.0.2.7 to type 8");
	finding.flow.protocol = 47;
	says(FINDING_SERVICE_UNKNOWN, &finding, "47 from 192.0.2.7 to 192.0.2.1");
	finding.flow.way = WAY_FORWARD;
	finding.flow.protocol = IPPROTO_TCP;
	says(FINDING_FORWARD_UNKNOWN, &finding, "tcp from 192.0.2.1 to 192.0.2.7 port 53");
	memset(&finding.flow.remote, 0, sizeof(finding.flow.remote));
	finding.flow.way = WAY_OUT;
	says(FINDING_CONNECTION_PROGRAM, &finding, "tcp to an unknown address port 53");
}

static void only_findings_in_range_are_valid(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.7", 53, "evil.example");

	(void)state;
	assert_true(finding_is_valid(&finding));
	finding.flow.remote.family = 5;
	assert_false(finding_is_valid(&finding));
	finding.flow.remote.family = 4;
	finding.flow.remote.bytes[4] = 1; /* beyond an IPv4 address */
	assert_false(finding_is_valid(&finding));
	finding.flow.remote.family = 6;
	assert_true(finding_is_valid(&finding));
	finding.flow.way = WAY_COUNT;
	assert_false(finding_is_valid(&finding));
	finding.flow.way = WAY_OUT;
	memset(finding.flow.name, 'a', sizeof(finding.flow.name));
	assert_false(finding_is_valid(&finding));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_written_and_read_back),
		cmocka_unit_test(what_has_no_ports_has_none),
		cmocka_unit_test(events_of_others_may_make_no_sense),
		cmocka_unit_test(every_way_has_its_words),
		cmocka_unit_test(only_findings_in_range_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

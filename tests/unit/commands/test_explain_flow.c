/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../report/findings.h"
#include "base/cleanup.h"
#include "commands/explain.h"
#include "profiles/profile_json.h"

static const char profile_text[] =
	"{\"format\":\"rtguard-profile/1\",\"policy\":{\"programs\":[],\"scripts\":[],"
	"\"libraries\":[],\"listeners\":["
	"{\"protocol\":\"tcp\",\"address\":\"any\",\"family\":[\"ipv4\"],\"port\":22,\"program\":"
	"null},"
	"{\"protocol\":\"udp\",\"address\":\"any\",\"family\":[\"ipv4\"],\"port\":22,"
	"\"program\":null}],\"connections\":["
	"{\"protocol\":\"udp\",\"peer\":{\"role\":\"resolver\"},\"port\":53,\"program\":null},"
	"{\"protocol\":\"tcp\",\"peer\":{\"host\":\"api.example.net\"},\"port\":443,"
	"\"program\":\"/usr/bin/fetch\"},"
	"{\"protocol\":\"udp\",\"peer\":{\"address\":\"198.51.100.0/24\"},\"port\":123,"
	"\"program\":null}],\"names\":[\"time.example.net\"]},"
	"\"evidence\":{\"addresses\":{\"api.example.net\":[\"192.0.2.80\"]},"
	"\"roles\":{\"resolver\":[\"192.0.2.53\"]}}}";

static struct profile *load(void)
{
	struct profile *profile = NULL;
	struct error error = {0};

	if (profile_parse("test", profile_text, strlen(profile_text), &profile, &error) < 0)
		fail_msg("%s", error.message);
	return profile;
}

static void nearest_is(const struct finding *finding, size_t place, const char *relation,
		       const char *beginning)
{
	_cleanup_(profile_freep) struct profile *profile = load();
	json_t *list = json_array();
	const json_t *item;
	const char *entry;

	explain_flow_nearest(list, finding->kind, &finding->flow, profile);
	item = json_array_get(list, place);
	assert_non_null(item);
	entry = json_string_value(json_object_get(item, "entry"));
	assert_string_equal(json_string_value(json_object_get(item, "relation")), relation);
	if (strncmp(entry, beginning, strlen(beginning)) != 0)
		fail_msg("%s", entry);
	json_decref(list);
}

static size_t nearest_count(const struct finding *finding)
{
	_cleanup_(profile_freep) struct profile *profile = load();
	json_t *list = json_array();
	size_t count;

	explain_flow_nearest(list, finding->kind, &finding->flow, profile);
	count = json_array_size(list);
	json_decref(list);
	return count;
}

static void connections_by_host_and_port(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.7", 53, "");

	(void)state;
	nearest_is(&finding, 0, "same port, other host", "udp role resolver 53");
	finding = make_flow_finding("192.0.2.53", 5353, "");
	nearest_is(&finding, 0, "same host, other port or protocol", "udp role resolver 53");
	finding = make_flow_finding("198.51.100.9", 1234, "");
	nearest_is(&finding, 0, "same host, other port or protocol", "udp address 198.51.100.0");
	/* by its name, and by the address that the name had */
	finding = make_flow_finding("203.0.113.1", 443, "api.example.net");
	finding.flow.protocol = IPPROTO_TCP;
	nearest_is(&finding, 0, "same flow, other program", "tcp host api.example.net 443");
	finding = make_flow_finding("192.0.2.80", 80, "");
	nearest_is(&finding, 0, "same host, other port or protocol",
		   "tcp host api.example.net 443");
	finding = make_flow_finding("203.0.113.1", 9, "");
	assert_int_equal(nearest_count(&finding), 0);
}

static void listeners_by_port(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.7", 50000, "");

	(void)state;
	finding.kind = FINDING_SERVICE_UNKNOWN;
	finding.flow.way = WAY_IN;
	finding.flow.protocol = IPPROTO_SCTP;
	finding.flow.local_port = 22;
	nearest_is(&finding, 0, "same port, other protocol", "listener tcp any 22");
	finding.flow.protocol = IPPROTO_TCP;
	finding.flow.local_port = 23;
	nearest_is(&finding, 0, "other port", "listener tcp any 22");
	assert_int_equal(nearest_count(&finding), 1);
}

static void names_by_their_end(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.53", 53, "evil.example.net");

	(void)state;
	finding.kind = FINDING_NAME_UNKNOWN;
	nearest_is(&finding, 0, "other name, same end", "tcp host api.example.net");
	nearest_is(&finding, 1, "other name, same end", "time.example.net");
	finding = make_flow_finding("192.0.2.53", 53, "example.org");
	finding.kind = FINDING_NAME_UNKNOWN;
	assert_int_equal(nearest_count(&finding), 0);
}

/* What would permit it is a profile that does. */
static void deltas_can_be_read_again(void **state)
{
	struct finding finding = make_flow_finding("192.0.2.7", 53, "evil.example");
	_cleanup_(profile_freep) struct profile *delta = profile_new();
	_cleanup_(profile_freep) struct profile *again = NULL;
	_cleanup_(freep) char *text = NULL;
	json_t *cautions = json_array();
	struct error error = {0};

	(void)state;
	assert_int_equal(explain_permit_connection(&finding.flow, "/usr/bin/dash", delta, cautions),
			 0);
	assert_int_equal(json_array_size(cautions), 0);
	finding.flow.name[0] = '\0';
	assert_int_equal(explain_permit_connection(&finding.flow, NULL, delta, cautions), 0);
	assert_int_equal(json_array_size(cautions), 1); /* an address says little */
	assert_int_equal(explain_permit_listener(&finding.flow, delta, cautions), 0);
	assert_int_equal(explain_permit_name(&finding.flow, delta, cautions), -ENODATA);
	(void)snprintf(finding.flow.name, sizeof(finding.flow.name), "evil.example");
	assert_int_equal(explain_permit_name(&finding.flow, delta, cautions), 0);
	if (profile_format(delta, &text, &error) < 0 ||
	    profile_parse("delta", text, strlen(text), &again, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(again->network.connection_count, 2);
	assert_int_equal(again->network.listeners[0].port, 40000);
	assert_string_equal(again->network.names.items[0], "evil.example");
	json_decref(cautions);
	finding.flow.protocol = IPPROTO_ICMP;
	assert_int_equal(explain_permit_listener(&finding.flow, delta, NULL), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_by_host_and_port),
		cmocka_unit_test(listeners_by_port),
		cmocka_unit_test(names_by_their_end),
		cmocka_unit_test(deltas_can_be_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

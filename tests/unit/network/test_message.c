/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/network/message.h"

#define IPV4(a, b, c, d)                                                                           \
	{                                                                                          \
		.family = 4, .bytes = { a, b, c, d }                                               \
	}

static const struct station station = {{{0x94, 0x10, 0x3e, 0x35, 0x01, 0xc1}}};

static struct report observation_report(enum observation_kind kind)
{
	return (struct report){
		.kind = REPORT_OBSERVATION,
		.observation = {.kind = kind, .station = station, .time_ns = 1700000000000000001},
	};
}

static struct report flow_report(enum observation_kind kind)
{
	struct report report = observation_report(kind);

	report.observation.flow = (struct observed_flow){
		.id = 12,
		.local = IPV4(192, 168, 0, 2),
		.remote = IPV4(192, 0, 2, 7),
		.protocol = IPPROTO_TCP,
		.icmp_type = 0,
		.local_port = 40000,
		.remote_port = 443,
		.name_source = NAME_FROM_DNS,
		.asked_port = 5353,
		.link_broadcast = true,
		.announces = true,
		.ttl_s = 60,
		.name = "cloud.example.net",
	};
	return report;
}

static struct report service_report(void)
{
	struct report report = observation_report(OBSERVATION_SERVICE);

	report.observation.service = (struct observed_service){
		.local = {.family = 6, .bytes = {0xfe, 0x80, [15] = 1}},
		.remote = {.family = 6, .bytes = {0xfe, 0x80, [15] = 2}},
		.protocol = IPPROTO_TCP,
		.local_port = 22,
	};
	return report;
}

static struct report name_report(void)
{
	struct report report = observation_report(OBSERVATION_NAME);

	report.observation.name = (struct observed_name){
		.address = IPV4(192, 0, 2, 7), .ttl_s = 300, .name = "cloud.example.net"};
	return report;
}

static struct report role_report(void)
{
	struct report report = observation_report(OBSERVATION_ROLE);

	report.observation.role = (struct observed_role){
		.address = IPV4(192, 168, 0, 1), .role = PEER_ROLE_GATEWAY, .announced = true};
	return report;
}

static struct report capture_report(void)
{
	struct report report = observation_report(OBSERVATION_CAPTURE);

	report.observation.capture = (struct observed_capture){.packets = 1000,
							       .bytes = 64000,
							       .dropped = 3,
							       .undecoded = 2,
							       .evicted = 1,
							       .interrupted = true};
	return report;
}

static struct report trouble_report(enum report_kind kind)
{
	return (struct report){
		.kind = kind,
		.trouble = {.interface = kind == REPORT_INTERFACE ? 1 : 0,
			    .code = ENODEV,
			    .text = "eth1: gone"},
	};
}

static int check(const struct report *report, uint32_t interface_count, struct report *ret_checked)
{
	struct message_checker checker = {.station = station, .interface_count = interface_count};

	return message_check(&checker, report, ret_checked);
}

#define assert_same(field) assert_memory_equal(&checked.field, &report.field, sizeof(checked.field))

static void an_honest_flow_passes_unchanged(void **state)
{
	static const enum observation_kind kinds[] = {OBSERVATION_START, OBSERVATION_CONNECTION};

	(void)state;
	for (size_t i = 0; i < array_length(kinds); i++) {
		struct report report = flow_report(kinds[i]);
		struct report checked;

		assert_int_equal(check(&report, 1, &checked), 0);
		assert_same(kind);
		assert_same(observation.kind);
		assert_same(observation.station);
		assert_same(observation.time_ns);
		assert_same(observation.flow.id);
		assert_same(observation.flow.local);
		assert_same(observation.flow.remote);
		assert_same(observation.flow.protocol);
		assert_same(observation.flow.icmp_type);
		assert_same(observation.flow.local_port);
		assert_same(observation.flow.remote_port);
		assert_same(observation.flow.name_source);
		assert_same(observation.flow.asked_port);
		assert_same(observation.flow.link_broadcast);
		assert_same(observation.flow.announces);
		assert_same(observation.flow.ttl_s);
		assert_same(observation.flow.name);
	}
}

static void an_unnamed_flow_passes(void **state)
{
	struct report report = flow_report(OBSERVATION_START);
	struct report checked;

	(void)state;
	report.observation.flow.name_source = NAME_FROM_NONE;
	report.observation.flow.name[0] = '\0';
	assert_int_equal(check(&report, 1, &checked), 0);
	assert_string_equal(checked.observation.flow.name, "");
	for (size_t i = 0; i < NAME_SIZE; i++)
		assert_int_equal(checked.observation.flow.name[i], 0);
}

static void other_honest_observations_pass_unchanged(void **state)
{
	struct report report = service_report();
	struct report checked;

	(void)state;
	assert_int_equal(check(&report, 1, &checked), 0);
	assert_same(observation.service.local);
	assert_same(observation.service.remote);
	assert_same(observation.service.protocol);
	assert_same(observation.service.local_port);
	report = name_report();
	assert_int_equal(check(&report, 1, &checked), 0);
	assert_same(observation.name.address);
	assert_same(observation.name.ttl_s);
	assert_same(observation.name.name);
	memset(&report.observation.name.address, 0, sizeof(report.observation.name.address));
	assert_int_equal(check(&report, 1, &checked), 0);
	assert_same(observation.name.address);
	report = role_report();
	assert_int_equal(check(&report, 1, &checked), 0);
	assert_same(observation.role.address);
	assert_same(observation.role.role);
	assert_same(observation.role.announced);
	report = capture_report();
	assert_int_equal(check(&report, 1, &checked), 0);
	assert_same(observation.capture.packets);
	assert_same(observation.capture.bytes);
	assert_same(observation.capture.dropped);
	assert_same(observation.capture.undecoded);
	assert_same(observation.capture.evicted);
	assert_same(observation.capture.interrupted);
}

static void honest_ends_pass_unchanged(void **state)
{
	struct report report = trouble_report(REPORT_INTERFACE);
	struct report checked;

	(void)state;
	assert_int_equal(check(&report, 2, &checked), 0);
	assert_same(trouble.interface);
	assert_same(trouble.code);
	assert_string_equal(checked.trouble.text, report.trouble.text);
	report = trouble_report(REPORT_FILE);
	assert_int_equal(check(&report, 0, &checked), 0);
	assert_same(trouble.code);
	assert_string_equal(checked.trouble.text, report.trouble.text);
	report.kind = REPORT_FINISHED;
	assert_int_equal(check(&report, 0, &checked), 0);
	assert_same(kind);
	assert_int_equal(checked.trouble.code, 0); /* nothing else comes through with it */
}

/* One lie about one field: which bytes of which honest report become what. */
struct lie {
	const char *what;
	struct report (*honest)(void);
	size_t offset;
	size_t size;
	const void *bytes;
};

static struct report start_report(void)
{
	return flow_report(OBSERVATION_START);
}

static struct report connection_report(void)
{
	return flow_report(OBSERVATION_CONNECTION);
}

static struct report interface_report(void)
{
	return trouble_report(REPORT_INTERFACE);
}

static char long_name[NAME_SIZE];
static char long_text[TROUBLE_TEXT_SIZE];

#define FLOW	offsetof(struct report, observation.flow)
#define SERVICE offsetof(struct report, observation.service)
#define NAMED	offsetof(struct report, observation.name)
#define ROLE	offsetof(struct report, observation.role)
#define CAPTURE offsetof(struct report, observation.capture)
#define TROUBLE offsetof(struct report, trouble)

#define LIE(what, honest, base, type, field, ...)                                                  \
	{                                                                                          \
		what, honest, (base) + offsetof(type, field),                                      \
			sizeof((__typeof__(((type *)0)->field)[]){__VA_ARGS__}[0]),                \
			(const __typeof__(((type *)0)->field)[])                                   \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define BYTE(what, honest, base, type, field, value)                                               \
	{                                                                                          \
		what, honest, (base) + offsetof(type, field), 1, (const uint8_t[])                 \
		{                                                                                  \
			value                                                                      \
		}                                                                                  \
	}
#define TEXT(what, honest, base, type, field, text)                                                \
	{                                                                                          \
		what, honest, (base) + offsetof(type, field), sizeof(text), text                   \
	}

static const struct lie lies[] = {
	LIE("no report", start_report, 0, struct report, kind, 0),
	LIE("unknown report", start_report, 0, struct report, kind, REPORT_ALIVE + 1),
	LIE("no observation", start_report, 0, struct report, observation.kind, 0),
	LIE("an execution", start_report, 0, struct report, observation.kind,
	    OBSERVATION_EXECUTION),
	LIE("a script", start_report, 0, struct report, observation.kind, OBSERVATION_SCRIPT),
	LIE("a library", start_report, 0, struct report, observation.kind, OBSERVATION_LIBRARY),
	LIE("a listener", start_report, 0, struct report, observation.kind, OBSERVATION_LISTENER),
	LIE("a loss", start_report, 0, struct report, observation.kind, OBSERVATION_LOSS),
	{"a kind far outside", start_report, offsetof(struct report, observation.kind), 4,
	 "\xff\xff\xff\xff"},
	BYTE("another station", start_report, 0, struct report, observation.station.mac.bytes[5],
	     0xc2),
	/* flows */
	LIE("flow id 0", start_report, FLOW, struct observed_flow, id, 0),
	LIE("flow id of another generation", start_report, FLOW, struct observed_flow, id,
	    UINT64_C(1) << FLOW_ID_BITS),
	BYTE("no local address", start_report, FLOW, struct observed_flow, local.family, 0),
	BYTE("family 5", start_report, FLOW, struct observed_flow, local.family, 5),
	BYTE("family 255", connection_report, FLOW, struct observed_flow, remote.family, 255),
	BYTE("two families", start_report, FLOW, struct observed_flow, remote.family, 6),
	BYTE("bytes after an IPv4 address", start_report, FLOW, struct observed_flow,
	     local.bytes[4], 1),
	BYTE("bytes at the end of an IPv4 address", start_report, FLOW, struct observed_flow,
	     remote.bytes[15], 1),
	BYTE("unknown name source", start_report, FLOW, struct observed_flow, name_source,
	     NAME_FROM_QUIC + 1),
	BYTE("a name from nowhere", start_report, FLOW, struct observed_flow, name_source,
	     NAME_FROM_NONE),
	BYTE("bool of 2", start_report, FLOW, struct observed_flow, link_broadcast, 2),
	BYTE("bool of 255", connection_report, FLOW, struct observed_flow, announces, 255),
	TEXT("no name", start_report, FLOW, struct observed_flow, name, ""),
	TEXT("upper case", start_report, FLOW, struct observed_flow, name, "Example.net"),
	TEXT("final dot", start_report, FLOW, struct observed_flow, name, "example.net."),
	TEXT("control character", start_report, FLOW, struct observed_flow, name, "a\033[2Jb.net"),
	TEXT("blank", start_report, FLOW, struct observed_flow, name, "a b.net"),
	TEXT("an address for a name", start_report, FLOW, struct observed_flow, name, "192.0.2.1"),
	{"no end of the name", start_report, FLOW + offsetof(struct observed_flow, name), NAME_SIZE,
	 long_name},
	/* services */
	BYTE("no address", service_report, SERVICE, struct observed_service, local.family, 0),
	BYTE("service: family 7", service_report, SERVICE, struct observed_service, remote.family,
	     7),
	BYTE("service: two families", service_report, SERVICE, struct observed_service,
	     remote.family, 4),
	/* names */
	BYTE("name: family 1", name_report, NAMED, struct observed_name, address.family, 1),
	BYTE("an address of no family", name_report, NAMED, struct observed_name, address.family,
	     0),
	BYTE("name: bytes after IPv4", name_report, NAMED, struct observed_name, address.bytes[7],
	     9),
	TEXT("name: empty", name_report, NAMED, struct observed_name, name, ""),
	TEXT("name: slash", name_report, NAMED, struct observed_name, name, "../../etc/passwd"),
	{"name: no end", name_report, NAMED + offsetof(struct observed_name, name), NAME_SIZE,
	 long_name},
	/* roles */
	BYTE("role: none", role_report, ROLE, struct observed_role, role, PEER_ROLE_NONE),
	BYTE("role: lan", role_report, ROLE, struct observed_role, role, PEER_ROLE_LAN),
	BYTE("role: multicast", role_report, ROLE, struct observed_role, role, PEER_ROLE_MULTICAST),
	BYTE("role: unknown", role_report, ROLE, struct observed_role, role, 77),
	BYTE("role: no address", role_report, ROLE, struct observed_role, address.family, 0),
	BYTE("role: family 2", role_report, ROLE, struct observed_role, address.family, 2),
	BYTE("role: bool of 3", role_report, ROLE, struct observed_role, announced, 3),
	/* counters */
	BYTE("interrupted of 2", capture_report, CAPTURE, struct observed_capture, interrupted, 2),
	LIE("more undecoded than packets", capture_report, CAPTURE, struct observed_capture,
	    undecoded, 1001),
	/* troubles */
	LIE("interface beyond", interface_report, TROUBLE, struct trouble, interface, 2),
	LIE("trouble without a code", interface_report, TROUBLE, struct trouble, code, 0),
	LIE("negative code", interface_report, TROUBLE, struct trouble, code, -ENODEV),
	LIE("code beyond errno", interface_report, TROUBLE, struct trouble, code, 4096),
	{"no end of the text", interface_report, TROUBLE + offsetof(struct trouble, text),
	 TROUBLE_TEXT_SIZE, long_text},
};

static void every_lie_is_refused(void **state)
{
	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	memset(long_text, 'a', sizeof(long_text));
	for (size_t i = 0; i < array_length(lies); i++) {
		struct report report = lies[i].honest();
		struct report checked;

		assert_int_equal(check(&report, 2, &checked), 0);
		memcpy((char *)&report + lies[i].offset, lies[i].bytes, lies[i].size);
		memset(&checked, 0x5a, sizeof(checked));
		if (check(&report, 2, &checked) != -EBADMSG)
			fail_msg("passed: %s", lies[i].what);
		assert_int_equal(((unsigned char *)&checked)[0], 0x5a); /* untouched */
	}
}

static void counters_only_grow(void **state)
{
	static const size_t counters[] = {
		offsetof(struct observed_capture, packets),
		offsetof(struct observed_capture, bytes),
		offsetof(struct observed_capture, dropped),
		offsetof(struct observed_capture, undecoded),
		offsetof(struct observed_capture, evicted),
	};
	struct report checked;

	(void)state;
	for (size_t i = 0; i < array_length(counters); i++) {
		struct message_checker checker = {.station = station};
		struct report report = capture_report();
		uint64_t *counter = (uint64_t *)(void *)((char *)&report + CAPTURE + counters[i]);

		assert_int_equal(message_check(&checker, &report, &checked), 0);
		assert_int_equal(message_check(&checker, &report, &checked), 0);
		*counter -= 1;
		assert_int_equal(message_check(&checker, &report, &checked), -EBADMSG);
		*counter += 2;
		assert_int_equal(message_check(&checker, &report, &checked), 0);
	}
}

static void a_gap_stays(void **state)
{
	struct message_checker checker = {.station = station};
	struct report report = capture_report();
	struct report checked;

	(void)state;
	assert_int_equal(message_check(&checker, &report, &checked), 0);
	report.observation.capture.interrupted = false;
	assert_int_equal(message_check(&checker, &report, &checked), -EBADMSG);
}

/* A recording's inspector has no interfaces, a live one no files. */
static void reports_keep_to_their_side(void **state)
{
	const struct report interface = trouble_report(REPORT_INTERFACE);
	const struct report file = trouble_report(REPORT_FILE);
	struct report checked;

	(void)state;
	assert_int_equal(check(&interface, 0, &checked), -EBADMSG);
	assert_int_equal(check(&interface, 1, &checked), -EBADMSG);
	assert_int_equal(check(&file, 2, &checked), -EBADMSG);
}

static void texts_are_printable_and_without_rests(void **state)
{
	struct report name = name_report();
	struct report trouble = trouble_report(REPORT_FILE);
	struct report checked;

	(void)state;
	memcpy(name.observation.name.name, "a.net\0secret", 13);
	assert_int_equal(check(&name, 0, &checked), 0);
	assert_string_equal(checked.observation.name.name, "a.net");
	for (size_t i = 5; i < NAME_SIZE; i++)
		assert_int_equal(checked.observation.name.name[i], 0);
	(void)memcpy(trouble.trouble.text, "bad\033[31m\n", 10);
	assert_int_equal(check(&trouble, 0, &checked), 0);
	assert_string_equal(checked.trouble.text, "bad?[31m?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_flow_passes_unchanged),
		cmocka_unit_test(an_unnamed_flow_passes),
		cmocka_unit_test(other_honest_observations_pass_unchanged),
		cmocka_unit_test(honest_ends_pass_unchanged),
		cmocka_unit_test(every_lie_is_refused),
		cmocka_unit_test(counters_only_grow),
		cmocka_unit_test(a_gap_stays),
		cmocka_unit_test(reports_keep_to_their_side),
		cmocka_unit_test(texts_are_printable_and_without_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "enforce/verdict.h"
#include "profiles/profile_json.h"

/* What the network said before the flow. */
struct said {
	const char *name; /* answered with address, or NULL: */
	const char *address;
	enum peer_role role; /* it is announced as that */
};

struct flow {
	const char *to;
	uint8_t protocol;
	uint16_t port; /* or type */
	uint16_t from;
	uint16_t asked;
	const char *name; /* by its ClientHello */
	bool link_broadcast;
};

struct judgement {
	const char *policy; /* entries of connections, or whole arrays */
	struct flow flow;
	bool permitted;
	struct said said[2];
};

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static struct ip_address address_of(const char *text)
{
	struct ip_address address;

	if (ip_parse(text, &address) < 0)
		fail_msg("%s is no address", text);
	return address;
}

#define TO(address, number, at, ...)                                                               \
	{                                                                                          \
		.to = address, .protocol = number, .port = at, __VA_ARGS__                         \
	}
#define NAMED(its_name, its_address)                                                               \
	{                                                                                          \
		.name = its_name, .address = its_address                                           \
	}
#define PERMITS(entries, to, ...)                                                                  \
	{                                                                                          \
		.policy = entries, .flow = to, .permitted = true, __VA_ARGS__                      \
	}
#define REFUSES(entries, to, ...)                                                                  \
	{                                                                                          \
		.policy = entries, .flow = to, .permitted = false, __VA_ARGS__                     \
	}

/* In all of these learning knew 203.0.113.10 as api.vendor.com, 203.0.113.53 as resolver and
 * 10.0.0.1 as gateway. */
static struct profile *profile_of(const char *policy)
{
	static const char evidence[] =
		"{\"addresses\": {\"api.vendor.com\": [\"203.0.113.10\", \"2001:db8:1::10\"]}, "
		"\"roles\": {\"resolver\": [\"203.0.113.53\"], \"gateway\": [\"10.0.0.1\"], "
		"\"dhcp-server\": [\"203.0.113.67\"]}}";
	bool is_whole = strstr(policy, "listeners") != NULL;
	struct error error = {0};
	struct profile *profile;
	char text[4096];

	snprintf(text, sizeof(text),
		 "{\"format\": \"rtguard-profile/1\", \"device\": {}, \"policy\": {%s%s%s}, "
		 "\"evidence\": %s}",
		 is_whole ? "" : "\"connections\": [", policy, is_whole ? "" : "]", evidence);
	if (profile_parse("policy", text, strlen(text), &profile, &error) < 0)
		fail_msg("%s: %s", policy, error.message);
	return profile;
}

static void tell(struct verdict *verdict, const struct said *said)
{
	struct observation observation = {.kind = OBSERVATION_ROLE};

	if (!said->address)
		return;
	if (said->name) {
		observation.kind = OBSERVATION_NAME;
		observation.name.address = address_of(said->address);
		snprintf(observation.name.name, sizeof(observation.name.name), "%s", said->name);
	} else {
		observation.role = (struct observed_role){.address = address_of(said->address),
							  .role = (uint8_t)said->role,
							  .announced = true};
	}
	verdict_observe(verdict, &observation);
}

static struct observed_flow flow_of(const struct flow *flow)
{
	bool has_type = flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6;
	struct observed_flow observed = {
		.local = address_of("10.0.0.9"),
		.remote = address_of(flow->to),
		.protocol = flow->protocol,
		.icmp_type = has_type ? (uint8_t)flow->port : 0,
		.remote_port = has_type ? 0 : flow->port,
		.local_port = flow->from ? flow->from : 40000,
		.asked_port = flow->asked,
		.link_broadcast = flow->link_broadcast,
	};

	if (flow->name)
		snprintf(observed.name, sizeof(observed.name), "%s", flow->name);
	return observed;
}

static void expect(const struct judgement *judgements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct judgement *judgement = &judgements[i];
		struct observed_flow flow = flow_of(&judgement->flow);
		struct profile *profile = profile_of(judgement->policy);
		struct verdict *verdict;

		assert_int_equal(verdict_new(profile, &profile->network, &verdict), 0);
		for (size_t j = 0; j < array_length(judgement->said); j++)
			tell(verdict, &judgement->said[j]);
		if (verdict_permits(verdict, &flow) != judgement->permitted)
			fail_msg("case %zu: %s should %spermit %s port %u", i, judgement->policy,
				 judgement->permitted ? "" : "not ", judgement->flow.to,
				 judgement->flow.port);
		verdict_free(verdict);
		profile_free(profile);
	}
}

#define ENTRY(protocol, peer, rest)                                                                \
	"{\"protocol\": \"" protocol "\", \"peer\": {" peer "}, " rest ", \"program\": null}"
#define ROLE(protocol, role, rest) ENTRY(protocol, "\"role\": \"" role "\"", rest)
#define PORT(port)		   "\"port\": " port
#define TYPE(type)		   "\"type\": " type

static void ports_and_types(void **state)
{
	static const struct judgement judgements[] = {
		REFUSES("", TO("198.51.100.1", TCP, 443)),
		PERMITS(ROLE("tcp", "internet", PORT("3478")), TO("198.51.100.1", TCP, 3478)),
		REFUSES(ROLE("tcp", "internet", PORT("3478")), TO("198.51.100.1", TCP, 3479)),
		REFUSES(ROLE("tcp", "internet", PORT("3478")), TO("198.51.100.1", UDP, 3478)),
		PERMITS(ROLE("tcp", "lan", PORT("\"any\"")), TO("10.0.0.7", TCP, 22)),
		PERMITS(ROLE("udp", "lan", PORT("\"high\"")), TO("10.0.0.7", UDP, 1024)),
		REFUSES(ROLE("udp", "lan", PORT("\"high\"")), TO("10.0.0.7", UDP, 1023)),
		PERMITS(ROLE("udp", "lan", PORT("\"high\"")), TO("10.0.0.7", UDP, 8080)),
		REFUSES(ROLE("tcp", "lan", PORT("\"high\"")), TO("10.0.0.7", TCP, 8080)),
		PERMITS(ROLE("tcp", "lan", PORT("\"high\"")), TO("10.0.0.7", TCP, 49153)),
		PERMITS(ROLE("udp", "lan", PORT("\"ephemeral\"")), TO("10.0.0.7", UDP, 32768)),
		REFUSES(ROLE("udp", "lan", PORT("\"ephemeral\"")), TO("10.0.0.7", UDP, 32767)),
		PERMITS(ROLE("udp", "lan", PORT("\"same\"")),
			TO("10.0.0.7", UDP, 4567, .from = 4567)),
		REFUSES(ROLE("udp", "lan", PORT("\"same\"")),
			TO("10.0.0.7", UDP, 4567, .from = 4568)),
		REFUSES(ROLE("udp", "lan", PORT("\"same\"")),
			TO("10.0.0.7", UDP, 123, .from = 123)),
		PERMITS(ROLE("udp", "internet", "\"port\": \"high\", \"local_port\": 10240"),
			TO("198.51.100.1", UDP, 20000, .from = 10240)),
		REFUSES(ROLE("udp", "internet", "\"port\": \"high\", \"local_port\": 10240"),
			TO("198.51.100.1", UDP, 20000, .from = 10241)),
		PERMITS(ROLE("icmp", "internet", TYPE("8")), TO("198.51.100.1", IPPROTO_ICMP, 8)),
		REFUSES(ROLE("icmp", "internet", TYPE("8")), TO("198.51.100.1", IPPROTO_ICMP, 13)),
		REFUSES(ROLE("icmp", "internet", TYPE("8")), TO("2001:db8::1", IPPROTO_ICMPV6, 8)),
		PERMITS(ROLE("icmpv6", "internet", TYPE("128")),
			TO("2001:db8::1", IPPROTO_ICMPV6, 128)),
	};

	(void)state;
	expect(judgements, array_length(judgements));
}

static void roles(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS(ROLE("tcp", "lan", PORT("80")), TO("192.168.9.9", TCP, 80)),
		PERMITS(ROLE("tcp", "lan", PORT("80")), TO("fe80::1", TCP, 80)),
		REFUSES(ROLE("tcp", "lan", PORT("80")), TO("198.51.100.1", TCP, 80)),
		REFUSES(ROLE("tcp", "internet", PORT("80")), TO("10.0.0.7", TCP, 80)),
		PERMITS(ROLE("udp", "multicast", PORT("1900")), TO("239.255.255.250", UDP, 1900)),
		PERMITS(ROLE("udp", "multicast", PORT("1900")), TO("ff02::c", UDP, 1900)),
		REFUSES(ROLE("udp", "multicast", PORT("1900")), TO("10.0.0.7", UDP, 1900)),
		PERMITS(ROLE("udp", "broadcast", PORT("137")), TO("255.255.255.255", UDP, 137)),
		REFUSES(ROLE("udp", "broadcast", PORT("137")), TO("10.0.0.255", UDP, 137)),
		PERMITS(ROLE("udp", "broadcast", PORT("137")),
			TO("10.0.0.255", UDP, 137, .link_broadcast = true)),
		PERMITS(ROLE("udp", "broadcast", PORT("137")), TO("10.0.0.255", UDP, 137),
			.said = {{.address = "10.0.0.255", .role = PEER_ROLE_BROADCAST}}),
		PERMITS(ROLE("udp", "lan", PORT("137")),
			TO("10.0.0.255", UDP, 137, .link_broadcast = true)),
		REFUSES(ROLE("udp", "lan", PORT("137")), TO("255.255.255.255", UDP, 137)),
		/* resolvers: any neighbour, the learnt and the announced; nobody else */
		PERMITS(ROLE("udp", "resolver", PORT("53")), TO("10.0.0.2", UDP, 53)),
		PERMITS(ROLE("udp", "resolver", PORT("53")), TO("203.0.113.53", UDP, 53)),
		REFUSES(ROLE("udp", "resolver", PORT("53")), TO("8.8.8.8", UDP, 53)),
		PERMITS(ROLE("udp", "resolver", PORT("53")), TO("8.8.8.8", UDP, 53),
			.said = {{.address = "8.8.8.8", .role = PEER_ROLE_RESOLVER}}),
		PERMITS(ROLE("tcp", "resolver", PORT("853")), TO("203.0.113.53", TCP, 853)),
		REFUSES(ROLE("udp", "resolver", PORT("\"any\"")), TO("203.0.113.53", UDP, 54)),
		/* the gateway that was learnt, or any neighbour until one is announced */
		PERMITS(ROLE("icmp", "gateway", TYPE("8")), TO("10.0.0.1", IPPROTO_ICMP, 8)),
		PERMITS(ROLE("icmp", "gateway", TYPE("8")), TO("10.0.0.7", IPPROTO_ICMP, 8)),
		REFUSES(ROLE("icmp", "gateway", TYPE("8")), TO("198.51.100.1", IPPROTO_ICMP, 8)),
		REFUSES(ROLE("icmp", "gateway", TYPE("8")), TO("10.0.0.7", IPPROTO_ICMP, 8),
			.said = {{.address = "10.0.0.254", .role = PEER_ROLE_GATEWAY}}),
		PERMITS(ROLE("icmp", "gateway", TYPE("8")), TO("10.0.0.254", IPPROTO_ICMP, 8),
			.said = {{.address = "10.0.0.254", .role = PEER_ROLE_GATEWAY}}),
		PERMITS(ROLE("udp", "dhcp-server", PORT("67")), TO("10.0.0.3", UDP, 67)),
		PERMITS(ROLE("udp", "dhcp-server", PORT("67")), TO("203.0.113.67", UDP, 67)),
		REFUSES(ROLE("udp", "dhcp-server", PORT("67")), TO("198.51.100.1", UDP, 67)),
	};

	(void)state;
	expect(judgements, array_length(judgements));
}

#define HOST	ENTRY("tcp", "\"host\": \"api.vendor.com\"", PORT("443"))
#define DOMAIN	ENTRY("tcp", "\"domain\": \"vendor.com\"", PORT("\"any\""))
#define PATTERN ENTRY("tcp", "\"pattern\": \"lb#.vendor.com\"", PORT("443"))
#define PREFIX	ENTRY("tcp", "\"address\": \"198.51.100.0/24\"", PORT("443"))

static void names_and_addresses(void **state)
{
	static const struct judgement judgements[] = {
		/* by the answers of this very network */
		PERMITS(HOST, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("api.vendor.com", "192.0.2.1")}),
		REFUSES(HOST, TO("192.0.2.1", TCP, 80),
			.said = {NAMED("api.vendor.com", "192.0.2.1")}),
		REFUSES(HOST, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("www.vendor.com", "192.0.2.1")}),
		REFUSES(HOST, TO("192.0.2.2", TCP, 443),
			.said = {NAMED("api.vendor.com", "192.0.2.1")}),
		PERMITS(HOST, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("api.vendor.com", "192.0.2.1"),
				 NAMED("other.example.net", "192.0.2.1")}),
		PERMITS(DOMAIN, TO("192.0.2.1", TCP, 8443),
			.said = {NAMED("new.vendor.com", "192.0.2.1")}),
		PERMITS(DOMAIN, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("vendor.com", "192.0.2.1")}),
		REFUSES(DOMAIN, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("evilvendor.com", "192.0.2.1")}),
		PERMITS(PATTERN, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("lb17.vendor.com", "192.0.2.1")}),
		REFUSES(PATTERN, TO("192.0.2.1", TCP, 443),
			.said = {NAMED("lbx.vendor.com", "192.0.2.1")}),
		/* by those that were seen while learning, and beside them */
		PERMITS(HOST, TO("203.0.113.10", TCP, 443)),
		PERMITS(HOST, TO("203.0.113.99", TCP, 443)),
		REFUSES(HOST, TO("203.0.112.10", TCP, 443)),
		PERMITS(HOST, TO("2001:db8:1:9::1", TCP, 443)),
		REFUSES(HOST, TO("2001:db8:2::10", TCP, 443)),
		PERMITS(DOMAIN, TO("203.0.113.10", TCP, 443)),
		REFUSES(PATTERN, TO("203.0.113.10", TCP, 443)),
		/* what is answered here counts before what was known */
		REFUSES(HOST, TO("203.0.113.10", TCP, 443),
			.said = {NAMED("evil.example.net", "203.0.113.10")}),
		/* a name of the flow's own, where there was no answer */
		PERMITS(HOST, TO("192.0.2.1", TCP, 443, .name = "api.vendor.com")),
		REFUSES(HOST, TO("192.0.2.1", TCP, 443, .name = "api.vendor.com"),
			.said = {NAMED("evil.example.net", "192.0.2.1")}),
		/* a neighbour is no host of the vendor's, whatever an answer says */
		REFUSES(HOST, TO("10.0.0.7", TCP, 443),
			.said = {NAMED("api.vendor.com", "10.0.0.7")}),
		PERMITS(PREFIX, TO("198.51.100.77", TCP, 443)),
		REFUSES(PREFIX, TO("198.51.101.77", TCP, 443)),
		PERMITS(PREFIX, TO("198.51.100.77", TCP, 443),
			.said = {NAMED("any.example.net", "198.51.100.77")}),
	};

	(void)state;
	expect(judgements, array_length(judgements));
}

#define LISTENER                                                                                   \
	"\"listeners\": [{\"protocol\": \"udp\", \"address\": \"any\", \"family\": [\"ipv4\"], "   \
	"\"port\": 1900, \"program\": null}, {\"protocol\": \"tcp\", \"address\": \"any\", "       \
	"\"family\": [\"ipv4\"], \"port\": 80, \"program\": null}]"

static void replies_of_listeners_and_the_stack(void **state)
{
	static const struct judgement judgements[] = {
		PERMITS(LISTENER, TO("10.0.0.7", UDP, 50000, .from = 1900)),
		REFUSES(LISTENER, TO("10.0.0.7", UDP, 50000, .from = 1901)),
		PERMITS(LISTENER, TO("10.0.0.7", UDP, 50000, .from = 40001, .asked = 1900)),
		REFUSES(LISTENER, TO("10.0.0.7", UDP, 50000, .from = 40001, .asked = 1901)),
		/* a listener of TCP answers no datagrams, and one of UDP opens no connections */
		REFUSES(LISTENER, TO("10.0.0.7", UDP, 50000, .from = 80)),
		REFUSES(LISTENER, TO("10.0.0.7", TCP, 50000, .from = 1900)),
		/* neighbours only */
		REFUSES(LISTENER, TO("198.51.100.1", UDP, 50000, .from = 1900)),
		REFUSES(LISTENER, TO("239.255.255.250", UDP, 1900, .from = 1900)),
		PERMITS("", TO("224.0.0.22", IPPROTO_IGMP, 0)),
		REFUSES("", TO("198.51.100.1", IPPROTO_IGMP, 0)),
		PERMITS("", TO("ff02::16", IPPROTO_ICMPV6, 143)),
		PERMITS("", TO("fe80::1", IPPROTO_ICMPV6, 135)),
		REFUSES("", TO("2001:db8::1", IPPROTO_ICMPV6, 128)),
	};

	(void)state;
	expect(judgements, array_length(judgements));
}

/* A role that was only shown, and not announced, permits nothing new: anybody can answer. */
static void a_role_must_be_announced(void **state)
{
	struct profile *profile = profile_of(ROLE("udp", "resolver", PORT("53")));
	struct flow flow = TO("8.8.8.8", UDP, 53);
	struct observed_flow observed = flow_of(&flow);
	struct observation shown = {
		.kind = OBSERVATION_ROLE,
		.role = {.address = address_of("8.8.8.8"), .role = PEER_ROLE_RESOLVER},
	};
	struct verdict *verdict;

	(void)state;
	assert_int_equal(verdict_new(profile, &profile->network, &verdict), 0);
	verdict_observe(verdict, &shown);
	assert_false(verdict_permits(verdict, &observed));
	shown.role.announced = true;
	verdict_observe(verdict, &shown);
	assert_true(verdict_permits(verdict, &observed));
	verdict_free(verdict);
	profile_free(profile);
}

static void a_bridged_device_has_a_network_of_its_own(void **state)
{
	struct profile *profile = profile_new();
	struct mac_address mac = {.bytes = {2, 0, 0, 0, 0, 1}};
	struct mac_address other = {.bytes = {2, 0, 0, 0, 0, 2}};

	(void)state;
	profile_add_device(profile)->mac = mac;
	assert_ptr_equal(verdict_network_of(profile, &mac), &profile->devices[0].network);
	assert_ptr_equal(verdict_network_of(profile, &other), &profile->network);
	profile_free(profile);
}

static enum verdict_binding binding_of(struct verdict *verdict, const struct flow *flow,
				       const char *program)
{
	struct observed_flow observed = flow_of(flow);

	return verdict_permits_program(verdict, &observed, program);
}

static void an_entry_may_be_of_one_program(void **state)
{
	static const char policy[] =
		"{\"protocol\": \"tcp\", \"peer\": {\"role\": \"lan\"}, \"port\": 22, "
		"\"program\": \"/usr/bin/ssh\"}, "
		"{\"protocol\": \"tcp\", \"peer\": {\"address\": \"10.0.0.8/32\"}, \"port\": 22, "
		"\"program\": \"/usr/bin/backup\"}, "
		"{\"protocol\": \"tcp\", \"peer\": {\"address\": \"10.0.0.9/32\"}, \"port\": 22, "
		"\"program\": null}";
	struct profile *profile = profile_of(policy);
	struct flow lan = TO("10.0.0.7", TCP, 22);
	struct flow both = TO("10.0.0.8", TCP, 22);
	struct flow open = TO("10.0.0.9", TCP, 22);
	struct flow other = TO("10.0.0.7", TCP, 23);
	struct verdict *verdict;

	(void)state;
	assert_int_equal(verdict_new(profile, &profile->network, &verdict), 0);
	assert_int_equal(binding_of(verdict, &lan, "/usr/bin/ssh"), VERDICT_PERMITTED);
	assert_int_equal(binding_of(verdict, &lan, "/usr/bin/ssh2"), VERDICT_OTHER_PROGRAM);
	assert_int_equal(binding_of(verdict, &lan, "/usr/bin/backup"), VERDICT_OTHER_PROGRAM);
	assert_int_equal(binding_of(verdict, &lan, NULL), VERDICT_OTHER_PROGRAM);
	assert_int_equal(binding_of(verdict, &both, "/usr/bin/ssh"), VERDICT_PERMITTED);
	assert_int_equal(binding_of(verdict, &both, "/usr/bin/backup"), VERDICT_PERMITTED);
	assert_int_equal(binding_of(verdict, &open, "/usr/bin/any"), VERDICT_PERMITTED);
	assert_int_equal(binding_of(verdict, &open, NULL), VERDICT_PERMITTED);
	assert_int_equal(binding_of(verdict, &other, "/usr/bin/ssh"), VERDICT_REFUSED);
	verdict_free(verdict);
	profile_free(profile);
}

static void public_addresses_may_be_local(void **state)
{
	struct profile *profile = profile_of(ROLE("tcp", "lan", PORT("22")));
	const struct ip_address prefix = address_of("198.51.100.0");
	struct flow inside = TO("198.51.100.200", TCP, 22);
	struct flow outside = TO("198.51.101.1", TCP, 22);
	struct observed_flow flow = flow_of(&inside);
	struct verdict *verdict;

	(void)state;
	assert_int_equal(verdict_new(profile, &profile->network, &verdict), 0);
	assert_false(verdict_permits(verdict, &flow));
	assert_int_equal(verdict_add_link(verdict, &prefix, 24), 0);
	assert_true(verdict_permits(verdict, &flow));
	flow = flow_of(&outside);
	assert_false(verdict_permits(verdict, &flow));
	verdict_free(verdict);
	profile_free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_types),
		cmocka_unit_test(roles),
		cmocka_unit_test(names_and_addresses),
		cmocka_unit_test(replies_of_listeners_and_the_stack),
		cmocka_unit_test(a_role_must_be_announced),
		cmocka_unit_test(a_bridged_device_has_a_network_of_its_own),
		cmocka_unit_test(an_entry_may_be_of_one_program),
		cmocka_unit_test(public_addresses_may_be_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

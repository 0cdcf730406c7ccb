/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules permit what enforce/verdict.h permits, for first packets: profiles and flows at random,
 * drawn from few values so that they meet. What a first packet cannot show, or the rules say
 * otherwise on purpose, is not drawn, or excepted below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "enforce/verdict.h"
#include "profiles/port.h"
#include "rule_scene.h"

#define PROFILES     400
#define FLOWS	     400
#define ENTRIES_MOST 12
#define NAMES_MOST   8
#define BINDINGS     3

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223; /* Numerical Recipes' */
	return (*seed >> 8) % below;
}

static const char *const names[] = {
	"api.example.com",	"example.com",	       "a1.pool.example.net",
	"a22.pool.example.net", "ax.pool.example.net", "other.example.org",
};
static const char *const hosts[] = {"api.example.com", "other.example.org", "example.com"};
static const char *const domains[] = {"example.com", "pool.example.net", "org"};
static const char *const patterns[] = {"a#.pool.example.net", "b#.example.org"};
static const char *const prefixes[] = {
	"203.0.113.0/24", "203.0.113.7/32", "0.0.0.0/0",	  "2001:db8:1::/48",
	"::/0",		  "10.0.0.7/32",    "239.255.255.250/32", "10.0.0.0/8",
};

static const uint8_t protocols[] = {IPPROTO_TCP,  IPPROTO_UDP,	   IPPROTO_ICMP, IPPROTO_ICMPV6,
				    IPPROTO_SCTP, IPPROTO_UDPLITE, 47,		 IPPROTO_IGMP};
static const uint16_t ports[] = {53,   67,   80,    123,   443,	  853,	 1024,	1900,
				 5353, 8080, 32767, 32768, 37215, 40000, 65535, 0};
static const uint8_t types[] = {3, 8, 128, 133, 135, 143, 137};

/* The last ones are nobody's before an answer names them. */
static const char *const remotes[] = {
	"203.0.113.7",	   "203.0.113.99",     "198.51.100.1",	"2001:db8:1::7", "2001:db8:2::7",
	"10.0.0.1",	   "10.0.0.7",	       "192.168.1.1",	"100.64.0.1",	 "169.254.1.1",
	"fe80::1",	   "fd00::1",	       "ff02::fb",	"224.0.0.251",	 "239.255.255.250",
	"255.255.255.255", "10.0.0.255",       "203.0.113.255", "9.9.9.9",	 "8.8.8.8",
	"198.51.100.20",   "2001:db8:ffff::1", "198.51.100.21",
};
#define NAMED_FIRST 20

#define PICK(seed, table) (table)[draw(seed, array_length(table))]

static char *copy(const char *text)
{
	char *copied = strdup(text);

	assert_non_null(copied);
	return copied;
}

static void draw_entry(uint32_t *seed, struct profile_network *network)
{
	static const char *const programs[] = {NULL, NULL, "/bin/a", "/bin/b"};
	struct profile_connection *entry = network_add_connection(network);
	const char *program = PICK(seed, programs);

	assert_non_null(entry);
	entry->protocol = protocols[draw(seed, draw(seed, 3) ? 2 : array_length(protocols))];
	entry->peer_kind = (enum profile_peer_kind)draw(seed, PEER_ADDRESS + 1);
	entry->program = program ? copy(program) : NULL;
	switch (entry->peer_kind) {
	case PEER_HOST:
		entry->name = copy(PICK(seed, hosts));
		break;
	case PEER_DOMAIN:
		entry->name = copy(PICK(seed, domains));
		break;
	case PEER_PATTERN:
		entry->name = copy(PICK(seed, patterns));
		break;
	case PEER_ROLE:
		entry->role = (enum profile_role)draw(seed, ROLE_INTERNET + 1);
		break;
	case PEER_ADDRESS:
		assert_int_equal(ip_parse_prefix(PICK(seed, prefixes), &entry->address,
						 &entry->prefix_length),
				 0);
		break;
	}
	entry->icmp_type = PICK(seed, types);
	entry->port_kind =
		draw(seed, 2) ? PORT_NUMBER : (enum profile_port_kind)draw(seed, PORT_SAME + 1);
	entry->port = PICK(seed, ports);
	entry->local_port = draw(seed, 4) ? 0 : (uint16_t)(1900 + draw(seed, 3));
}

static void draw_listener(uint32_t *seed, struct profile_network *network)
{
	struct profile_listener *listener = network_add_listener(network);

	assert_non_null(listener);
	listener->protocol = draw(seed, 2) ? IPPROTO_UDP : IPPROTO_TCP;
	listener->any_address = listener->ipv4 = listener->ipv6 = true;
	listener->port = PICK(seed, ports);
}

static const char evidence_text[] =
	"{\"addresses\": {\"api.example.com\": [\"192.0.2.77\", \"10.0.0.7\"],"
	" \"a1.pool.example.net\": [\"2001:db8:77::1\"]},"
	" \"roles\": {\"resolver\": [\"9.9.9.9\"], \"gateway\": [\"192.168.1.1\"],"
	" \"dhcp-server\": [\"8.8.8.8\"]}}";

static struct profile *draw_profile(uint32_t *seed)
{
	struct profile *profile = profile_new();
	uint32_t entries = 1 + draw(seed, ENTRIES_MOST);
	uint32_t listeners = draw(seed, 3);

	assert_non_null(profile);
	for (uint32_t i = 0; i < entries; i++)
		draw_entry(seed, &profile->network);
	for (uint32_t i = 0; i < listeners; i++)
		draw_listener(seed, &profile->network);
	if (draw(seed, 2))
		profile->evidence = json_loads(evidence_text, 0, NULL);
	return profile;
}

static struct observed_flow draw_flow(uint32_t *seed)
{
	struct observed_flow flow = {.remote = address_of(PICK(seed, remotes)),
				     .protocol = PICK(seed, protocols)};

	if (draw(seed, 8) == 0)
		flow.remote = address_of(draw(seed, 2) ? "192.0.2.77" : "2001:db8:77::1");
	flow.local = address_of(flow.remote.family == 4 ? "10.0.0.9" : "fd00::9");
	if (flow.remote.family == 4 && flow.protocol == IPPROTO_ICMPV6)
		flow.protocol = IPPROTO_ICMP;
	else if (flow.remote.family == 6 && flow.protocol == IPPROTO_ICMP)
		flow.protocol = IPPROTO_ICMPV6;
	if (protocol_has_types(flow.protocol)) {
		flow.icmp_type = PICK(seed, types);
	} else if (protocol_has_ports(flow.protocol)) {
		flow.remote_port = PICK(seed, ports);
		flow.local_port =
			draw(seed, 2) ? PICK(seed, ports) : (uint16_t)(1900 + draw(seed, 3));
	}
	flow.link_broadcast = ip_scope(&flow.remote) == ADDRESS_BROADCAST ||
			      (flow.remote.family == 4 && flow.remote.bytes[3] == 255);
	return flow;
}

static struct rule_packet packet_of_flow(const struct observed_flow *flow)
{
	struct rule_packet packet = {
		.hook = HOOK_OUT,
		.local = flow->local,
		.remote = flow->remote,
		.protocol = flow->protocol,
		.icmp_type = flow->icmp_type,
		.local_port = flow->local_port,
		.remote_port = flow->remote_port,
		.hop_limit = 64,
		.opens = flow->protocol == IPPROTO_TCP,
		.state = STATE_NEW,
	};

	if (flow->link_broadcast)
		packet.places = PLACE_BROADCAST;
	else if (ip_scope(&flow->remote) == ADDRESS_MULTICAST)
		packet.places = PLACE_MULTICAST;
	return packet;
}

/* What the network says before the flows: to both. */
static void tell_name(struct scene *scene, struct verdict *verdict, const char *name,
		      const struct ip_address *address)
{
	struct observation observation = {.kind = OBSERVATION_NAME};

	observation.name.address = *address;
	snprintf(observation.name.name, sizeof(observation.name.name), "%s", name);
	verdict_observe(verdict, &observation);
	(void)scene_answer(scene, name, address, 600, SECONDS(1));
}

static void tell_role(struct verdict *verdict, enum peer_role role, const char *address)
{
	struct observation observation = {.kind = OBSERVATION_ROLE};

	observation.role = (struct observed_role){
		.address = address_of(address), .role = (uint8_t)role, .announced = true};
	verdict_observe(verdict, &observation);
}

/* The rules permit TCP to resolvers wherever UDP may ask them: what was cut short is asked again.
 */
static bool asks_again(const struct profile *profile, const struct observed_flow *flow)
{
	if (flow->protocol != IPPROTO_TCP || flow->remote_port != PORT_DNS)
		return false;
	for (size_t i = 0; i < profile->network.connection_count; i++) {
		const struct profile_connection *entry = &profile->network.connections[i];

		if (entry->peer_kind == PEER_ROLE && entry->role == ROLE_RESOLVER &&
		    entry->protocol == IPPROTO_UDP)
			return true;
	}
	return false;
}

static void describe(const struct profile *profile, const struct observed_flow *flow,
		     const struct rule_outcome *outcome, bool permitted)
{
	char address[IP_TEXT_SIZE];

	for (size_t i = 0; i < profile->network.connection_count; i++) {
		char *label = connection_label(&profile->network.connections[i]);

		print_error("%s\n", label);
		free(label);
	}
	ip_format(&flow->remote, address);
	fail_msg("%u %s port %u type %u from %u: verdict %s, rules %s (%s)%s", flow->protocol,
		 address, flow->remote_port, flow->icmp_type, flow->local_port,
		 permitted ? "permits" : "refuses",
		 outcome->verdict == RULE_PERMIT ? "permit" : "refuse",
		 outcome->rule ? outcome->rule->comment : "", outcome->held_by ? ", held" : "");
}

static void compare(struct scene *scene, struct verdict *verdict, const struct observed_flow *flow,
		    bool audit, bool surrounded)
{
	struct rule_packet packet = packet_of_flow(flow);
	struct rule_outcome outcome = rule_judge_packet(scene->judge, &packet, SECONDS(2));
	bool permitted = verdict_permits(verdict, flow);
	bool rules_permit = audit ? !outcome.reported : outcome.verdict == RULE_PERMIT;

	if (audit && outcome.verdict != RULE_PERMIT)
		fail_msg("audit refuses: %s", outcome.rule->comment);
	if (permitted == rules_permit)
		return;
	if (rules_permit && asks_again(scene->profile, flow))
		return;
	/* the address by which an on-link public prefix means all of it: of the local network here
	 */
	if (rules_permit && surrounded && flow->link_broadcast &&
	    ip_scope(&flow->remote) == ADDRESS_PUBLIC)
		return;
	/* "same" ports are the gate's to see */
	if (rules_permit && outcome.held_by && outcome.held_by->queue == RULE_QUEUE_FLOWS &&
	    flow->local_port != flow->remote_port)
		return;
	describe(scene->profile, flow, &outcome, permitted);
}

/* Judges flows by both; takes the profile. surroundings: whether the machine's network is known. */
static void hold_against(uint32_t *seed, struct profile *profile,
			 const struct rules_options *options, bool surrounded)
{
	const struct ip_address resolvers[] = {address_of("198.51.100.1")};
	const struct ip_address gateways[] = {address_of("10.0.0.1")};
	const struct rule_member on_link[] = {
		{.address = address_of("2001:db8:2::"), .prefix_length = 48},
		{.address = address_of("203.0.113.0"), .prefix_length = 24},
	};
	const struct rules_surroundings known = {
		.known = true,
		.resolvers = resolvers,
		.resolver_count = 1,
		.gateways = gateways,
		.gateway_count = 1,
		.on_link = on_link,
		.on_link_count = array_length(on_link),
	};
	struct scene scene = {.profile = profile};
	struct verdict *verdict;
	struct error error = {0};
	uint32_t answers = draw(seed, NAMES_MOST);

	assert_int_equal(verdict_new(profile, &profile->network, &verdict), 0);
	if (rules_compile(profile, options, surrounded ? &known : NULL, &scene.program, &error) < 0)
		fail_msg("%s", error.message);
	assert_true(rules_seed(scene.program, profile, 3600) >= 0);
	assert_int_equal(rule_judge_new(scene.program, &scene.judge), 0);
	if (surrounded) {
		tell_role(verdict, PEER_ROLE_RESOLVER, "198.51.100.1");
		tell_role(verdict, PEER_ROLE_GATEWAY, "10.0.0.1");
		for (size_t i = 0; i < array_length(on_link); i++)
			assert_int_equal(verdict_add_link(verdict, &on_link[i].address,
							  on_link[i].prefix_length),
					 0);
	}
	for (uint32_t i = 0; i < answers; i++) {
		struct ip_address address = address_of(
			remotes[NAMED_FIRST + draw(seed, array_length(remotes) - NAMED_FIRST)]);

		tell_name(&scene, verdict, PICK(seed, names), &address);
	}
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct observed_flow flow = draw_flow(seed);

		compare(&scene, verdict, &flow, options->report_only, surrounded);
	}
	verdict_free(verdict);
	scene_end(&scene);
}

static void random_profiles(void **state)
{
	uint32_t seed = 4711;

	(void)state;
	for (uint32_t i = 0; i < PROFILES; i++) {
		struct rules_options options = RULES_OPTIONS_DEFAULT;

		options.binding = (enum rules_binding)draw(&seed, BINDINGS);
		options.report_only = draw(&seed, 3) == 0;
		options.reject = draw(&seed, 3) == 0;
		hold_against(&seed, draw_profile(&seed), &options, draw(&seed, 2));
	}
}

static void example_profiles(void **state)
{
	static const char *const files[] = {"camera", "gateway-with-bridge", "recorded-sensor",
					    "signed-sensor"};
	const char *place = getenv("RTGUARD_EXAMPLES");
	uint32_t seed = 815;

	(void)state;
	assert_non_null(place);
	for (size_t i = 0; i < array_length(files); i++) {
		struct rules_options options = RULES_OPTIONS_DEFAULT;
		struct profile *profile;
		struct error error = {0};
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s.json", place, files[i]);
		if (profile_load(path, &profile, &error) < 0)
			fail_msg("%s", error.message);
		hold_against(&seed, profile, &options, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_profiles),
		cmocka_unit_test(example_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

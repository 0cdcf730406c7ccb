/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observations.h"

/* Every test learns and looks at the profile: what matters is what gets written. */
static void observe_role(struct learner *learner, const char *address, enum peer_role role)
{
	struct observation seen = {
		.kind = OBSERVATION_ROLE,
		.time_ns = TEST_START,
		.role = {.address = test_address(address), .role = (uint8_t)role},
	};

	learner_observe(learner, &seen);
}

/* Another recording, made later. */
static void next_sample(struct learner *learner, int sample)
{
	struct observation passed = {
		.kind = OBSERVATION_CAPTURE,
		.time_ns = TEST_START + (uint64_t)(sample + 1) * 3600 * NS_PER_S,
	};

	learner_begin_sample(learner);
	learner_observe(learner, &passed);
}

static void observe_name(struct learner *learner, const char *name, const char *address)
{
	struct observation seen = {
		.kind = OBSERVATION_NAME,
		.time_ns = TEST_START,
		.name = {.address = test_address(address), .ttl_s = 30},
	};

	snprintf(seen.name.name, sizeof(seen.name.name), "%s", name);
	learner_observe(learner, &seen);
}

static void local_peers_are_roles(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct profile *profile;

	(void)state;
	observe_role(learner, "10.0.0.1", PEER_ROLE_GATEWAY);
	observe_role(learner, "10.0.0.2", PEER_ROLE_DHCP_SERVER);
	observe_role(learner, "203.0.113.53", PEER_ROLE_RESOLVER);
	observe_role(learner, "10.0.0.255", PEER_ROLE_BROADCAST);
	test_observe_flow(learner, IPPROTO_UDP, NULL, "203.0.113.53", 53);
	test_observe_flow(learner, IPPROTO_ICMP, NULL, "10.0.0.1", 8);
	test_observe_flow(learner, IPPROTO_TCP, NULL, "10.0.0.7", 8123);
	test_observe_flow(learner, IPPROTO_TCP, "printer.example.net", "192.168.4.4", 631);
	test_observe_flow(learner, IPPROTO_UDP, NULL, "10.0.0.2", 67);
	test_observe_flow(learner, IPPROTO_UDP, NULL, "239.255.255.250", 1900);
	test_observe_flow(learner, IPPROTO_UDP, NULL, "10.0.0.255", 137);
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "udp role resolver 53 -"));
	assert_true(test_has_connection(profile, "tcp role resolver 53 -"));
	assert_true(test_has_connection(profile, "icmp role gateway type 8 -"));
	assert_true(test_has_connection(profile, "tcp role lan 8123 -"));
	assert_true(test_has_connection(profile, "tcp role lan 631 -"));
	assert_true(test_has_connection(profile, "udp role dhcp-server 67 -"));
	assert_true(test_has_connection(profile, "udp role multicast 1900 -"));
	assert_true(test_has_connection(profile, "udp role broadcast 137 -"));
	profile_free(profile);
	learner_free(learner);
}

static void one_host_stays_a_host_and_numbers_become_a_pattern(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;

	(void)state;
	test_observe_flow(learner, IPPROTO_TCP, "api.example.net", "93.184.216.34", 443);
	test_observe_flow(learner, IPPROTO_TCP, "node12lb3.arrayent.com", "93.184.216.35", 80);
	test_observe_flow(learner, IPPROTO_TCP, "node13lb4.arrayent.com", "93.184.216.36", 80);
	test_observe_flow(learner, IPPROTO_TCP, "s3.amazonaws.com", "93.184.216.37", 443);
	test_observe_flow(learner, IPPROTO_TCP, "x9.amazonaws.com", "93.184.216.38", 443);
	test_observe_flow(learner, IPPROTO_UDP, "2.pool.ntp.org", "93.184.216.39", 123);
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 5);
	assert_true(test_has_connection(profile, "tcp host api.example.net 443 -"));
	assert_true(test_has_connection(profile, "tcp pattern node#lb#.arrayent.com 80 -"));
	/* strangers share this one: no pattern, no domain */
	assert_true(test_has_connection(profile, "tcp host s3.amazonaws.com 443 -"));
	assert_true(test_has_connection(profile, "tcp host x9.amazonaws.com 443 -"));
	assert_true(test_has_connection(profile, "udp pattern #.pool.ntp.org 123 -"));
	profile_free(profile);
	learner_free(learner);
}

/* The flow, opened by the program (NULL: unknown). */
static void observe_of(struct learner *learner, struct observation *seen, const char *program)
{
	static uint64_t id;

	seen->flow.id = ++id;
	if (program)
		learner_attribute(learner, &seen->station, seen->flow.id, program, false);
	learner_observe(learner, seen);
}

static void two_names_of_an_owner_become_the_domain_for_whoever_was_there(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = test_flow(IPPROTO_TCP, "api.xbcs.net", "93.184.216.34", 8443);
	struct profile *profile;

	(void)state;
	observe_of(learner, &seen, "/usr/bin/a");
	snprintf(seen.flow.name, sizeof(seen.flow.name), "nat.xbcs.net");
	observe_of(learner, &seen, "/usr/bin/b");
	observe_of(learner, &seen, NULL);
	seen = test_flow(IPPROTO_TCP, "api.example.net", "93.184.216.39", 443);
	observe_of(learner, &seen, "/usr/bin/c");
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 4);
	assert_true(test_has_connection(profile, "tcp domain xbcs.net any /usr/bin/a"));
	assert_true(test_has_connection(profile, "tcp domain xbcs.net any /usr/bin/b"));
	assert_true(test_has_connection(profile, "tcp domain xbcs.net any -"));
	assert_true(test_has_connection(profile, "tcp host api.example.net 443 /usr/bin/c"));
	profile_free(profile);
	learner_free(learner);
}

static void what_follows_from_an_entry_is_of_its_programs(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = test_flow(IPPROTO_UDP, NULL, "10.0.0.1", 53);
	struct profile *profile;

	(void)state;
	observe_of(learner, &seen, "/usr/bin/a");
	observe_of(learner, &seen, "/usr/bin/b");
	seen = test_flow(IPPROTO_UDP, NULL, "255.255.255.255", 67);
	observe_of(learner, &seen, "/sbin/dhcp");
	seen = test_flow(IPPROTO_UDP, NULL, "239.255.255.250", 1900);
	seen.flow.announces = true;
	observe_of(learner, &seen, "/usr/bin/upnp");
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 10);
	assert_true(test_has_connection(profile, "tcp role resolver 53 /usr/bin/a"));
	assert_true(test_has_connection(profile, "tcp role resolver 53 /usr/bin/b"));
	assert_true(test_has_connection(profile, "udp role dhcp-server 67 /sbin/dhcp"));
	assert_true(test_has_connection(profile, "udp role lan ephemeral /usr/bin/upnp"));
	assert_true(test_has_connection(profile, "udp role lan 1900 /usr/bin/upnp"));
	assert_true(test_has_connection(profile, "tcp role lan high /usr/bin/upnp"));
	profile_free(profile);
	learner_free(learner);
}

/* Who needs an entry that a wider one swallows needs the wider one. */
static void a_wider_entry_takes_the_programs_of_those_it_covers(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen;
	struct profile *profile;

	(void)state;
	for (uint16_t sample = 0; sample < 4; sample++) {
		seen = test_flow(IPPROTO_UDP, NULL, "10.0.0.7", (uint16_t)(5000 + sample));
		observe_of(learner, &seen, "/usr/bin/wide");
		next_sample(learner, sample);
	}
	seen = test_flow(IPPROTO_UDP, NULL, "224.0.0.251", 5353);
	observe_of(learner, &seen, "/usr/bin/mdns");
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 3);
	assert_true(test_has_connection(profile, "udp role multicast 5353 /usr/bin/mdns"));
	assert_true(test_has_connection(profile, "udp role lan high /usr/bin/wide"));
	assert_true(test_has_connection(profile, "udp role lan high /usr/bin/mdns"));
	profile_free(profile);
	learner_free(learner);
}

/* One of many flows, of a kind that the number chooses. */
static struct observation numbered_flow(uint32_t number)
{
	static const char *const lan[] = {"10.0.0.1",	"10.0.0.7",	   "192.168.3.4",
					  "10.0.0.255", "239.255.255.250", "255.255.255.255"};
	static const char *const names[] = {"a.xbcs.net", "b.xbcs.net", "x1.vendor.com",
					    "x2.vendor.com", "s3.amazonaws.com"};
	static const uint16_t ports[] = {53, 67, 80, 123, 443, 1900, 3478, 5353, 20000, 45678};
	uint16_t port = ports[number / 7 % 10];
	uint8_t protocol = number / 70 % 3 ? IPPROTO_UDP : IPPROTO_TCP;
	struct observation seen;
	char address[IP_TEXT_SIZE];

	snprintf(address, sizeof(address), "198.%u.%u.4", 40 + number / 210 % 5, number / 1050 % 3);
	switch (number % 7) {
	case 0:
		seen = test_flow(IPPROTO_ICMP, NULL, number & 8 ? "10.0.0.1" : address, 8);
		break;
	case 1:
		seen = test_flow(protocol, names[number / 210 % 5], address, port);
		break;
	case 2:
	case 3:
		seen = test_flow(protocol, NULL, address, port);
		break;
	default:
		seen = test_flow(protocol, NULL, lan[number / 210 % 6], port);
		break;
	}
	if (number / 1260 % 3 == 0 && protocol == IPPROTO_UDP)
		seen.flow.local_port = number / 3780 % 2 ? seen.flow.remote_port : 10240;
	if (number / 7560 % 8 == 0 && protocol == IPPROTO_UDP)
		seen.flow.asked_port = 1900;
	seen.flow.announces = number / 60480 % 4 == 0;
	return seen;
}

/* What the policy says of the network, without whose it is: one line each, sorted, to be freed. */
static char *behaviour_of(struct learner *learner)
{
	struct profile *profile = test_profile(learner);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	char last[1024] = "";

	for (size_t i = 0; i < profile->network.connection_count; i++) {
		free(profile->network.connections[i].program);
		profile->network.connections[i].program = NULL;
	}
	profile_canonicalise(profile);
	for (size_t i = 0; i < profile->network.connection_count; i++) {
		char *label = connection_label(&profile->network.connections[i]);

		if (strcmp(label, last) != 0)
			fprintf(out, "%s\n", label);
		snprintf(last, sizeof(last), "%s", label);
		free(label);
	}
	for (size_t i = 0; i < profile->network.listener_count; i++) {
		char *label = listener_label(&profile->network.listeners[i]);

		fprintf(out, "%s\n", label);
		free(label);
	}
	fclose(out);
	profile_free(profile);
	return text;
}

static void whose_contacts_they_are_changes_no_entry(void **state)
{
	static const char *const programs[] = {NULL, "/bin/a", "/bin/b", "/bin/c"};
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct learner *alone = test_learner(NULL, false, true);
		struct learner *shared = test_learner(NULL, false, true);
		char *expected, *found;

		for (int sample = 0; sample < 4; sample++) {
			for (int i = 0; i < 12; i++) {
				struct observation seen;

				seed = seed * 1664525 + 1013904223;
				seen = numbered_flow(seed >> 8);
				observe_of(alone, &seen, NULL);
				observe_of(shared, &seen, programs[seed >> 4 & 3]);
			}
			next_sample(alone, sample);
			next_sample(shared, sample);
		}
		expected = behaviour_of(alone);
		found = behaviour_of(shared);
		assert_string_equal(found, expected);
		free(expected);
		free(found);
		learner_free(alone);
		learner_free(shared);
	}
}

static void a_wide_domain_of_tcp_leaves_udp_its_own_entries(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;

	(void)state;
	test_observe_flow(learner, IPPROTO_TCP, "api.xbcs.net", "93.184.216.34", 443);
	test_observe_flow(learner, IPPROTO_TCP, "nat.xbcs.net", "93.184.216.35", 443);
	test_observe_flow(learner, IPPROTO_UDP, "time.xbcs.net", "93.184.216.36", 123);
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "tcp domain xbcs.net any -"));
	assert_true(test_has_connection(profile, "udp host time.xbcs.net 123 -"));
	profile_free(profile);
	learner_free(learner);
}

static void an_address_that_had_a_name_is_that_name(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;

	(void)state;
	observe_name(learner, "api.example.net", "93.184.216.34");
	test_observe_flow(learner, IPPROTO_TCP, NULL, "93.184.216.34", 443);
	test_observe_flow(learner, IPPROTO_TCP, NULL, "198.41.0.4", 443);
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "tcp host api.example.net 443 -"));
	assert_true(test_has_connection(profile, "tcp address 198.41.0.4/32 443 -"));
	assert_int_equal(profile->network.names.count, 1);
	profile_free(profile);
	learner_free(learner);
}

static void addresses_of_one_farm_are_one_prefix(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;

	(void)state;
	test_observe_flow(learner, IPPROTO_TCP, NULL, "198.41.0.4", 443);
	test_observe_flow(learner, IPPROTO_TCP, NULL, "198.41.0.9", 443);
	test_observe_flow(learner, IPPROTO_TCP, NULL, "198.41.1.9", 443);
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 2);
	assert_true(test_has_connection(profile, "tcp address 198.41.0.0/24 443 -"));
	assert_true(test_has_connection(profile, "tcp address 198.41.1.9/32 443 -"));
	profile_free(profile);
	learner_free(learner);
}

/* Each sample brings a peer never seen before: learning longer would not close the class. */
static struct profile *learn_new_peers(uint8_t protocol, uint16_t port, bool new_each_time)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;
	char address[IP_TEXT_SIZE];

	for (int sample = 1; sample <= 5; sample++) {
		for (int peer = 0; peer < (new_each_time ? 1 : 4); peer++) {
			snprintf(address, sizeof(address), "198.%d.0.4",
				 new_each_time ? 100 + sample : 100 + peer);
			test_observe_flow(learner, protocol, NULL, address, port);
		}
		next_sample(learner, sample);
	}
	profile = test_profile(learner);
	learner_free(learner);
	return profile;
}

static void only_classes_that_keep_bringing_news_are_opened(void **state)
{
	struct profile *profile = learn_new_peers(IPPROTO_UDP, 123, true);

	(void)state;
	assert_int_equal(profile->network.connection_count, 1);
	assert_true(test_has_connection(profile, "udp role internet 123 -"));
	profile_free(profile);
	profile = learn_new_peers(IPPROTO_UDP, 123, false);
	assert_int_equal(profile->network.connection_count, 4);
	profile_free(profile);
	profile = learn_new_peers(IPPROTO_TCP, 443, true);
	assert_int_equal(profile->network.connection_count, 5);
	profile_free(profile);
	profile = learn_new_peers(IPPROTO_TCP, 8080, true);
	assert_int_equal(profile->network.connection_count, 5);
	profile_free(profile);
	profile = learn_new_peers(IPPROTO_TCP, 3478, true);
	assert_true(test_has_connection(profile, "tcp role internet 3478 -"));
	profile_free(profile);
}

static void named_tcp_peers_never_open_a_class(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;

	(void)state;
	for (int sample = 0; sample < 6; sample++) {
		char name[32];

		snprintf(name, sizeof(name), "www.site%c.com", 'a' + sample);
		test_observe_flow(learner, IPPROTO_TCP, name, "93.184.216.34", 5222);
		next_sample(learner, sample);
	}
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 6);
	profile_free(profile);
	learner_free(learner);
}

static void answers_to_neighbours_are_a_listener(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct observation seen = test_flow(IPPROTO_UDP, NULL, "10.0.0.7", 50123);
	struct profile *profile;

	(void)state;
	seen.flow.asked_port = 1900;
	learner_observe(learner, &seen);
	seen = test_flow(IPPROTO_UDP, NULL, "10.0.0.7", 6666);
	seen.flow.local_port = 6666;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_true(test_has_listener(profile, "listener udp any 1900 -"));
	assert_true(test_has_listener(profile, "listener udp any 6666 -"));
	assert_int_equal(profile->network.connection_count, 1);
	assert_true(test_has_connection(profile, "udp role lan ephemeral -"));
	profile_free(profile);
	learner_free(learner);
}

static void observe_service(struct learner *learner, uint16_t port, const char *peer)
{
	struct observation seen = {
		.kind = OBSERVATION_SERVICE,
		.time_ns = TEST_START,
		.service = {.local = test_address("10.0.0.9"),
			    .remote = test_address(peer),
			    .protocol = IPPROTO_UDP,
			    .local_port = port},
	};

	learner_observe(learner, &seen);
}

static void a_client_that_is_written_to_first_is_no_listener(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct observation seen;
	struct profile *profile;

	(void)state;
	observe_service(learner, 5683, "10.0.0.7");
	observe_service(learner, 40001, "10.0.0.7");
	observe_service(learner, 40001, "10.0.0.7");
	observe_service(learner, 40002, "10.0.0.7");
	observe_service(learner, 40002, "10.0.0.8");
	profile = test_profile(learner);
	assert_int_equal(profile->network.listener_count, 2);
	assert_true(test_has_listener(profile, "listener udp any 5683 -"));
	assert_true(test_has_listener(profile, "listener udp any 40002 -"));
	profile_free(profile);
	/* the same port in another recording is no chance */
	seen = test_flow(IPPROTO_TCP, NULL, "198.41.0.4", 443);
	learner_observe(learner, &seen);
	learner_begin_sample(learner);
	seen.time_ns += 7200 * NS_PER_S;
	learner_observe(learner, &seen);
	observe_service(learner, 40001, "10.0.0.7");
	profile = test_profile(learner);
	assert_int_equal(profile->network.listener_count, 3);
	profile_free(profile);
	learner_free(learner);
}

/* From a port to the same port of everybody: two may be agreed upon, three are drawn. */
static void ports_drawn_at_random_are_one_entry(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct observation seen = test_flow(IPPROTO_UDP, NULL, "255.255.255.255", 0);
	struct profile *profile;

	(void)state;
	for (uint16_t port = 20000; port < 20002; port++) {
		seen.flow.local_port = seen.flow.remote_port = port;
		learner_observe(learner, &seen);
	}
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "udp role broadcast 20000 -"));
	assert_true(test_has_listener(profile, "listener udp any 20000 -"));
	profile_free(profile);
	seen.flow.local_port = seen.flow.remote_port = 45678;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "udp role broadcast same -"));
	assert_false(test_has_connection(profile, "udp role broadcast 20000 -"));
	assert_int_equal(profile->network.listener_count, 0);
	profile_free(profile);
	learner_free(learner);
}

static void a_name_from_a_hello_is_not_one_that_was_asked_for(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct observation seen = test_flow(IPPROTO_TCP, "api.example.net", "93.184.216.34", 443);
	struct profile *profile;

	(void)state;
	seen.flow.name_source = NAME_FROM_TLS;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "tcp host api.example.net 443 -"));
	assert_int_equal(profile->network.names.count, 0);
	profile_free(profile);
	learner_free(learner);
}

static void what_announces_itself_will_be_subscribed_to(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct observation seen = test_flow(IPPROTO_UDP, NULL, "239.255.255.250", 1900);
	struct profile *profile;

	(void)state;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_false(test_has_connection(profile, "tcp role lan high -"));
	profile_free(profile);
	seen.flow.announces = true;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_true(test_has_connection(profile, "tcp role lan high -"));
	assert_true(test_has_connection(profile, "udp role lan 1900 -"));
	profile_free(profile);
	learner_free(learner);
}

static void a_peer_to_peer_socket_keeps_its_local_port(void **state)
{
	struct learner *learner = test_learner(NULL, false, true);
	struct profile *profile;

	(void)state;
	for (uint16_t sample = 0; sample < 5; sample++) {
		struct observation seen =
			test_flow(IPPROTO_UDP, NULL, "198.41.0.4", (uint16_t)(20000 + 7 * sample));

		seen.flow.local_port = 10240;
		learner_observe(learner, &seen);
		next_sample(learner, sample);
	}
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 1);
	assert_int_equal(profile->network.connections[0].local_port, 10240);
	assert_int_equal(profile->network.connections[0].port_kind, PORT_HIGH);
	assert_int_equal(profile->network.connections[0].role, ROLE_INTERNET);
	profile_free(profile);
	learner_free(learner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_peers_are_roles),
		cmocka_unit_test(one_host_stays_a_host_and_numbers_become_a_pattern),
		cmocka_unit_test(two_names_of_an_owner_become_the_domain_for_whoever_was_there),
		cmocka_unit_test(what_follows_from_an_entry_is_of_its_programs),
		cmocka_unit_test(a_wider_entry_takes_the_programs_of_those_it_covers),
		cmocka_unit_test(whose_contacts_they_are_changes_no_entry),
		cmocka_unit_test(a_wide_domain_of_tcp_leaves_udp_its_own_entries),
		cmocka_unit_test(an_address_that_had_a_name_is_that_name),
		cmocka_unit_test(addresses_of_one_farm_are_one_prefix),
		cmocka_unit_test(only_classes_that_keep_bringing_news_are_opened),
		cmocka_unit_test(named_tcp_peers_never_open_a_class),
		cmocka_unit_test(answers_to_neighbours_are_a_listener),
		cmocka_unit_test(a_client_that_is_written_to_first_is_no_listener),
		cmocka_unit_test(ports_drawn_at_random_are_one_entry),
		cmocka_unit_test(a_name_from_a_hello_is_not_one_that_was_asked_for),
		cmocka_unit_test(what_announces_itself_will_be_subscribed_to),
		cmocka_unit_test(a_peer_to_peer_socket_keeps_its_local_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

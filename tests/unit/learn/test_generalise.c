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

static void two_names_of_an_owner_become_the_domain_of_their_program(void **state)
{
	struct learner *learner = test_learner(NULL, false, false);
	struct observation seen = test_flow(IPPROTO_TCP, "api.xbcs.net", "93.184.216.34", 8443);
	struct profile *profile;

	(void)state;
	learner_attribute(learner, &seen.station, 1, "/usr/bin/a", false);
	seen.flow.id = 1;
	learner_observe(learner, &seen);
	learner_attribute(learner, &seen.station, 2, "/usr/bin/a", false);
	seen.flow.id = 2;
	snprintf(seen.flow.name, sizeof(seen.flow.name), "nat.xbcs.net");
	learner_observe(learner, &seen);
	learner_attribute(learner, &seen.station, 3, "/usr/bin/b", false);
	seen.flow.id = 3;
	learner_observe(learner, &seen);
	profile = test_profile(learner);
	assert_int_equal(profile->network.connection_count, 2);
	assert_true(test_has_connection(profile, "tcp domain xbcs.net any /usr/bin/a"));
	assert_true(test_has_connection(profile, "tcp host nat.xbcs.net 8443 /usr/bin/b"));
	profile_free(profile);
	learner_free(learner);
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
		cmocka_unit_test(two_names_of_an_owner_become_the_domain_of_their_program),
		cmocka_unit_test(a_wide_domain_of_tcp_leaves_udp_its_own_entries),
		cmocka_unit_test(an_address_that_had_a_name_is_that_name),
		cmocka_unit_test(addresses_of_one_farm_are_one_prefix),
		cmocka_unit_test(only_classes_that_keep_bringing_news_are_opened),
		cmocka_unit_test(named_tcp_peers_never_open_a_class),
		cmocka_unit_test(answers_to_neighbours_are_a_listener),
		cmocka_unit_test(ports_drawn_at_random_are_one_entry),
		cmocka_unit_test(a_name_from_a_hello_is_not_one_that_was_asked_for),
		cmocka_unit_test(what_announces_itself_will_be_subscribed_to),
		cmocka_unit_test(a_peer_to_peer_socket_keeps_its_local_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

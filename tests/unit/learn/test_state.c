/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observations.h"

#include <errno.h>

#include "learn/novelty.h"
#include "learn/state.h"

static void keys_come_back_and_only_fit_their_shape(void **state)
{
	static const uint8_t sha256[32] = {1, 2, 3};
	struct key *key = calloc(1, sizeof(*key));
	struct ip_address address = test_address("2001:db8::1");
	struct key_reader reader;
	bool broken = false;
	char *text;

	(void)state;
	key_start(key);
	key_number(key, 0x1234, 2);
	key_string(key, "path");
	key_string(key, NULL);
	key_sha256(key, sha256);
	key_sha256(key, NULL);
	key_address(key, &address);
	assert_true(key_fits("2snhha", key->bytes, key->size));
	assert_false(key_fits("2sshha", key->bytes, key->size));
	for (size_t size = 0; size < key->size; size++)
		assert_false(key_fits("2snhha", key->bytes, size));
	reader = key_read(key->bytes, key->size);
	assert_int_equal(key_read_number(&reader, 2), 0x1234);
	text = key_read_string(&reader, &broken);
	assert_string_equal(text, "path");
	free(text);
	assert_null(key_read_string(&reader, &broken));
	assert_memory_equal(key_read_sha256(&reader), sha256, 32);
	assert_null(key_read_sha256(&reader));
	address = key_read_address(&reader);
	assert_true(ip_equal(
		&address,
		&(struct ip_address){.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}));
	assert_int_equal(reader.left, 0);
	assert_false(broken);
	free(key);
}

static void a_key_that_does_not_fit_is_counted_as_lost(void **state)
{
	struct key *key = calloc(1, sizeof(*key));
	struct state *tables;
	char *large = malloc(9000);

	(void)state;
	memset(large, 'x', 8999);
	large[8999] = '\0';
	assert_int_equal(state_new(&tables), 0);
	key_start(key);
	key_string(key, large);
	key_string(key, large);
	assert_true(key->overflow);
	assert_null(state_note(tables, TABLE_UNREADABLE, key, 1, NULL));
	assert_int_equal(state_evicted(tables, TABLE_UNREADABLE), 1);
	state_free(tables);
	free(large);
	free(key);
}

static void full_tables_let_the_oldest_go(void **state)
{
	struct key *key = calloc(1, sizeof(*key));
	uint32_t limit = state_tables[TABLE_ROLES].entry_limit;
	struct mac_address mac = {0};
	struct state *tables;

	(void)state;
	assert_int_equal(state_new(&tables), 0);
	for (uint32_t i = 0; i < limit + 10; i++) {
		struct ip_address address = {.family = 4};

		memcpy(address.bytes, &i, sizeof(i));
		key_start(key);
		key_mac(key, &mac);
		key_address(key, &address);
		key_number(key, 1, 1);
		assert_non_null(state_note(tables, TABLE_ROLES, key, i, NULL));
	}
	assert_int_equal(state_count(tables, TABLE_ROLES), limit);
	assert_int_equal(state_evicted(tables, TABLE_ROLES), 10);
	assert_int_equal(((struct seen *)state_next(tables, TABLE_ROLES, NULL))->first_ns, 10);
	state_free(tables);
	free(key);
}

static void tables_are_bounded_in_bytes_too(void **state)
{
	struct key *key = calloc(1, sizeof(*key));
	struct state *tables;
	char text[4001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[4000] = '\0';
	assert_int_equal(state_new(&tables), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, 8, "%07d", i);
		text[7] = 'x';
		key_start(key);
		key_string(key, text);
		key_string(key, "reason");
		assert_non_null(state_note(tables, TABLE_UNREADABLE, key, 1, NULL));
	}
	assert_true(state_bytes(tables) <= state_tables[TABLE_UNREADABLE].byte_limit);
	assert_true(state_count(tables, TABLE_UNREADABLE) < 300);
	assert_int_equal(state_evicted(tables, TABLE_UNREADABLE),
			 1000 - state_count(tables, TABLE_UNREADABLE));
	state_free(tables);
	free(key);
}

static void what_does_not_fit_its_table_is_not_loaded(void **state)
{
	struct state *tables;
	struct seen seen = {.count = 1};
	static const unsigned char key[] = {0, 1, 'a', 0, 1, 'b'};

	(void)state;
	assert_int_equal(state_new(&tables), 0);
	assert_int_equal(state_load(tables, TABLE_COUNT, key, sizeof(key), &seen, sizeof(seen)),
			 -EINVAL);
	assert_int_equal(
		state_load(tables, TABLE_UNREADABLE, key, sizeof(key) - 1, &seen, sizeof(seen)),
		-EINVAL);
	assert_int_equal(
		state_load(tables, TABLE_UNREADABLE, key, sizeof(key), &seen, sizeof(seen) - 1),
		-EINVAL);
	assert_int_equal(
		state_load(tables, TABLE_UNREADABLE, key, sizeof(key), &seen, sizeof(seen)), 0);
	assert_false(state_has_changes(tables));
	state_free(tables);
}

static void good_turing_counts_what_was_seen_once(void **state)
{
	struct novelty novelty = {0};

	(void)state;
	novelty_add(&novelty, 0, 5);
	novelty_add(&novelty, 0, 9);
	novelty_add(&novelty, 1, 12);
	novelty_add(&novelty, 2, 13);
	assert_int_equal(novelty.observations, 4);
	assert_int_equal(novelty.distinct, 2);
	assert_int_equal(novelty.seen_once, 1);
	assert_int_equal(novelty.last_new_ns, 9);
	assert_true(novelty.unseen_probability > 0.249 && novelty.unseen_probability < 0.251);
}

static void a_curve_halves_its_resolution_and_keeps_its_shape(void **state)
{
	struct curve_value curve = {0};

	(void)state;
	curve_add(&curve, 0, 1);
	curve_add(&curve, 10 * NS_PER_S, 5);
	assert_int_equal(curve.resolution_ns, NS_PER_S);
	assert_int_equal(curve.points[10], 5);
	curve_add(&curve, 24 * 3600 * NS_PER_S, 9);
	assert_int_equal(curve.resolution_ns, 2048 * NS_PER_S);
	assert_int_equal(curve.points[0], 5);
	assert_int_equal(curve.points[42], 9);
	curve_add(&curve, UINT64_MAX, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_back_and_only_fit_their_shape),
		cmocka_unit_test(a_key_that_does_not_fit_is_counted_as_lost),
		cmocka_unit_test(full_tables_let_the_oldest_go),
		cmocka_unit_test(tables_are_bounded_in_bytes_too),
		cmocka_unit_test(what_does_not_fit_its_table_is_not_loaded),
		cmocka_unit_test(good_turing_counts_what_was_seen_once),
		cmocka_unit_test(a_curve_halves_its_resolution_and_keeps_its_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "gate/name_addresses.h"

#define START_NS (1000 * NS_PER_S)

static const struct name_times times = {.floor_s = 10, .grace_s = 5, .remembered_s = 100};

static struct ip_address ip(const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_parse(text, &address), 0);
	return address;
}

static struct ip_address nth_ip(uint32_t number)
{
	const uint8_t bytes[] = {11, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				 (uint8_t)number};

	return ip_from_ipv4(bytes);
}

static int answer(struct name_addresses *names, const char *name, const char *address,
		  uint32_t ttl_s, uint64_t now_ns)
{
	struct ip_address parsed = ip(address);

	return name_addresses_answered(names, name, &parsed, ttl_s, now_ns);
}

static void remember(struct name_addresses *names, const char *name, const char *address,
		     uint64_t now_ns)
{
	struct ip_address parsed = ip(address);

	assert_int_equal(name_addresses_remember(names, name, &parsed, now_ns), 0);
}

/* What callbacks told, as "NAME ADDRESS LEFT;" each. */
struct told {
	char text[32768];
	size_t count;
};

static void tell(void *context, const char *name, const struct ip_address *address, uint32_t left_s)
{
	struct told *told = context;
	char text[IP_TEXT_SIZE];
	size_t length = strlen(told->text);

	ip_format(address, text);
	(void)snprintf(told->text + length, sizeof(told->text) - length, "%s %s %u;", name, text,
		       left_s);
	told->count++;
}

static void assert_valid(const struct name_addresses *names, uint64_t now_ns, const char *expected)
{
	struct told told = {0};

	name_addresses_each(names, now_ns, tell, &told);
	assert_string_equal(told.text, expected);
}

static void assert_kept(const struct name_addresses *names, const char *expected)
{
	struct told told = {0};

	name_addresses_each_kept(names, tell, &told);
	assert_string_equal(told.text, expected);
}

static uint64_t tick(struct name_addresses *names, uint64_t now_ns, const char *expected)
{
	struct told told = {0};
	uint64_t next_ns = name_addresses_tick(names, now_ns, tell, &told);

	assert_string_equal(told.text, expected);
	return next_ns;
}

static struct name_addresses *new_names(void)
{
	struct name_addresses *names;

	assert_int_equal(name_addresses_new(&times, &names), 0);
	return names;
}

static void an_answer_holds_for_its_ttl_within_bounds(void **state)
{
	struct name_addresses *names = new_names();

	(void)state;
	assert_int_equal(answer(names, "a.example", "192.0.2.1", 0, START_NS), 15);
	assert_int_equal(answer(names, "a.example", "192.0.2.2", 10, START_NS), 15);
	assert_int_equal(answer(names, "a.example", "192.0.2.3", 11, START_NS), 16);
	assert_int_equal(answer(names, "a.example", "192.0.2.4", NAME_TTL_MOST, START_NS),
			 NAME_TTL_MOST + 5);
	assert_int_equal(answer(names, "a.example", "192.0.2.5", UINT32_MAX, START_NS),
			 NAME_TTL_MOST + 5);
	assert_int_equal(name_addresses_count(names), 5);
	name_addresses_free(names);
}

static void times_that_are_no_times_are_bounded(void **state)
{
	const struct name_times none = {0};
	const struct name_times endless = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
	struct name_addresses *names;
	uint64_t next_ns;

	(void)state;
	assert_int_equal(name_addresses_new(&none, &names), 0);
	assert_int_equal(answer(names, "a.example", "192.0.2.1", 0, START_NS), 1);
	remember(names, "b.example", "192.0.2.2", START_NS);
	next_ns = tick(names, START_NS, "");
	assert_true(next_ns >= START_NS + NS_PER_S);
	name_addresses_free(names);
	assert_int_equal(name_addresses_new(&endless, &names), 0);
	assert_int_equal(answer(names, "a.example", "192.0.2.1", UINT32_MAX, START_NS),
			 2 * NAME_TTL_MOST);
	name_addresses_free(names);
}

static void what_is_over_is_gone(void **state)
{
	struct name_addresses *names = new_names();

	(void)state;
	assert_true(tick(names, START_NS, "") == 0);
	answer(names, "a.example", "192.0.2.1", 20, START_NS);
	answer(names, "a.example", "192.0.2.2", 30, START_NS);
	assert_true(tick(names, START_NS, "") == START_NS + 25 * NS_PER_S);
	assert_valid(names, START_NS + 1, "a.example 192.0.2.1 25;a.example 192.0.2.2 35;");
	assert_valid(names, START_NS + 25 * NS_PER_S - 1,
		     "a.example 192.0.2.1 1;a.example 192.0.2.2 11;");
	/* whether somebody ticked or not */
	assert_valid(names, START_NS + 25 * NS_PER_S, "a.example 192.0.2.2 10;");
	assert_true(tick(names, START_NS + 25 * NS_PER_S, "") == START_NS + 35 * NS_PER_S);
	assert_int_equal(name_addresses_count(names), 1);
	assert_true(tick(names, START_NS + 35 * NS_PER_S, "") == 0);
	assert_int_equal(name_addresses_count(names), 0);
	name_addresses_free(names);
}

static void a_shorter_answer_takes_nothing_away(void **state)
{
	struct name_addresses *names = new_names();

	(void)state;
	assert_int_equal(answer(names, "a.example", "192.0.2.1", 1000, START_NS), 1005);
	assert_int_equal(answer(names, "a.example", "192.0.2.1", 1, START_NS + 5 * NS_PER_S), 1000);
	assert_int_equal(answer(names, "a.example", "192.0.2.1", 1000, START_NS + 5 * NS_PER_S),
			 1005);
	name_addresses_free(names);
}

static void names_share_an_address_each_with_its_time(void **state)
{
	struct name_addresses *names = new_names();

	(void)state;
	assert_int_equal(answer(names, "a.example", "192.0.2.1", 100, START_NS), 105);
	assert_int_equal(answer(names, "b.example", "192.0.2.1", 20, START_NS), 25);
	assert_valid(names, START_NS, "a.example 192.0.2.1 105;b.example 192.0.2.1 25;");
	(void)tick(names, START_NS + 25 * NS_PER_S, "");
	assert_valid(names, START_NS + 25 * NS_PER_S, "a.example 192.0.2.1 80;");
	name_addresses_free(names);
}

static void the_last_answer_is_kept_when_it_is_over(void **state)
{
	struct name_addresses *names = new_names();
	uint64_t now_ns = START_NS;

	(void)state;
	answer(names, "a.example", "192.0.2.1", 20, now_ns);
	answer(names, "a.example", "2001:db8::1", 20, now_ns);
	now_ns += 10 * NS_PER_S;
	answer(names, "a.example", "192.0.2.2", 20, now_ns);
	answer(names, "a.example", "192.0.2.3", 20, now_ns + NS_PER_S / 2);
	now_ns += 100 * NS_PER_S;
	(void)tick(names, now_ns, "");
	assert_int_equal(name_addresses_count(names), 0);
	assert_valid(names, now_ns, "");
	assert_kept(names, "a.example 2001:db8::1 0;a.example 192.0.2.2 0;a.example 192.0.2.3 0;");
	/* until there is another one of the same family */
	answer(names, "a.example", "192.0.2.3", 20, now_ns);
	assert_kept(names, "a.example 2001:db8::1 0;a.example 192.0.2.3 1;");
	name_addresses_free(names);
}

static void what_is_remembered_is_renewed_in_time(void **state)
{
	struct name_addresses *names = new_names();
	uint64_t now_ns = START_NS;

	(void)state;
	remember(names, "a.example", "192.0.2.1", now_ns);
	remember(names, "a.example", "192.0.2.1", now_ns);
	assert_valid(names, now_ns, "a.example 192.0.2.1 100;");
	for (int i = 0; i < 5; i++) {
		uint64_t next_ns = tick(names, now_ns, i ? "a.example 192.0.2.1 100;" : "");

		assert_true(next_ns == now_ns + 50 * NS_PER_S);
		/* before it is over in the kernel */
		assert_valid(names, next_ns, "a.example 192.0.2.1 50;");
		now_ns = next_ns;
	}
	/* an answer ends that: what it does not confirm goes */
	assert_int_equal(answer(names, "a.example", "192.0.2.2", 1, now_ns), 15);
	assert_true(tick(names, now_ns, "") == now_ns + 15 * NS_PER_S);
	assert_valid(names, now_ns + 15 * NS_PER_S, "a.example 192.0.2.1 35;");
	assert_true(tick(names, now_ns + 60 * NS_PER_S, "") == 0);
	assert_kept(names, "a.example 192.0.2.2 0;");
	/* and no more is remembered of it */
	remember(names, "a.example", "192.0.2.9", now_ns);
	assert_int_equal(name_addresses_count(names), 0);
	name_addresses_free(names);
}

static void one_name_pushes_out_only_itself(void **state)
{
	struct name_addresses *names = new_names();
	struct told told = {0};

	(void)state;
	answer(names, "good.example", "192.0.2.1", 1000, START_NS);
	for (uint32_t i = 0; i < 100000; i++) {
		struct ip_address address = nth_ip(i);

		assert_int_equal(
			name_addresses_answered(names, "bad.example", &address, 1000, START_NS + i),
			1005);
	}
	assert_int_equal(name_addresses_count(names), NAME_ADDRESSES_OF_ONE + 1);
	name_addresses_each(names, START_NS, tell, &told);
	assert_int_equal(told.count, NAME_ADDRESSES_OF_ONE + 1);
	assert_ptr_equal(strstr(told.text, "good.example 192.0.2.1 1005;"), told.text);
	/* the oldest went: 100000 - 512 = 0x1849f + 1 */
	assert_non_null(strstr(told.text, ";bad.example 11.1.132.160 "));
	assert_null(strstr(told.text, "bad.example 11.1.132.159 "));
	name_addresses_free(names);
}

static void the_name_answered_longest_ago_makes_room(void **state)
{
	struct name_addresses *names = new_names();
	struct told told = {0};
	char name[32];

	(void)state;
	answer(names, "first.example", "192.0.2.1", 1000, START_NS);
	answer(names, "second.example", "192.0.2.1", 1000, START_NS);
	for (uint32_t i = 0; i < NAME_ADDRESSES_LIMIT + 10; i++) {
		struct ip_address address = nth_ip(i % 7);

		(void)snprintf(name, sizeof(name), "n%u.example", i);
		assert_true(name_addresses_answered(names, name, &address, 1000, START_NS) > 0);
		if (i % 1000 == 0)
			answer(names, "first.example", "192.0.2.1", 1000, START_NS);
	}
	assert_int_equal(name_addresses_count(names), NAME_ADDRESSES_LIMIT);
	name_addresses_each(names, START_NS, tell, &told);
	assert_int_equal(told.count, NAME_ADDRESSES_LIMIT);
	(void)tick(names, START_NS + 2000 * NS_PER_S, "");
	assert_int_equal(name_addresses_count(names), 0);
	/* what was answered again and again stayed, the other one made room */
	assert_int_equal(answer(names, "first.example", "192.0.2.2", 0, START_NS), 15);
	(void)snprintf(name, sizeof(name), "/tmp/names-%d", getpid());
	assert_int_equal(name_addresses_save(names, name, NULL), 0);
	{
		_cleanup_(freep) char *text = NULL;
		size_t size;

		assert_int_equal(file_read(name, 8 << 20, &text, &size, NULL), 0);
		assert_non_null(strstr(text, "\nfirst.example 192.0.2.1\n"));
		assert_null(strstr(text, "\nsecond.example "));
	}
	(void)unlink(name);
	name_addresses_free(names);
}

static void remembering_pushes_nothing_out(void **state)
{
	struct name_addresses *names = new_names();

	(void)state;
	for (uint32_t i = 0; i < NAME_ADDRESSES_OF_ONE + 100; i++) {
		struct ip_address address = nth_ip(i);

		assert_int_equal(name_addresses_remember(names, "a.example", &address, START_NS),
				 0);
	}
	assert_int_equal(name_addresses_count(names), NAME_ADDRESSES_OF_ONE);
	name_addresses_free(names);
}

/* Ten thousand addresses whose time ends one by one. */
static void ticks_cost_what_is_due(void **state)
{
	struct name_addresses *names = new_names();
	uint64_t began_ns;
	uint64_t now_ns = START_NS;
	uint64_t took_ns;
	int ticks = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		struct ip_address address = nth_ip(i);
		char name[32];

		(void)snprintf(name, sizeof(name), "n%u.example", i / 4);
		(void)name_addresses_answered(names, name, &address, 10 + i * 7 % 10000, START_NS);
	}
	began_ns = clock_monotonic_ns();
	while ((now_ns = tick(names, now_ns, "")) != 0)
		ticks++;
	took_ns = clock_monotonic_ns() - began_ns;
	assert_int_equal(ticks, 10000);
	print_message("10,000 ticks of one due address each: %lu us\n",
		      (unsigned long)(took_ns / 1000));
	assert_true(took_ns < NS_PER_S);
	name_addresses_free(names);
}

static void path_of(char path[64], const char *what)
{
	(void)snprintf(path, 64, "/tmp/names-%d-%s", getpid(), what);
	(void)unlink(path);
}

static void what_was_saved_is_remembered(void **state)
{
	struct name_addresses *names = new_names();
	_cleanup_(freep) char *text = NULL;
	struct error error = {0};
	struct stat status;
	char path[64];
	size_t size;
	size_t damaged = 99;

	(void)state;
	path_of(path, "saved");
	answer(names, "b.example", "192.0.2.2", 20, START_NS);
	answer(names, "b.example", "192.0.2.10", 20, START_NS);
	answer(names, "a.example", "2001:db8::1", 1000, START_NS);
	(void)tick(names, START_NS + 100 * NS_PER_S, "");
	assert_int_equal(name_addresses_save(names, path, &error), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	assert_int_equal(file_read(path, 4096, &text, &size, NULL), 0);
	assert_int_equal(text[0], '#');
	assert_string_equal(strchr(text, '\n') + 1, "a.example 2001:db8::1\n"
						    "b.example 192.0.2.2\n"
						    "b.example 192.0.2.10\n");
	name_addresses_free(names);

	names = new_names();
	assert_int_equal(name_addresses_load(names, path, START_NS, &damaged, &error), 0);
	assert_int_equal(damaged, 0);
	assert_valid(names, START_NS,
		     "a.example 2001:db8::1 100;b.example 192.0.2.2 100;b.example 192.0.2.10 100;");
	/* a mode that somebody else chose is not kept */
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(name_addresses_save(names, path, &error), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	name_addresses_free(names);
	(void)unlink(path);
}

static void saving_aside_writes_the_same(void **state)
{
	struct name_addresses *names = new_names();
	char path[64];
	size_t damaged;
	int status;
	pid_t pid;

	(void)state;
	path_of(path, "aside");
	answer(names, "a.example", "192.0.2.1", 20, START_NS);
	pid = name_addresses_save_aside(names, path);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	name_addresses_free(names);
	names = new_names();
	assert_int_equal(name_addresses_load(names, path, START_NS, &damaged, NULL), 0);
	assert_valid(names, START_NS, "a.example 192.0.2.1 100;");
	pid = name_addresses_save_aside(names, "/tmp/no-such-directory/names");
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ENOENT);
	name_addresses_free(names);
	(void)unlink(path);
}

static void missing_is_empty_and_unreadable_names_the_place(void **state)
{
	struct name_addresses *names = new_names();
	struct error error = {0};
	size_t damaged = 99;

	(void)state;
	assert_int_equal(name_addresses_load(names, "/tmp/no-such-directory/names", START_NS,
					     &damaged, &error),
			 0);
	assert_int_equal(damaged, 0);
	assert_int_equal(name_addresses_load(names, "/tmp", START_NS, &damaged, &error), -EISDIR);
	assert_non_null(strstr(error.message, "/tmp"));
	assert_true(name_addresses_save(names, "/tmp/no-such-directory/names", &error) == -ENOENT);
	assert_non_null(strstr(error.message, "/tmp/no-such-directory/names"));
	name_addresses_free(names);
}

/* Opening one waits for whoever writes to it, perhaps for ever. */
static void a_pipe_is_not_waited_for(void **state)
{
	char directory[] = "/tmp/rtguard-names.XXXXXX";
	struct name_addresses *names = new_names();
	char path[sizeof(directory) + sizeof("/names")];
	struct error error = {0};
	struct stat status;
	size_t damaged;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/names", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(chmod(path, 0644), 0);
	(void)alarm(10);
	assert_int_equal(name_addresses_load(names, path, START_NS, &damaged, &error), -EINVAL);
	assert_non_null(strstr(error.message, path));
	assert_true(name_addresses_save(names, path, NULL) < 0);
	(void)alarm(0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	(void)unlink(path);
	(void)rmdir(directory);
	name_addresses_free(names);
}

static void damaged_lines_are_lost_and_no_others(void **state)
{
	static const char bytes[] = "# comment\n"
				    "\n"
				    "a.example 192.0.2.1\n"
				    "a.example  192.0.2.2\n"
				    "A.example 192.0.2.2\n"
				    "a.example 192.0.2\n"
				    "a.example 192.0.2.2 \n"
				    "a.example\n"
				    "192.0.2.2\n"
				    "a.example 127.0.0.1\n"
				    "a.example 0.0.0.0\n"
				    "a.example ::1\n"
				    "a.example ff02::1\n"
				    "a.example 255.255.255.255\n"
				    "a\0.example 192.0.2.2\n"
				    "b.example 192.0.2.3\n"
				    "c.example 192.0.2.4";
	struct name_addresses *names = new_names();
	size_t damaged;

	(void)state;
	assert_int_equal(name_addresses_parse(names, bytes, sizeof(bytes) - 1, START_NS, &damaged),
			 0);
	assert_int_equal(damaged, 13);
	assert_valid(names, START_NS, "a.example 192.0.2.1 100;b.example 192.0.2.3 100;");
	name_addresses_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_holds_for_its_ttl_within_bounds),
		cmocka_unit_test(times_that_are_no_times_are_bounded),
		cmocka_unit_test(what_is_over_is_gone),
		cmocka_unit_test(a_shorter_answer_takes_nothing_away),
		cmocka_unit_test(names_share_an_address_each_with_its_time),
		cmocka_unit_test(the_last_answer_is_kept_when_it_is_over),
		cmocka_unit_test(what_is_remembered_is_renewed_in_time),
		cmocka_unit_test(one_name_pushes_out_only_itself),
		cmocka_unit_test(the_name_answered_longest_ago_makes_room),
		cmocka_unit_test(remembering_pushes_nothing_out),
		cmocka_unit_test(ticks_cost_what_is_due),
		cmocka_unit_test(what_was_saved_is_remembered),
		cmocka_unit_test(saving_aside_writes_the_same),
		cmocka_unit_test(missing_is_empty_and_unreadable_names_the_place),
		cmocka_unit_test(a_pipe_is_not_waited_for),
		cmocka_unit_test(damaged_lines_are_lost_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

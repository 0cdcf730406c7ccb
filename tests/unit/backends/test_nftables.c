/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/backend.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "example_program.h"
#include "rules/render.h"

#define TABLE "inet " RENDER_PREFIX

/* Everything here is in a network namespace of its own, or not at all. */
static int enter_own_network(void **state)
{
	char before[64] = "";
	char after[64] = "";

	(void)state;
	(void)alarm(120);
	if (readlink("/proc/self/ns/net", before, sizeof(before) - 1) < 0)
		return -1;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("SKIPPED: needs a network namespace of its own (root)\n");
		exit(77);
	}
	if (readlink("/proc/self/ns/net", after, sizeof(after) - 1) < 0 ||
	    strcmp(before, after) == 0)
		return -1;
	return 0;
}

/* A fresh one for each test. */
static int begin(void **state)
{
	struct error error;
	struct backend *backend;

	if (unshare(CLONE_NEWNET) < 0 || backend_nftables.open(&backend, &error) < 0)
		return -1;
	*state = backend;
	return 0;
}

static int end(void **state)
{
	backend_nftables.close(*state);
	return 0;
}

/* What a command says; a failing one fails the test. */
static char *output_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *output_of(const char *format, ...)
{
	char command[512];
	char line[600];
	char *output = NULL;
	size_t size;
	FILE *stream = open_memstream(&output, &size);
	FILE *pipe_stream;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	(void)snprintf(line, sizeof(line), "timeout 30 %s 2>&1", command);
	pipe_stream = popen(line, "r");
	assert_non_null(pipe_stream);
	for (int c; (c = fgetc(pipe_stream)) != EOF;)
		(void)fputc(c, stream);
	(void)fclose(stream);
	if (pclose(pipe_stream) != 0)
		fail_msg("%s: %s", command, output);
	return output;
}

static void run(const char *command)
{
	free(output_of("%s", command));
}

static void apply(struct backend *backend, const struct rule_program *program)
{
	struct error error = {0};

	if (backend_nftables.apply(backend, program, &error) < 0)
		fail_msg("%s", error.message);
}

static bool listed(const char *set, const char *what)
{
	_cleanup_(freep) char *text = output_of("nft -nn list set " TABLE " %s", set);

	return strstr(text, what);
}

static struct rule_member lasting(struct rule_member member, uint32_t timeout_s)
{
	member.timeout_s = timeout_s;
	return member;
}

static void add(struct backend *backend, uint16_t set, const struct rule_member *members,
		size_t count)
{
	struct error error = {0};

	if (backend_nftables.add(backend, set, members, count, &error) < 0)
		fail_msg("%s", error.message);
}

static void take_out(struct backend *backend, uint16_t set, const struct rule_member *members,
		     size_t count)
{
	struct error error = {0};

	if (backend_nftables.remove(backend, set, members, count, &error) < 0)
		fail_msg("%s", error.message);
}

static int check(struct backend *backend, struct error *error)
{
	memset(error, 0, sizeof(*error));
	return backend_nftables.check(backend, error);
}

/* ---- whole programs ---- */

#define FOREIGN                                                                                    \
	"table inet foreign {\n"                                                                   \
	"	set peers4 {\n"                                                                          \
	"		type ipv4_addr\n"                                                                       \
	"		flags interval\n"                                                                       \
	"		elements = { 10.0.0.0/8, 192.0.2.1 }\n"                                                 \
	"	}\n"                                                                                     \
	"	chain out {\n"                                                                           \
	"		type filter hook output priority filter; policy accept;\n"                              \
	"		ip daddr @peers4 counter drop\n"                                                        \
	"	}\n"                                                                                     \
	"}\n"                                                                                      \
	"table ip rtguard {\n"                                                                     \
	"	chain OUTPUT {\n"                                                                        \
	"	}\n"                                                                                     \
	"}\n"

static char *foreign(void)
{
	_cleanup_(freep) char *first = output_of("nft -a list table inet foreign");
	_cleanup_(freep) char *second = output_of("nft -a list table ip rtguard");
	char *both = NULL;

	assert_true(asprintf(&both, "%s%s", first, second) > 0);
	return both;
}

static void test_others_tables_stay_byte_for_byte(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	_cleanup_(freep) char *before = NULL;
	_cleanup_(freep) char *whole = NULL;
	struct error error;

	run("nft '" FOREIGN "'");
	before = foreign();
	whole = output_of("nft -a list ruleset");
	for (int i = 0; i < 2; i++) {
		_cleanup_(freep) char *after = NULL;

		apply(backend, program);
		after = foreign();
		assert_string_equal(after, before);
	}
	assert_int_equal(backend_nftables.clear(&error), 0);
	/* and again, with nothing there */
	assert_int_equal(backend_nftables.clear(&error), 0);
	{
		_cleanup_(freep) char *after = output_of("nft -a list ruleset");

		assert_string_equal(after, whole);
	}
}

static void test_program_that_is_refused_changes_nothing(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	_cleanup_(rule_program_freep) struct rule_program *wrong = example_program(false);
	_cleanup_(freep) char *before = NULL;
	_cleanup_(freep) char *after = NULL;
	struct error error = {0};

	apply(backend, program);
	before = output_of("nft -a -t list ruleset");
	(void)snprintf(wrong->chains[0].name, sizeof(wrong->chains[0].name), "not a name");
	assert_true(backend_nftables.apply(backend, wrong, &error) < 0);
	if (!strstr(error.message, "not a name"))
		fail_msg("%s", error.message);
	after = output_of("nft -a -t list ruleset");
	assert_string_equal(after, before);
	assert_int_equal(check(backend, &error), 0);
}

/* Whether this kernel has a verdict for queues decides by what it holds. Either way nothing of the
 * probe, and of the pause between two transactions, stays. */
static void test_held_by_what_there_is(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(true);
	_cleanup_(freep) char *ruleset = NULL;
	_cleanup_(freep) char *tables = NULL;
	struct error error = {0};
	bool by_verdict =
		system("nft -c 'table inet t { chain c { queue num 1; }; }' 2>/dev/null") == 0;

	if (backend_nftables.probe(&error) < 0)
		fail_msg("%s", error.message);
	ruleset = output_of("nft list ruleset");
	assert_string_equal(ruleset, "");
	apply(backend, program);
	apply(backend, program);
	tables = output_of("nft list tables");
	assert_string_equal(tables, "table " TABLE "\n");
	free(ruleset);
	ruleset = output_of("nft list table " TABLE);
	if (by_verdict) {
		assert_non_null(strstr(ruleset, "queue num"));
		return;
	}
	/* nft shows the target in its own words or as a comment, and no placeholder is left */
	assert_non_null(strstr(ruleset, "chain queue-"));
	for (const char *chain = strstr(ruleset, "chain queue-"); chain;
	     chain = strstr(chain + 1, "chain queue-"))
		assert_int_not_equal(strncmp(strchr(chain, '\n'), "\n\t\tdrop", 7), 0);
	assert_int_equal(check(backend, &error), 0);
}

/* ---- members ---- */

static void test_members_come_and_go(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t names = rule_program_find_set(program, "names");
	uint16_t asking = rule_program_find_set(program, "asking");
	uint16_t resolvers = rule_program_find_set(program, "resolvers");
	struct rule_member members[] = {
		lasting(example_member("192.0.2.7", IPPROTO_TCP, 443), 100),
		lasting(example_member("192.0.2.7", IPPROTO_UDP, 0x1234), 100),
		lasting(example_member("2001:db8::7", IPPROTO_UDP, 123), 100),
		lasting(example_member("192.0.2.7", IPPROTO_TCP, 443), 50), /* twice */
	};
	struct rule_member resolver = example_member("192.0.2.99", 0, 0);
	struct rule_member port = {.port = 5000, .last_port = 5000, .timeout_s = 9};

	apply(backend, program);
	add(backend, names, members, array_length(members));
	assert_true(listed("names4", "192.0.2.7 . 6 . 443 timeout 100s"));
	assert_true(listed("names4", "192.0.2.7 . 17 . 4660 timeout 100s"));
	assert_true(listed("names6", "2001:db8::7 . 17 . 123 timeout 100s"));
	assert_true(listed("names4", "192.0.2.1 . 6 . 443"));
	take_out(backend, names, members, array_length(members));
	take_out(backend, names, members, array_length(members)); /* none there: no error */
	assert_false(listed("names4", "192.0.2.7"));
	assert_false(listed("names6", "2001:db8::7"));
	assert_true(listed("names4", "192.0.2.1 . 6 . 443"));
	add(backend, asking, &port, 1);
	assert_true(listed("asking", "5000 timeout 9s"));
	add(backend, resolvers, &resolver, 1);
	add(backend, resolvers, &resolver, 1);
	assert_true(listed("resolvers4", "192.0.2.99"));
	take_out(backend, resolvers, &resolver, 1);
	assert_false(listed("resolvers4", "192.0.2.99"));
}

/* Also on kernels that leave the time of what is there as it is. */
static void test_time_begins_anew(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t names = rule_program_find_set(program, "names");
	struct rule_member member = lasting(example_member("192.0.2.7", IPPROTO_TCP, 443), 2);

	apply(backend, program);
	add(backend, names, &member, 1);
	member.timeout_s = 500;
	add(backend, names, &member, 1);
	assert_true(listed("names4", "192.0.2.7 . 6 . 443 timeout 500s expires"));
	member.timeout_s = 1;
	add(backend, names, &member, 1);
	(void)usleep(1300000);
	assert_false(listed("names4", "192.0.2.7"));
	/* that ran out, and is there once more */
	add(backend, names, &member, 1);
	assert_true(listed("names4", "192.0.2.7 . 6 . 443 timeout 1s"));
}

static void test_prefixes_join_and_part(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t lan = rule_program_find_set(program, "lan");
	uint16_t peers = rule_program_find_set(program, "peers");
	uint16_t listen = rule_program_find_set(program, "listen-tcp");
	struct rule_member inner = example_member("10.1.0.0/16", 0, 0);
	struct rule_member outer = example_member("10.0.0.0/8", 0, 0);
	struct rule_member top = example_member("128.0.0.0/1", 0, 0);
	struct rule_member six = example_member("2001:db8:2::/48", 0, 0);
	struct rule_member peer = example_member("198.51.100.128/25", IPPROTO_UDP, 123);
	struct rule_member other = example_member("198.51.100.128/25", IPPROTO_TCP, 123);
	struct rule_member ports = {.port = 8005, .last_port = 65535};

	apply(backend, program);
	add(backend, lan, &inner, 1);
	assert_true(listed("lan4", "10.0.0.0/8"));
	take_out(backend, lan, &outer, 1);
	assert_false(listed("lan4", "10.0.0.0/8"));
	assert_true(listed("lan4", "10.1.0.0/16"));
	add(backend, lan, &top, 1);
	add(backend, lan, &six, 1);
	assert_true(listed("lan4", "128.0.0.0/1"));
	assert_false(listed("lan4", "203.0.113.7"));
	assert_true(listed("lan6", "2001:db8:2::/48"));
	assert_true(listed("lan6", "fe80::/10"));
	add(backend, peers, &peer, 1);
	add(backend, peers, &other, 1);
	assert_true(listed("peers4", "198.51.100.128/25 . 6 . 123"));
	assert_true(listed("peers4", "198.51.100.0/24 . 17 . 123"));
	add(backend, listen, &ports, 1);
	assert_true(listed("listen-tcp", "8000-65535"));
	take_out(backend, listen, &ports, 1);
	assert_true(listed("listen-tcp", "8000-8010"));
}

static void test_full_set_says_so(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t names = rule_program_find_set(program, "names");
	struct rule_member first = lasting(example_member("192.0.2.1", IPPROTO_TCP, 443), 60);
	struct rule_member one_more = lasting(example_member("192.0.2.7", IPPROTO_TCP, 443), 60);
	size_t count = render_set_room(&program->sets[names]);
	struct rule_member *many = calloc(count, sizeof(*many));
	struct error error = {0};

	assert_non_null(many);
	apply(backend, program);
	for (size_t i = 0; i < count; i++) {
		many[i] = lasting(example_member("198.18.0.0", IPPROTO_TCP, 443), 600);
		many[i].address.bytes[2] = (uint8_t)(i >> 8);
		many[i].address.bytes[3] = (uint8_t)i;
	}
	add(backend, names, many, count - 1);
	assert_int_equal(backend_nftables.add(backend, names, &one_more, 1, &error), -ENOSPC);
	assert_non_null(strstr(error.message, "names is full"));
	/* what is there can be renewed all the same */
	add(backend, names, &first, 1);
	take_out(backend, names, many, 1);
	add(backend, names, &one_more, 1);
	free(many);
}

/* ---- packets ---- */

static void bring_up_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

/* Out, to a set with a time, on every packet; the rest is counted and refused. */
static struct rule_program *strict_program(void)
{
	struct rule_program *program = rule_program_new();
	struct rule_set *set = rule_program_add_set(program);
	struct rule_chain *chain = rule_program_add_chain(program);
	struct rule *rule;

	assert_non_null(set);
	assert_non_null(chain);
	(void)snprintf(set->name, sizeof(set->name), "names");
	set->kind = SET_ADDRESS_PORT;
	set->families = RULE_BOTH_FAMILIES;
	set->has_timeouts = true;
	(void)snprintf(chain->name, sizeof(chain->name), "out");
	chain->hook = HOOK_OUT;
	rule = rule_chain_add_rule(chain);
	rule->verdict = RULE_PERMIT;
	rule->match.lookups[0] = (struct rule_lookup){0, SIDE_REMOTE, false};
	rule_chain_add_rule(chain)->verdict = RULE_DROP;
	return program;
}

static bool passes(int fd, const struct sockaddr_in *to)
{
	return sendto(fd, "x", 1, 0, (const struct sockaddr *)to, sizeof(*to)) == 1;
}

/* Renewed over and over while packets are looked up: no packet may find it away. */
static void test_renewing_loses_no_packet(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = strict_program();
	struct rule_member member = lasting(example_member("127.0.0.1", IPPROTO_UDP, 4000), 60);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(4000),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	_cleanup_(closep) int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct backend_counts counts;
	struct error error;
	int pipes[2];
	pid_t sender;
	unsigned int lost = 1;
	unsigned int sent = 0;

	bring_up_loopback();
	/* or there are errors, which are refused and counted */
	assert_int_equal(bind(receiver, (const struct sockaddr *)&to, sizeof(to)), 0);
	apply(backend, program);
	assert_false(passes(fd, &to));
	add(backend, 0, &member, 1);
	assert_true(passes(fd, &to));
	assert_int_equal(pipe(pipes), 0);
	sender = fork();
	assert_true(sender >= 0);
	if (sender == 0) {
		unsigned int figures[2] = {0, 0};
		uint64_t until = clock_monotonic_ns() + UINT64_C(1500000000);

		while (clock_monotonic_ns() < until) {
			figures[0] += !passes(fd, &to);
			figures[1]++;
		}
		_exit(write(pipes[1], figures, sizeof(figures)) == sizeof(figures) ? 0 : 1);
	}
	for (int i = 0; i < 3000; i++)
		add(backend, 0, &member, 1);
	assert_int_equal(read(pipes[0], &lost, sizeof(lost)), sizeof(lost));
	assert_int_equal(read(pipes[0], &sent, sizeof(sent)), sizeof(sent));
	assert_true(sent > 1000);
	assert_int_equal(lost, 0);
	assert_int_equal(backend_nftables.counts(backend, &counts, &error), 0);
	assert_int_equal(counts.refused_out, 1);
	assert_int_equal(counts.refused_in, 0);
	assert_int_equal(counts.refused_forward, 0);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

/* ---- whether it is still as it was ---- */

static void expect_change(struct backend *backend, const char *command, const char *part)
{
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	struct error error;

	apply(backend, program);
	assert_int_equal(check(backend, &error), 0);
	run(command);
	assert_int_equal(check(backend, &error), -ESTALE);
	if (!strstr(error.message, part))
		fail_msg("'%s' says nothing of '%s'", error.message, part);
	/* and again, until it is put right */
	assert_int_equal(check(backend, &error), -ESTALE);
}

static void test_what_others_change_is_found(void **state)
{
	struct backend *backend = *state;
	struct error error;

	assert_int_equal(check(backend, &error), -ESTALE);
	expect_change(backend, "nft flush chain " TABLE " refuse-in", "its rules");
	expect_change(backend, "nft insert rule " TABLE " out accept", "its rules");
	expect_change(backend, "nft delete table " TABLE, "taken away");
	expect_change(backend, "nft flush ruleset", "taken away");
	expect_change(backend, "nft 'add table " TABLE " { flags dormant; }'", "its table");
	expect_change(backend, "nft add chain " TABLE " more", "its chains");
	expect_change(backend, "nft 'add chain " TABLE " in { policy drop; }'", "its chains");
	expect_change(backend, "nft 'add set " TABLE " more { type mark; }'", "its sets");
	expect_change(backend, "nft 'add element " TABLE " resolvers4 { 192.0.2.66 }'",
		      "members of sets");
	expect_change(backend, "nft flush set " TABLE " peers6", "members of sets");
	expect_change(backend,
		      "nft 'flush set " TABLE " resolvers4; "
		      "add element " TABLE " resolvers4 { 192.0.2.66 }'",
		      "members of sets");
}

static void test_own_changes_are_none(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t lan = rule_program_find_set(program, "lan");
	uint16_t names = rule_program_find_set(program, "names");
	struct rule_member prefix = example_member("172.16.0.0/12", 0, 0);
	struct rule_member member = lasting(example_member("192.0.2.7", IPPROTO_TCP, 443), 2);
	struct error error;

	apply(backend, program);
	add(backend, names, &member, 1);
	assert_int_equal(check(backend, &error), 0);
	add(backend, lan, &prefix, 1);
	assert_int_equal(check(backend, &error), 0);
	/* somebody works on tables of his own, before and after changes of ours */
	run("nft add table ip foreign");
	assert_int_equal(check(backend, &error), 0);
	run("nft delete table ip foreign");
	add(backend, names, &member, 1);
	take_out(backend, lan, &prefix, 1);
	assert_int_equal(check(backend, &error), 0);
	/* a change to ours is no less one when we change something after it */
	run("nft flush chain " TABLE " refuse-in");
	add(backend, lan, &prefix, 1);
	assert_int_equal(check(backend, &error), -ESTALE);
}

/* The kernel counts no transaction that changes nothing: ours must not stand for another's. */
static void test_change_after_one_that_was_none(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t resolvers = rule_program_find_set(program, "resolvers");
	struct rule_member there = example_member("192.0.2.53", 0, 0);
	struct error error;

	apply(backend, program);
	add(backend, resolvers, &there, 1);
	run("nft flush chain " TABLE " refuse-in");
	assert_int_equal(check(backend, &error), -ESTALE);
}

/* ---- which backend ---- */

static void test_choosing(void **state)
{
	const struct backend_type *type = NULL;
	struct error error = {0};

	(void)state;
	assert_int_equal(backend_choose("netmap", &type, &error), -EINVAL);
	assert_non_null(strstr(error.message, "nftables"));
	assert_null(type);
	assert_int_equal(backend_clear_all(&error), 0);
}

/* ---- how long it takes ---- */

static int compare_ns(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void test_ten_thousand_members(void **state)
{
	struct backend *backend = *state;
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t names = rule_program_find_set(program, "names");
	uint16_t resolvers = rule_program_find_set(program, "resolvers");
	struct rule_member member;
	uint64_t times[1000];
	uint64_t began;
	struct error error;

	for (unsigned int i = 0; i < 10000; i++) {
		member = lasting(example_member("10.0.0.0", IPPROTO_TCP, 443), 3600);
		member.address.bytes[2] = (uint8_t)(i >> 8);
		member.address.bytes[3] = (uint8_t)i;
		assert_int_equal(rule_set_add(&program->sets[names], &member), 0);
	}
	for (unsigned int i = 0; i < 10000; i++) {
		member = example_member("10.0.0.0", 0, 0);
		member.address.bytes[2] = (uint8_t)(i >> 8);
		member.address.bytes[3] = (uint8_t)i;
		assert_int_equal(rule_set_add(&program->sets[resolvers], &member), 0);
	}
	rule_set_sort(&program->sets[names]);
	rule_set_sort(&program->sets[resolvers]);
	for (int i = 0; i < 2; i++) {
		began = clock_monotonic_ns();
		apply(backend, program);
		print_message("20,000 members applied in %.1f ms\n",
			      (double)(clock_monotonic_ns() - began) / 1e6);
	}
	for (size_t i = 0; i < array_length(times); i++) {
		member = lasting(example_member("192.0.2.0", IPPROTO_TCP, (uint16_t)i), 60);
		began = clock_monotonic_ns();
		add(backend, names, &member, 1);
		times[i] = clock_monotonic_ns() - began;
	}
	qsort(times, array_length(times), sizeof(*times), compare_ns);
	print_message("added and acknowledged: p50 %.0f us, p99 %.0f us\n",
		      (double)times[array_length(times) / 2] / 1e3,
		      (double)times[array_length(times) * 99 / 100] / 1e3);
	began = clock_monotonic_ns();
	assert_int_equal(check(backend, &error), 0);
	print_message("checked in %.0f us\n", (double)(clock_monotonic_ns() - began) / 1e3);
	run("nft add table ip foreign");
	began = clock_monotonic_ns();
	assert_int_equal(check(backend, &error), 0);
	print_message("checked after others' changes in %.0f us\n",
		      (double)(clock_monotonic_ns() - began) / 1e3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_others_tables_stay_byte_for_byte, begin, end),
		cmocka_unit_test_setup_teardown(test_program_that_is_refused_changes_nothing, begin,
						end),
		cmocka_unit_test_setup_teardown(test_held_by_what_there_is, begin, end),
		cmocka_unit_test_setup_teardown(test_members_come_and_go, begin, end),
		cmocka_unit_test_setup_teardown(test_time_begins_anew, begin, end),
		cmocka_unit_test_setup_teardown(test_prefixes_join_and_part, begin, end),
		cmocka_unit_test_setup_teardown(test_full_set_says_so, begin, end),
		cmocka_unit_test_setup_teardown(test_renewing_loses_no_packet, begin, end),
		cmocka_unit_test_setup_teardown(test_what_others_change_is_found, begin, end),
		cmocka_unit_test_setup_teardown(test_own_changes_are_none, begin, end),
		cmocka_unit_test_setup_teardown(test_change_after_one_that_was_none, begin, end),
		cmocka_unit_test_setup_teardown(test_choosing, begin, end),
		cmocka_unit_test_setup_teardown(test_ten_thousand_members, begin, end),
	};

	return cmocka_run_group_tests(tests, enter_own_network, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "gate/resolver_files.h"
#include "gate/surroundings.h"
#include "own_network.h"

struct scene {
	struct loop *loop;
	struct surroundings *surroundings;
	unsigned int changes;
	uint64_t changed_ns;
};

static void on_change(void *context)
{
	struct scene *scene = context;

	scene->changes++;
	scene->changed_ns = clock_boottime_ns();
}

static void on_end(void *context)
{
	loop_stop(context, 0);
}

static void run_for(struct scene *scene, uint64_t ms)
{
	struct loop_source *timer;

	assert_int_equal(loop_add_timer(scene->loop, ms * NS_PER_MS, on_end, scene->loop, &timer),
			 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_remove(timer);
}

static void begin(struct scene *scene)
{
	struct error error = {0};

	*scene = (struct scene){0};
	assert_int_equal(loop_new(&scene->loop), 0);
	if (surroundings_new(scene->loop, on_change, scene, &scene->surroundings, &error) < 0)
		fail_msg("%s", error.message);
}

static void end(struct scene *scene)
{
	surroundings_free(scene->surroundings);
	loop_free(scene->loop);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

static void add_text(char text[1000], const struct ip_address *address, const char *behind)
{
	char one[IP_TEXT_SIZE];
	size_t length = strlen(text);

	ip_format(address, one);
	(void)snprintf(text + length, 1000 - length, "%s%s%s", length ? " " : "", one, behind);
}

static void assert_addresses(const struct ip_address *items, size_t count, const char *expected)
{
	char text[1000] = "";

	for (size_t i = 0; i < count; i++)
		add_text(text, &items[i], "");
	assert_string_equal(text, expected);
}

static void assert_resolvers(const struct scene *scene, const char *expected)
{
	const struct rules_surroundings *now = surroundings_now(scene->surroundings);

	assert_true(now->known);
	assert_addresses(now->resolvers, now->resolver_count, expected);
}

static void assert_gateways(const struct scene *scene, const char *expected)
{
	const struct rules_surroundings *now = surroundings_now(scene->surroundings);

	assert_addresses(now->gateways, now->gateway_count, expected);
}

static void assert_on_link(const struct scene *scene, const char *expected)
{
	const struct rules_surroundings *now = surroundings_now(scene->surroundings);
	char text[1000] = "";

	for (size_t i = 0; i < now->on_link_count; i++) {
		char length[8];

		(void)snprintf(length, sizeof(length), "/%u", now->on_link[i].prefix_length);
		add_text(text, &now->on_link[i].address, length);
	}
	assert_string_equal(text, expected);
}

static void assert_own(const struct scene *scene, const char *text, bool expected)
{
	struct ip_address address;

	assert_int_equal(ip_parse(text, &address), 0);
	if (surroundings_is_own(scene->surroundings, &address) != expected)
		fail_msg("%s is %s", text, expected ? "not own" : "own");
}

static void name_servers_are_read_as_libc_reads_them(void **state)
{
	static const char bytes[] = "# nameserver 192.0.2.1\n"
				    "; nameserver 192.0.2.1\n"
				    " nameserver 192.0.2.2\n"
				    "nameserver192.0.2.3\n"
				    "nameservers 192.0.2.3\n"
				    "nameserver\n"
				    "nameserver \n"
				    "search nameserver 192.0.2.4\n"
				    "nameserver 0.0.0.0\n"
				    "nameserver 224.0.0.251\n"
				    "nameserver 192.0.2.5.6\n"
				    "nameserver 192.0.2.7\0\n"
				    "nameserver 192.0.2.200\n"
				    "nameserver\t192.0.2.100 # ours\r\n"
				    "nameserver 192.0.2.200\r\n"
				    "nameserver  fe80::1%eth0\n"
				    "nameserver 127.0.0.53\n"
				    "nameserver 2001:db8::53";
	struct resolver_list list = {0};

	(void)state;
	resolver_file_parse(bytes, sizeof(bytes) - 1, &list);
	assert_addresses(list.items, list.count,
			 "127.0.0.53 192.0.2.100 192.0.2.200 2001:db8::53 fe80::1");
}

static void a_file_of_many_is_bounded(void **state)
{
	struct resolver_list list = {0};
	char line[64];

	(void)state;
	for (int i = 1000; i > 0; i--) {
		(void)snprintf(line, sizeof(line), "nameserver 10.0.%d.%d\n", i / 256, i % 256);
		resolver_file_parse(line, strlen(line), &list);
	}
	assert_int_equal(list.count, RESOLVERS_MAX);
}

static void alone_there_is_nothing(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	assert_resolvers(&scene, "");
	assert_gateways(&scene, "");
	assert_on_link(&scene, "");
	assert_own(&scene, "127.0.0.1", true);
	assert_own(&scene, "127.9.9.9", true);
	assert_own(&scene, "::1", true);
	assert_own(&scene, "192.168.7.2", false);
	end(&scene);
}

static void add_link(const char *name)
{
	own_network_run("ip link add %s type veth peer name %sp", name, name);
	own_network_run("ip link set %s up && ip link set %sp up", name, name);
}

static int remove_links(void **state)
{
	(void)state;
	own_network_run("ip -o link | sed -n 's/^[0-9]*: \\([a-z0-9]*\\)[@:].*/\\1/p' | grep -v "
			"-e lo -e p$ | while read l; do ip link del $l; done");
	return 0;
}

static void routes_and_addresses_tell_the_network(void **state)
{
	struct scene scene;

	(void)state;
	add_link("one");
	own_network_run("ip addr add 192.168.7.2/24 dev one");
	own_network_run("ip addr add 203.0.113.5/24 dev one");
	own_network_run("ip addr add 203.0.113.70/26 dev one");
	own_network_run("ip addr add 198.18.0.1/4 dev one");
	own_network_run("ip addr add 2001:db8:1::5/64 dev one nodad");
	own_network_run("ip route add default via 192.168.7.1");
	own_network_run("ip route add default metric 100 nexthop via 192.168.7.3 dev one nexthop "
			"via 192.168.7.4 dev one");
	own_network_run("ip route add default metric 7 via inet6 fe80::9 dev one");
	own_network_run("ip route add default table 100 via 192.168.7.99");
	own_network_run("ip route add 11.0.0.0/8 via 192.168.7.98");
	own_network_run("ip route add 12.0.0.0/8 dev one");
	own_network_run("ip -6 route add default via fe80::1 dev one");
	own_network_run("ip -6 route add 2001:db8:5::/64 dev one proto ra");
	own_network_run("ip -6 route add 2001:db8:6::/64 dev one proto static");
	own_network_run("ip -6 route add 2001:db8:7::/64 via fe80::1 dev one proto ra");
	own_network_run("ip -6 route add 2000::/3 dev one proto ra");
	begin(&scene);
	assert_gateways(&scene, "192.168.7.1 192.168.7.3 192.168.7.4 fe80::1 fe80::9");
	assert_on_link(&scene, "203.0.113.0/24 2001:db8:1::/64 2001:db8:5::/64");
	assert_own(&scene, "192.168.7.2", true);
	assert_own(&scene, "203.0.113.5", true);
	assert_own(&scene, "203.0.113.70", true);
	assert_own(&scene, "2001:db8:1::5", true);
	assert_own(&scene, "192.168.7.1", false);
	assert_own(&scene, "2001:db8:1::6", false);
	end(&scene);
}

static void the_other_end_of_a_tunnel_is_no_neighbour(void **state)
{
	struct scene scene;

	(void)state;
	if (system("ip tuntap add tun9 mode tun") != 0) {
		print_message("this kernel has no tun devices\n");
		skip();
	}
	own_network_run("ip link set tun9 up");
	own_network_run("ip addr add 198.51.100.1/24 dev tun9");
	own_network_run("ip addr add 198.51.101.1 peer 198.51.102.1/24 dev tun9");
	begin(&scene);
	assert_on_link(&scene, "");
	assert_own(&scene, "198.51.100.1", true);
	assert_own(&scene, "198.51.101.1", true);
	assert_own(&scene, "198.51.102.1", false);
	end(&scene);
}

static void changes_of_the_network_are_told_once_they_are_over(void **state)
{
	struct scene scene;
	uint64_t last_ns;

	(void)state;
	add_link("one");
	begin(&scene);
	run_for(&scene, 500);
	assert_int_equal(scene.changes, 0);
	own_network_run("ip addr add 203.0.113.5/24 dev one");
	run_for(&scene, 100);
	own_network_run("ip route add default via 203.0.113.1");
	last_ns = clock_boottime_ns();
	run_for(&scene, 700);
	assert_int_equal(scene.changes, 1);
	assert_true(scene.changed_ns - last_ns >= 180 * NS_PER_MS);
	assert_gateways(&scene, "203.0.113.1");
	assert_on_link(&scene, "203.0.113.0/24");
	assert_own(&scene, "203.0.113.5", true);
	/* what makes no difference is not told */
	own_network_run("ip route add 11.0.0.0/8 via 203.0.113.1");
	own_network_run("ip addr add 10.9.9.9/24 dev one");
	run_for(&scene, 600);
	assert_int_equal(scene.changes, 1);
	assert_own(&scene, "10.9.9.9", true);
	own_network_run("ip link set one down");
	run_for(&scene, 600);
	assert_int_equal(scene.changes, 2);
	assert_gateways(&scene, "");
	end(&scene);
}

static void unending_changes_are_told_all_the_same(void **state)
{
	struct scene scene;

	(void)state;
	add_link("one");
	begin(&scene);
	own_network_run("ip addr add 203.0.113.5/24 dev one");
	for (int i = 0; i < 30 && scene.changes == 0; i++) {
		own_network_run("ip route replace 11.0.0.0/8 dev one metric %d", i);
		run_for(&scene, 100);
	}
	assert_int_equal(scene.changes, 1);
	end(&scene);
}

static void resolvers_are_followed_wherever_they_are_written(void **state)
{
	struct scene scene;

	(void)state;
	write_file("/etc/resolv.conf", "nameserver 192.0.2.1\n");
	begin(&scene);
	assert_resolvers(&scene, "192.0.2.1");
	/* written anew */
	write_file("/etc/resolv.conf", "nameserver 192.0.2.2\n");
	run_for(&scene, 600);
	assert_int_equal(scene.changes, 1);
	assert_resolvers(&scene, "192.0.2.2");
	/* replaced */
	write_file("/etc/resolv.conf.new", "nameserver 192.0.2.3\n");
	assert_int_equal(rename("/etc/resolv.conf.new", "/etc/resolv.conf"), 0);
	run_for(&scene, 600);
	assert_int_equal(scene.changes, 2);
	assert_resolvers(&scene, "192.0.2.3");
	/* a local resolver comes, directories and all */
	assert_int_equal(mkdir("/run/systemd", 0755), 0);
	run_for(&scene, 400);
	assert_int_equal(mkdir("/run/systemd/resolve", 0755), 0);
	write_file("/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.4\n");
	run_for(&scene, 600);
	assert_resolvers(&scene, "192.0.2.3 192.0.2.4");
	/* and takes the usual place, with a file that no table knows */
	write_file("/run/other", "nameserver 127.0.0.53\n");
	assert_int_equal(symlink("/run/other", "/etc/resolv.conf.new"), 0);
	assert_int_equal(rename("/etc/resolv.conf.new", "/etc/resolv.conf"), 0);
	run_for(&scene, 600);
	assert_resolvers(&scene, "127.0.0.53 192.0.2.4");
	write_file("/run/other.new", "nameserver 192.0.2.5\n");
	assert_int_equal(rename("/run/other.new", "/run/other"), 0);
	run_for(&scene, 600);
	assert_resolvers(&scene, "192.0.2.4 192.0.2.5");
	/* and goes */
	own_network_run("rm -r /run/systemd");
	run_for(&scene, 600);
	assert_resolvers(&scene, "192.0.2.5");
	assert_int_equal(unlink("/etc/resolv.conf"), 0);
	run_for(&scene, 600);
	assert_resolvers(&scene, "");
	end(&scene);
}

static void files_of_others_are_no_change(void **state)
{
	struct string_list names = {0};
	int fd = resolver_files_watch(&names);

	(void)state;
	assert_true(fd >= 0);
	write_file("/tmp/something", "of others\n");
	write_file("/run/something", "of others\n");
	assert_false(resolver_files_changed(fd, &names));
	assert_int_equal(mkdir("/tmp/resolv.conf.d", 0755), 0);
	assert_true(resolver_files_changed(fd, &names));
	assert_int_equal(rmdir("/tmp/resolv.conf.d"), 0);
	close(fd);
	string_list_free(&names);
	/* a link to a link, in a directory that is watched */
	assert_int_equal(symlink("/tmp/something", "/run/middle"), 0);
	assert_int_equal(symlink("../run/middle", "/etc/resolv.conf"), 0);
	fd = resolver_files_watch(&names);
	assert_true(fd >= 0);
	write_file("/run/more", "of others\n");
	assert_false(resolver_files_changed(fd, &names));
	assert_int_equal(rename("/run/more", "/run/middle"), 0);
	assert_true(resolver_files_changed(fd, &names));
	close(fd);
	string_list_free(&names);
	assert_int_equal(unlink("/etc/resolv.conf"), 0);
}

static void a_pipe_holds_nobody_up(void **state)
{
	struct resolver_list list;

	(void)state;
	assert_int_equal(mkfifo("/etc/resolv.conf", 0644), 0);
	resolver_files_read(&list);
	assert_int_equal(list.count, 0);
	assert_int_equal(unlink("/etc/resolv.conf"), 0);
}

static void what_anybody_could_make_is_not_believed(void **state)
{
	static const char directory[] = "/tmp/resolv.conf.d";
	static const char path[] = "/tmp/resolv.conf.d/resolv.conf.auto";
	struct resolver_list list;

	(void)state;
	assert_int_equal(mkdir(directory, 0755), 0);
	write_file(path, "nameserver 192.0.2.1\n");
	resolver_files_read(&list);
	assert_addresses(list.items, list.count, "192.0.2.1");
	assert_int_equal(chown(directory, 1000, 0), 0);
	resolver_files_read(&list);
	assert_int_equal(list.count, 0);
	assert_int_equal(chown(directory, 0, 0), 0);
	assert_int_equal(chown(path, 1000, 0), 0);
	resolver_files_read(&list);
	assert_int_equal(list.count, 0);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(directory, 01777), 0);
	resolver_files_read(&list);
	assert_int_equal(list.count, 0);
	/* a way to a directory of root's */
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(rename(directory, "/tmp/other"), 0);
	assert_int_equal(symlink("/tmp/other", directory), 0);
	resolver_files_read(&list);
	assert_int_equal(list.count, 0);
	assert_int_equal(unlink(directory), 0);
}

/* Empty directories in place of the machine's, for this process alone. */
static bool own_files_enter(void)
{
	static const char *const places[] = {"/etc", "/run", "/tmp"};

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("needs a mount namespace of its own: %s\n", strerror(errno));
		return false;
	}
	for (size_t i = 0; i < array_length(places); i++)
		if (mount("own", places[i], "tmpfs", 0, "size=1m") < 0) {
			print_message("needs to mount a tmpfs: %s\n", strerror(errno));
			return false;
		}
	return true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_servers_are_read_as_libc_reads_them),
		cmocka_unit_test(a_file_of_many_is_bounded),
		cmocka_unit_test(alone_there_is_nothing),
		cmocka_unit_test_teardown(routes_and_addresses_tell_the_network, remove_links),
		cmocka_unit_test_teardown(the_other_end_of_a_tunnel_is_no_neighbour, remove_links),
		cmocka_unit_test_teardown(changes_of_the_network_are_told_once_they_are_over,
					  remove_links),
		cmocka_unit_test_teardown(unending_changes_are_told_all_the_same, remove_links),
		cmocka_unit_test(resolvers_are_followed_wherever_they_are_written),
		cmocka_unit_test(files_of_others_are_no_change),
		cmocka_unit_test(a_pipe_holds_nobody_up),
		cmocka_unit_test(what_anybody_could_make_is_not_believed),
	};

	if (!own_network_enter() || !own_files_enter())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

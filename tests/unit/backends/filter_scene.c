/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter_scene.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"

/* ---- the namespace ---- */

/* The namespace that the tests are in is told from the one they began in by its link. */
static bool own_namespace(const char *change)
{
	static char began[64];
	char now[64] = "";

	if (readlink("/proc/self/ns/net", now, sizeof(now) - 1) < 0)
		return false;
	if (strcmp(change, "begin") == 0)
		memcpy(began, now, sizeof(began));
	return began[0] && strcmp(began, now) != 0;
}

static bool has_tools(void)
{
	static const char *const tools[] = {"iptables-legacy", "ip6tables-legacy", "ipset", "ip"};
	char command[128];

	for (size_t i = 0; i < array_length(tools); i++) {
		(void)snprintf(command, sizeof(command), "command -v %s >/dev/null", tools[i]);
		if (system(command) != 0) {
			print_message("needs %s\n", tools[i]);
			return false;
		}
	}
	return true;
}

bool filter_scene_enter(void)
{
	(void)own_namespace("begin");
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 || !own_namespace("check")) {
		print_message("needs root for a network namespace of its own: %s\n",
			      geteuid() ? "not root" : strerror(errno));
		return false;
	}
	if (!has_tools() || system("ip link set lo up") != 0 ||
	    system("iptables-legacy -S >/dev/null && ip6tables-legacy -S >/dev/null") != 0) {
		print_message("needs legacy iptables in the kernel\n");
		return false;
	}
	return true;
}

void filter_scene_require(void)
{
	if (own_namespace("check"))
		return;
	print_message("SKIPPED: no network namespace of its own with legacy iptables\n");
	skip();
}

void filter_scene_run(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	if (!own_namespace("check"))
		fail_msg("not in a namespace of its own");
	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

char *filter_scene_output(const char *format, ...)
{
	char command[1024];
	char line[1024];
	struct text text = {0};
	char *output;
	va_list arguments;
	FILE *pipe;

	if (!own_namespace("check"))
		fail_msg("not in a namespace of its own");
	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		text_append(&text, line);
	if (pclose(pipe) != 0)
		fail_msg("failed: %s", command);
	assert_int_equal(text_finish(&text, &output), 0);
	return output;
}

char *filter_scene_tables(void)
{
	return filter_scene_output("for save in iptables-legacy-save ip6tables-legacy-save; do "
				   "$save -c || exit 1; done | sed /^#/d");
}

void filter_scene_clear(void)
{
	filter_scene_run("for tables in iptables-legacy ip6tables-legacy; do for do in F X Z; do "
			 "$tables -$do || exit 1; done; done; ipset destroy");
}

void filter_scene_furnish(void)
{
	filter_scene_run(
		"ipset create others hash:ip && ipset add others 192.0.2.77 && "
		"printf '*filter\\n:INPUT ACCEPT [7:700]\\n:FORWARD DROP [1:2]\\n"
		":OUTPUT ACCEPT [3:4]\\n:theirs - [0:0]\\n"
		"[11:1100] -A INPUT -p tcp -m tcp --dport 22 -j theirs\\n"
		"[5:500] -A FORWARD -i nowhere+ -j ACCEPT\\n"
		"[6:600] -A OUTPUT -p icmp -j theirs\\n"
		"[8:800] -A OUTPUT -m set --match-set others dst -j DROP\\n"
		"[9:900] -A theirs -m limit --limit 3/min -m comment --comment \"a b\" -j LOG\\n"
		"COMMIT\\n' | iptables-legacy-restore -c && "
		"printf '*filter\\n:INPUT ACCEPT [7:700]\\n:FORWARD DROP [1:2]\\n"
		":OUTPUT ACCEPT [3:4]\\n:theirs - [0:0]\\n"
		"[11:1100] -A INPUT -p tcp -m tcp --dport 22 -j theirs\\n"
		"[6:600] -A OUTPUT -p ipv6-icmp -j theirs\\n[9:900] -A theirs -j DROP\\n"
		"COMMIT\\n' | ip6tables-legacy-restore -c");
}

bool filter_scene_send(const char *address, uint16_t port)
{
	struct ip_address to;
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	_cleanup_(closep) int fd = -1;
	ssize_t sent;

	assert_int_equal(ip_parse(address, &to), 0);
	fd = socket(to.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (to.family == 4) {
		memcpy(&v4.sin_addr, to.bytes, sizeof(v4.sin_addr));
		sent = sendto(fd, "x", 1, 0, (struct sockaddr *)&v4, sizeof(v4));
	} else {
		memcpy(&v6.sin6_addr, to.bytes, sizeof(v6.sin6_addr));
		sent = sendto(fd, "x", 1, 0, (struct sockaddr *)&v6, sizeof(v6));
	}
	if (sent < 0)
		assert_int_equal(errno, EPERM);
	return sent == 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dns_scene.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

enum { ANSWER_MAX = 32768, CONNECTIONS_MAX = 8 };

static struct {
	pid_t resolver;
	unsigned int *questions; /* shared with it */
} scene;

static bool __attribute__((format(printf, 1, 0))) try_command(const char *format, va_list arguments)
{
	char command[4096];

	(void)vsnprintf(command, sizeof(command), format, arguments);
	return system(command) == 0;
}

bool scene_try(const char *format, ...)
{
	va_list arguments;
	bool succeeded;

	va_start(arguments, format);
	succeeded = try_command(format, arguments);
	va_end(arguments);
	return succeeded;
}

void scene_run(const char *format, ...)
{
	va_list arguments;
	bool succeeded;

	va_start(arguments, format);
	succeeded = try_command(format, arguments);
	va_end(arguments);
	if (!succeeded)
		fail_msg("failed: %s", format);
}

socklen_t scene_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		return sizeof(*ipv4);
	}
	(void)inet_pton(AF_INET6, text, &ipv6->sin6_addr);
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	return sizeof(*ipv6);
}

/* ---- the resolver ---- */

static void put_16(uint8_t *message, size_t *at, unsigned int number)
{
	message[(*at)++] = (uint8_t)(number >> 8);
	message[(*at)++] = (uint8_t)number;
}

static size_t make_answer(const uint8_t *question, size_t size, bool over_tcp, uint8_t *answer)
{
	static const uint8_t address[16] = {0x20, 1, 0xd, 0xb8, 0, 9, [15] = 9};
	static const uint8_t address_4[4] = {203, 0, 113, 9};
	bool is_big = size > 16 && memcmp(question + 13, "big", 3) == 0;
	unsigned int records = is_big ? (over_tcp ? SCENE_BIG : 0) : 1;
	size_t at = NS_HFIXEDSZ;
	unsigned int type;

	while (at < size && question[at])
		at += question[at] + 1U;
	if (at + 5 > size)
		return 0;
	at += 5;
	type = question[at - 3];
	memcpy(answer, question, at);
	answer[2] = is_big && !over_tcp ? 0x83 : 0x81;
	answer[3] = 0x80;
	answer[6] = (uint8_t)(records >> 8);
	answer[7] = (uint8_t)records;
	memset(answer + 8, 0, 4);
	for (unsigned int i = 0; i < records; i++) {
		put_16(answer, &at, 0xc00c);
		put_16(answer, &at, type);
		put_16(answer, &at, ns_c_in);
		put_16(answer, &at, 0);
		put_16(answer, &at, 60);
		put_16(answer, &at, type == ns_t_a ? 4 : 16);
		memcpy(answer + at, type == ns_t_a ? address_4 : address, type == ns_t_a ? 4 : 16);
		at += type == ns_t_a ? 4 : 16;
		/* all different */
		answer[at - 3] = (uint8_t)(answer[at - 3] + i / 200);
		answer[at - 1] = (uint8_t)(answer[at - 1] + i % 200);
	}
	return at;
}

static void answer_datagram(int fd)
{
	uint8_t question[NS_PACKETSZ], answer[ANSWER_MAX];
	struct sockaddr_storage asker;
	socklen_t size = sizeof(asker);
	ssize_t received =
		recvfrom(fd, question, sizeof(question), 0, (struct sockaddr *)&asker, &size);
	size_t answer_size;

	if (received < NS_HFIXEDSZ)
		return;
	(*scene.questions)++;
	answer_size = make_answer(question, (size_t)received, false, answer);
	(void)sendto(fd, answer, answer_size, 0, (struct sockaddr *)&asker, size);
}

static bool read_whole(int fd, uint8_t *bytes, size_t size)
{
	return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

/* Every question of one connection, each answered in one go. */
static bool answer_stream(int fd)
{
	uint8_t question[2 + NS_PACKETSZ], answer[2 + ANSWER_MAX];
	size_t size;

	if (!read_whole(fd, question, 2))
		return false;
	size = (size_t)question[0] << 8 | question[1];
	if (size > NS_PACKETSZ || size < NS_HFIXEDSZ || !read_whole(fd, question + 2, size))
		return false;
	(*scene.questions)++;
	size = make_answer(question + 2, size, true, answer + 2);
	answer[0] = (uint8_t)(size >> 8);
	answer[1] = (uint8_t)size;
	return send(fd, answer, 2 + size, MSG_NOSIGNAL) == (ssize_t)(2 + size);
}

static int listen_on(int type)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, CONNECTIONS_MAX) < 0))
		return -1;
	return fd;
}

static void __attribute__((noreturn)) serve(int ready)
{
	struct pollfd polls[2 + CONNECTIONS_MAX];

	for (size_t i = 0; i < array_length(polls); i++)
		polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	polls[0].fd = listen_on(SOCK_DGRAM);
	polls[1].fd = listen_on(SOCK_STREAM);
	(void)!write(ready, "", polls[0].fd >= 0 && polls[1].fd >= 0);
	(void)close(ready);
	while (poll(polls, array_length(polls), -1) >= 0) {
		if (polls[0].revents)
			answer_datagram(polls[0].fd);
		for (size_t i = 2; i < array_length(polls); i++) {
			if (polls[i].fd < 0 && polls[1].revents) {
				polls[i].fd = accept(polls[1].fd, NULL, NULL);
				polls[1].revents = 0;
			} else if (polls[i].fd >= 0 && polls[i].revents &&
				   !answer_stream(polls[i].fd)) {
				(void)close(polls[i].fd);
				polls[i].fd = -1;
			}
			polls[i].revents = 0;
		}
	}
	_exit(1);
}

/* ---- the two namespaces ---- */

static void name_of_network(pid_t pid, char name[64])
{
	char path[64];
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	size = readlink(path, name, 63);
	name[size < 0 ? 0 : size] = '\0';
}

/* Nothing in here may touch the machine's own network. */
static bool is_apart(void)
{
	char own[64], machine[64];

	name_of_network(getpid(), own);
	name_of_network(1, machine);
	return own[0] && strcmp(own, machine) != 0;
}

static void start_resolver(int go[2], int ready[2])
{
	char byte;

	scene.resolver = fork();
	if (scene.resolver != 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)close(go[1]);
	(void)close(ready[0]);
	if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
		_exit(1);
	serve(ready[1]);
}

/* Addresses count at once, and those from where they cannot come from are not let in. */
#define SETTINGS                                                                                   \
	"echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad && "                                  \
	"echo 0 > /proc/sys/net/ipv6/conf/default/dad_transmits && "                               \
	"echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter && ip link set lo up"

static bool lay_wires(void)
{
	const int pid = (int)scene.resolver;

	return scene_try(SETTINGS) && scene_try("nsenter -t %d -n sh -c '" SETTINGS "'", pid) &&
	       scene_try("ip link add host type veth peer name resolver netns %d", pid) &&
	       scene_try("ip addr add " SCENE_HOST_4 "/24 dev host && ip addr add " SCENE_HOST_6
			 "/64 dev host nodad && ip link set host up") &&
	       scene_try("nsenter -t %d -n sh -c 'ip addr add " SCENE_RESOLVER_4
			 "/24 dev resolver && ip addr add " SCENE_RESOLVER_6
			 "/64 dev resolver nodad && ip link set resolver up'",
			 pid);
}

/* A new interface needs up to a second until it counts as one (linkwatch). */
static bool reaches(const char *resolver)
{
	uint8_t message[NS_PACKETSZ];
	size_t size = scene_question(message, 1, "ready.example.org", ns_t_a, false);
	struct sockaddr_storage address;
	socklen_t address_size = scene_address(resolver, 53, &address);
	int fd = scene_socket(resolver, SOCK_DGRAM, NULL, 0);
	bool answered = false;

	for (int i = 0; i < 5 && !answered; i++)
		answered = sendto(fd, message, size, 0, (struct sockaddr *)&address,
				  address_size) == (ssize_t)size &&
			   recv(fd, message, sizeof(message), 0) > 0;
	(void)close(fd);
	return answered;
}

bool scene_enter(void)
{
	int go[2], ready[2];
	char byte;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		print_message("needs root for a network namespace of its own: %s\n",
			      geteuid() ? "not root" : strerror(errno));
		return false;
	}
	if (!is_apart()) {
		print_message("still in the machine's own network: stopping here\n");
		_exit(1);
	}
	scene.questions = mmap(NULL, sizeof(*scene.questions), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pipe(go) < 0 || pipe(ready) < 0)
		return false;
	start_resolver(go, ready);
	(void)close(go[0]);
	(void)close(ready[1]);
	if (read(ready[0], &byte, 1) != 1 || !lay_wires() || write(go[1], "", 1) != 1 ||
	    read(ready[0], &byte, 1) != 1 || !reaches(SCENE_RESOLVER_4) ||
	    !reaches(SCENE_RESOLVER_6)) {
		print_message("needs the ip command (iproute2) and veth\n");
		scene_leave();
		return false;
	}
	(void)close(go[1]);
	(void)close(ready[0]);
	return true;
}

void scene_leave(void)
{
	if (scene.resolver <= 0)
		return;
	(void)kill(scene.resolver, SIGKILL);
	(void)waitpid(scene.resolver, NULL, 0);
	scene.resolver = 0;
}

unsigned int scene_questions(void)
{
	return *(volatile unsigned int *)scene.questions;
}

/* ---- clients ---- */

size_t scene_question(uint8_t *message, uint16_t id, const char *name, uint16_t type, bool edns)
{
	static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
	size_t at = 0;

	put_16(message, &at, id);
	put_16(message, &at, 0x0100);
	put_16(message, &at, 1);
	put_16(message, &at, 0);
	put_16(message, &at, 0);
	put_16(message, &at, edns);
	while (*name) {
		size_t size = strcspn(name, ".");

		message[at++] = (uint8_t)size;
		memcpy(message + at, name, size);
		at += size;
		name += size;
		name += *name == '.';
	}
	message[at++] = 0;
	put_16(message, &at, type);
	put_16(message, &at, ns_c_in);
	if (edns) {
		memcpy(message + at, opt, sizeof(opt));
		at += sizeof(opt);
	}
	return at;
}

int scene_socket(const char *remote, int type, const char *local, uint16_t local_port)
{
	const struct timeval patience = {.tv_sec = 1};
	struct sockaddr_storage address;
	socklen_t size = scene_address(local		     ? local
				       : strchr(remote, ':') ? "::"
							     : "0.0.0.0",
				       local_port, &address);
	int fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	return fd;
}

/* ---- rules ---- */

#define MARKED "0xabcd0000/0xffff0000"

static const char nftables_rules[] =
	"nft 'add table inet scene; delete table inet scene; table inet scene {"
	" chain hold-out { type filter hook output priority -1;"
	"  meta l4proto { tcp, udp } th dport 53 queue num 4711;"
	"  tcp dport 8080 queue num 4712; };"
	" chain out { type filter hook output priority 0; policy drop;"
	"  ct state established accept; fib daddr type local accept;"
	"  meta l4proto icmpv6 accept; tcp dport 8080 accept;"
	"  ip daddr " SCENE_RESOLVER_4 " meta l4proto { tcp, udp } th dport 53 accept;"
	"  ip6 daddr " SCENE_RESOLVER_6 " meta l4proto { tcp, udp } th dport 53 accept;"
	"  tcp dport 8081 log prefix \"rtguard forward\" group 4714;"
	"  tcp dport 8082 log group 4714; };"
	" chain hold-in { type filter hook input priority -1;"
	"  meta mark & 0xffff0000 != 0xabcd0000 meta l4proto { tcp, udp } th sport 53"
	"  queue num 4711; };"
	" chain in { type filter hook input priority 0; policy drop;"
	"  ct state established accept; iif lo accept; meta l4proto icmpv6 accept; }; }'";

/* The end of each chain is a refusal but for ICMPv6, which the network itself needs. */
static const char iptables_rules[] =
	"for tool in iptables-legacy ip6tables-legacy; do"
	" add() { $tool -w -A \"$@\" || exit 1; };"
	" $tool -w -F || exit 1;"
	" for protocol in tcp udp; do"
	"  add OUTPUT -p $protocol --dport 53 -m mark ! --mark " MARKED
	"   -j NFQUEUE --queue-num 4711;"
	"  add INPUT -p $protocol --sport 53 -m mark ! --mark " MARKED
	"   -j NFQUEUE --queue-num 4711;"
	" done;"
	" add OUTPUT -p tcp --dport 8080 -m mark ! --mark " MARKED " -j NFQUEUE --queue-num 4712;"
	" for chain in OUTPUT INPUT; do"
	"  add $chain -m mark --mark " MARKED " -j MARK --set-xmark 0/0xffff0000;"
	"  add $chain -m conntrack --ctstate ESTABLISHED -j ACCEPT;"
	" done;"
	" add OUTPUT -p tcp --dport 8080 -j ACCEPT;"
	" add OUTPUT -p udp --dport 53 -j ACCEPT;"
	" add OUTPUT -p tcp --dport 53 -j ACCEPT;"
	" add OUTPUT -p tcp --dport 8081 -j NFLOG --nflog-group 4714 --nflog-prefix \"rtguard "
	"forward\";"
	" add OUTPUT -p tcp --dport 8082 -j NFLOG --nflog-group 4714;"
	" add INPUT -i lo -j ACCEPT;"
	" for chain in OUTPUT INPUT; do"
	"  add $chain -p tcp -j DROP; add $chain -p udp -j DROP;"
	" done;"
	"done";

const struct scene_backend scene_backends[SCENE_BACKENDS] = {
	{"nftables", nftables_rules, "nft delete table inet scene", false},
	{"iptables", iptables_rules, "iptables-legacy -w -F; ip6tables-legacy -w -F", true},
};

bool scene_apply(const struct scene_backend *backend)
{
	if (scene_try("(%s) 2>/dev/null", backend->apply))
		return true;
	print_message("%s does not work here: left out\n", backend->name);
	return false;
}

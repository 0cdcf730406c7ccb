/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client sees of packet filter rules; the other end is rules_servers.
 *
 *   rules_times echo ADDRESS COUNT       datagrams there and back, one after the other, in one flow
 *   rules_times flows ADDRESS COUNT      the same, each from a socket of its own
 *   rules_times connect ADDRESS COUNT    connect(), each followed by a reset
 *   rules_times start ADDRESS COUNT      the same, each in a process of its own
 *   rules_times ask RESOLVER COUNT NAME  questions for the addresses of 0.NAME, 1.NAME, …
 *   rules_times put ADDRESS MILLISECONDS bytes to there as fast as TCP goes
 *   rules_times pace ADDRESS MILLISECONDS the same, 1 Gbit/s at the most, as over a cable
 *   rules_times get ADDRESS MILLISECONDS and from there
 *   rules_times crowd COUNT              so many sleeping processes until standard input ends
 *
 * Prints the microseconds of the median, of 99 of 100, and the longest, and how many went in a
 * second; ask: the same three for the time from an answer's arrival at this host to the client;
 * put and get: megabits a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ECHO_PORT    7000
#define CONNECT_PORT 7001
#define PUT_PORT     7002
#define GET_PORT     7003
#define DNS_PORT     53
#define PACE	     125000000U /* bytes a second */

struct trial {
	struct sockaddr_in to;
	long count;
	const char *name;
	double *times_us;
	double *held_us;
	long lost;
};

static double now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static int datagram_socket(const struct sockaddr_in *to)
{
	struct timeval patience = {.tv_sec = 2};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	return fd;
}

static void echo_once(struct trial *trial, int fd, long i)
{
	char buffer[64] = {0};
	double begun = now_us(CLOCK_MONOTONIC);

	if (send(fd, buffer, 32, 0) != 32 || recv(fd, buffer, sizeof(buffer), 0) != 32)
		trial->lost++;
	trial->times_us[i] = now_us(CLOCK_MONOTONIC) - begun;
}

static void echo(struct trial *trial)
{
	int fd = datagram_socket(&trial->to);

	for (long i = 0; i < trial->count; i++)
		echo_once(trial, fd, i);
	close(fd);
}

static void flows(struct trial *trial)
{
	for (long i = 0; i < trial->count; i++) {
		int fd = datagram_socket(&trial->to);

		echo_once(trial, fd, i);
		close(fd);
	}
}

static double connect_once(const struct sockaddr_in *to)
{
	struct linger reset = {.l_onoff = 1};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double begun, us;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		die("socket");
	begun = now_us(CLOCK_MONOTONIC);
	us = connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0
		     ? -1
		     : now_us(CLOCK_MONOTONIC) - begun;
	close(fd);
	return us;
}

static void note(struct trial *trial, long i, double us)
{
	trial->times_us[i] = us < 0 ? 5e6 : us;
	trial->lost += us < 0;
}

static void connections(struct trial *trial)
{
	for (long i = 0; i < trial->count; i++)
		note(trial, i, connect_once(&trial->to));
}

static void starts(struct trial *trial)
{
	volatile double *us =
		mmap(NULL, sizeof(*us), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (us == MAP_FAILED)
		die("mmap");
	for (long i = 0; i < trial->count; i++) {
		pid_t child = fork();

		if (child == 0) {
			*us = connect_once(&trial->to);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		note(trial, i, *us);
	}
}

static size_t make_question(unsigned char *question, long i, const char *name)
{
	static const unsigned char asks[] = {0, 0, 1, 0, 1}; /* root, A, IN */
	char text[128];
	size_t size = 12;

	memset(question, 0, size);
	question[0] = (unsigned char)(i >> 8);
	question[1] = (unsigned char)i;
	question[2] = 1; /* recursion desired */
	question[5] = 1;
	(void)snprintf(text, sizeof(text), "%ld.%s", i, name);
	for (char *label = strtok(text, "."); label; label = strtok(NULL, ".")) {
		size_t length = strlen(label);

		question[size++] = (unsigned char)length;
		memcpy(question + size, label, length);
		size += length;
	}
	memcpy(question + size, asks, sizeof(asks));
	return size + sizeof(asks);
}

/* Microseconds since the network interface had the packet that was read last. */
static ssize_t receive(int fd, void *buffer, size_t size, double *ret_held_us)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec place = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {.msg_iov = &place,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(fd, &message, 0);
	double now = now_us(CLOCK_REALTIME);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	struct timespec came;

	*ret_held_us = 0;
	if (got >= 0 && header && header->cmsg_type == SCM_TIMESTAMPNS) {
		memcpy(&came, CMSG_DATA(header), sizeof(came));
		*ret_held_us = now - (double)came.tv_sec * 1e6 - (double)came.tv_nsec / 1e3;
	}
	return got;
}

static void ask(struct trial *trial)
{
	unsigned char question[256], answer[512];
	int one = 1;

	for (long i = 0; i < trial->count; i++) {
		size_t size = make_question(question, i, trial->name);
		int fd = datagram_socket(&trial->to);
		double begun;

		if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) < 0)
			die("SO_TIMESTAMPNS");
		begun = now_us(CLOCK_MONOTONIC);
		if (send(fd, question, size, 0) < 0 ||
		    receive(fd, answer, sizeof(answer), &trial->held_us[i]) < 12 ||
		    answer[3] & 15 || answer[7] != 1)
			trial->lost++;
		trial->times_us[i] = now_us(CLOCK_MONOTONIC) - begun;
		close(fd);
	}
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void print_shares(double *times, long count)
{
	qsort(times, (size_t)count, sizeof(*times), by_size);
	(void)printf("%.2f %.2f %.2f ", times[count / 2], times[count * 99 / 100],
		     times[count - 1]);
}

static int stream(struct trial *trial, bool put, uint32_t pace)
{
	static char buffer[1 << 17];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double bytes = 0, begun, end;

	if (pace && setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &pace, sizeof(pace)) < 0)
		die("SO_MAX_PACING_RATE");
	if (fd < 0 || connect(fd, (struct sockaddr *)&trial->to, sizeof(trial->to)) < 0)
		die("connect");
	begun = now_us(CLOCK_MONOTONIC);
	end = begun + (double)trial->count * 1e3;
	while (now_us(CLOCK_MONOTONIC) < end) {
		ssize_t moved =
			put ? write(fd, buffer, sizeof(buffer)) : read(fd, buffer, sizeof(buffer));

		if (moved <= 0)
			die("stream");
		bytes += (double)moved;
	}
	(void)printf("%.1f\n", bytes * 8 / (now_us(CLOCK_MONOTONIC) - begun));
	return 0;
}

/* Each with some files, as programs have. */
static int crowd(long count)
{
	char byte;

	for (long i = 0; i < count; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (int j = 0; j < 8; j++)
				if (open("/dev/null", O_RDONLY) < 0)
					_exit(1);
			for (;;)
				pause();
		}
	}
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

static const struct {
	const char *name;
	uint16_t port;
	void (*run)(struct trial *trial);
} trials[] = {
	{"echo", ECHO_PORT, echo},
	{"flows", ECHO_PORT, flows},
	{"connect", CONNECT_PORT, connections},
	{"start", CONNECT_PORT, starts},
	{"ask", DNS_PORT, ask},
	{"put", PUT_PORT, NULL},
	{"pace", PUT_PORT, NULL},
	{"get", GET_PORT, NULL},
};

static int run(size_t which, struct trial *trial)
{
	double begun;

	trial->to.sin_port = htons(trials[which].port);
	if (!trials[which].run)
		return stream(trial, trials[which].port == PUT_PORT,
			      strcmp(trials[which].name, "pace") == 0 ? PACE : 0);
	trial->times_us = calloc((size_t)trial->count, sizeof(double));
	trial->held_us = calloc((size_t)trial->count, sizeof(double));
	if (!trial->times_us || !trial->held_us)
		die("memory");
	begun = now_us(CLOCK_MONOTONIC);
	trials[which].run(trial);
	begun = now_us(CLOCK_MONOTONIC) - begun;
	print_shares(trial->times_us, trial->count);
	(void)printf("%.0f ", (double)trial->count / begun * 1e6);
	print_shares(trial->held_us, trial->count);
	(void)printf("\n");
	if (trial->lost)
		(void)fprintf(stderr, "rules_times: %ld of %ld did not come back\n", trial->lost,
			      trial->count);
	return trial->lost ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct trial trial = {.to = {.sin_family = AF_INET}};

	if (argc == 3 && strcmp(argv[1], "crowd") == 0)
		return crowd(strtol(argv[2], NULL, 10));
	if (argc < 4 || inet_pton(AF_INET, argv[2], &trial.to.sin_addr) != 1)
		return 2;
	trial.count = strtol(argv[3], NULL, 10);
	trial.name = argc > 4 ? argv[4] : "bench.example";
	if (trial.count < 1 || trial.count > 1000000)
		return 2;
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		if (strcmp(argv[1], trials[i].name) == 0)
			return run(i, &trial);
	return 2;
}

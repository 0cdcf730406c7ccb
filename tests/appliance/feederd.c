/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cat feeder's main service: reports to its maker over HTTP, keeps the time, answers the app.
 * And, as such devices do, it has a hole: a debugging command that its maker forgot.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define REPORT_EVERY_S 3
#define TIME_EVERY_S   5
#define STATUS_PORT    8080

static void report(int family)
{
	static const char request[] = "POST /bowl HTTP/1.0\r\nHost: api.feeder.example\r\n"
				      "Content-Length: 7\r\n\r\nfull=42";
	char answer[256];
	int fd = net_connect("api.feeder.example", "80", family, SOCK_STREAM);

	if (fd < 0)
		return;
	(void)net_ask(fd, request, sizeof(request) - 1, answer, sizeof(answer));
	(void)close(fd);
}

/* Keeps the socket until it asks the next time; returns it. */
static int ask_time(int last)
{
	char question[48] = {0x23}; /* SNTP client, version 4 (RFC 4330) */
	char answer[64];
	int fd = net_connect("time.feeder.example", "123", AF_INET, SOCK_DGRAM);

	if (last >= 0)
		(void)close(last);
	if (fd >= 0)
		(void)net_ask(fd, question, sizeof(question), answer, sizeof(answer));
	return fd;
}

#define DEBUG_COMMAND "DEBUG "
#define DEBUG_WORDS   16

/* "DEBUG [NAME=VALUE]… PROGRAM [ARGUMENT]…": runs it and says how it ended. */
static void debug(char *command, char *answer, size_t size)
{
	char *words[DEBUG_WORDS] = {0};
	char *rest = NULL;
	size_t count = 0;
	size_t first = 0;
	pid_t child;
	int status;

	for (char *word = strtok_r(command, " \r\n", &rest); word && count < DEBUG_WORDS - 1;
	     word = strtok_r(NULL, " \r\n", &rest))
		words[count++] = word;
	while (first < count && strchr(words[first], '='))
		first++;
	child = fork();
	if (child == 0) {
		for (size_t i = 0; i < first; i++)
			(void)putenv(words[i]);
		(void)execv(words[first], &words[first]);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		(void)snprintf(answer, size, "cannot\n");
	else if (WIFSIGNALED(status))
		(void)snprintf(answer, size, "signal %d\n", WTERMSIG(status));
	else
		(void)snprintf(answer, size, "exit %d\n", WEXITSTATUS(status));
}

static void answer_app(int listener)
{
	static const char status[] = "HTTP/1.0 200 OK\r\n\r\nbowl: full\n";
	char request[512];
	char answer[64];
	int fd = accept(listener, NULL, NULL);
	ssize_t size;

	if (fd < 0)
		return;
	size = recv(fd, request, sizeof(request) - 1, 0);
	request[size > 0 ? size : 0] = '\0';
	if (strncmp(request, DEBUG_COMMAND, strlen(DEBUG_COMMAND)) == 0) {
		debug(request + strlen(DEBUG_COMMAND), answer, sizeof(answer));
		(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	} else if (size > 0) {
		(void)send(fd, status, sizeof(status) - 1, MSG_NOSIGNAL);
	}
	(void)close(fd);
}

int main(void)
{
	struct pollfd listener = {.fd = net_listen(STATUS_PORT), .events = POLLIN};
	time_t next_report = 0;
	time_t next_time = 0;
	int time_socket = -1;

	if (listener.fd < 0) {
		perror("feederd: cannot listen");
		return 1;
	}
	for (unsigned int round = 0;;) {
		time_t now = time(NULL);

		if (now >= next_report) {
			next_report = now + REPORT_EVERY_S;
			report(round++ % 2 ? AF_INET6 : AF_INET);
		}
		if (now >= next_time) {
			next_time = now + TIME_EVERY_S;
			time_socket = ask_time(time_socket);
		}
		if (poll(&listener, 1, 500) > 0)
			answer_app(listener.fd);
	}
}

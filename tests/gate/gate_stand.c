/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervisor that has nothing but a gate: for tests in namespaces. Orders come as lines on
 * standard input ("apply FILE", "audit FILE", "change audit", "change enforce", "count", "clear"),
 * what the gate says goes to standard output, a line each. It ends with its input.
 *
 *	gate_stand [--backend NAME] [--binding none] [--names FILE] [--permit-unknown-names]
 *[--reject]
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "gate/gate.h"
#include "privilege/channel.h"
#include "privilege/child.h"

#define LINE_SIZE 512

/* ---- orders ---- */

static int sealed(const char *path)
{
	_cleanup_(freep) char *bytes = NULL;
	struct error error = {0};
	size_t size;
	int fd;

	if (file_read(path, 1 << 26, &bytes, &size, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		return -1;
	}
	fd = memfd_create("network", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write_all(fd, bytes, size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -1;
	return fd;
}

static int order(int channel, char *line)
{
	const char *word = strtok(line, " \n");
	const char *argument = strtok(NULL, "\n");
	_cleanup_(closep) int fd = -1;
	struct gate_order order = {0};

	if (!word)
		return 0;
	if (strcmp(word, "apply") == 0 || strcmp(word, "audit") == 0) {
		order.kind = GATE_APPLY;
		order.report_only = word[1] == 'u';
		fd = sealed(argument ? argument : "");
		if (fd < 0)
			return -EINVAL;
	} else if (strcmp(word, "change") == 0) {
		order.kind = GATE_CHANGE;
		order.report_only = argument && strcmp(argument, "audit") == 0;
	} else if (strcmp(word, "count") == 0) {
		order.kind = GATE_COUNT;
	} else if (strcmp(word, "clear") == 0) {
		order.kind = GATE_CLEAR;
	} else {
		return -EINVAL;
	}
	return channel_send(channel, &order, sizeof(order), 1, fd);
}

/* ---- words ---- */

static void print_finding(const struct finding *finding)
{
	char remote[IP_TEXT_SIZE];

	ip_format(&finding->flow.remote, remote);
	printf("found %s %s %s remote %s port %u name %s program %s user %d repeats %u\n",
	       finding_kind_name(finding->kind), finding_action_name(finding->action),
	       finding_layer_name(finding->layer), remote, finding->flow.remote_port,
	       finding->flow.name[0] ? finding->flow.name : "-",
	       finding->program[0] ? finding->program : "-", (int)finding->user, finding->repeats);
}

static void print_counts(const struct gate_counts *counts)
{
	printf("counted backend %s refused_out %llu refused_in %llu questions %llu "
	       "questions_refused %llu answers %llu answers_refused %llu flows %llu flows_refused "
	       "%llu names %u longest_us %u reader_restarts %u\n",
	       counts->backend, (unsigned long long)counts->refused_out,
	       (unsigned long long)counts->refused_in, (unsigned long long)counts->questions,
	       (unsigned long long)counts->questions_refused, (unsigned long long)counts->answers,
	       (unsigned long long)counts->answers_refused, (unsigned long long)counts->flows,
	       (unsigned long long)counts->flows_refused, counts->names, counts->longest_us,
	       counts->reader_restarts);
}

static bool print_word(int channel)
{
	struct gate_word word;

	if (channel_receive(channel, &word, sizeof(word), 1, true, NULL) != 1)
		return false;
	switch ((enum gate_word_kind)word.kind) {
	case GATE_APPLIED:
		printf("applied %d %s\n", word.result, word.text);
		break;
	case GATE_FOUND:
		print_finding(&word.finding);
		break;
	case GATE_SAID:
		printf("said %s\n", word.text);
		break;
	case GATE_COUNTED:
		print_counts(&word.counts);
		break;
	case GATE_CLEARED:
		printf("cleared %d %s\n", word.result, word.text);
		break;
	}
	return fflush(stdout) == 0;
}

static int serve(int channel)
{
	enum { INPUT, GATE };
	struct pollfd polls[] = {
		[INPUT] = {.fd = STDIN_FILENO, .events = POLLIN},
		[GATE] = {.fd = channel, .events = POLLIN},
	};
	char line[LINE_SIZE];

	while (poll(polls, array_length(polls), -1) >= 0) {
		if (polls[GATE].revents && !print_word(channel))
			return 0;
		if (polls[INPUT].revents) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			if (order(channel, line) < 0)
				return 1;
		}
	}
	return 1;
}

static bool is_own_network(void)
{
	const char *machine = getenv("MACHINE_NETWORK");
	char own[64] = {0};

	return machine && readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0 &&
	       strcmp(own, machine) != 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"backend", required_argument, NULL, 'b'},
		{"binding", required_argument, NULL, 'p'},
		{"names", required_argument, NULL, 'n'},
		{"permit-unknown-names", no_argument, NULL, 'u'},
		{"reject", no_argument, NULL, 'r'},
		{0},
	};
	struct gate_config config = {
		.rules = RULES_OPTIONS_DEFAULT,
		.names = NAME_TIMES_DEFAULT,
		.supervisor = getpid(),
	};
	int ends[2];
	pid_t pid;
	int result;

	while ((result = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (result == 'b')
			config.backend = optarg;
		else if (result == 'p')
			config.rules.binding =
				strcmp(optarg, "none") == 0 ? BIND_NONE : BIND_LOOKUP;
		else if (result == 'n')
			config.names_file = optarg;
		else if (result == 'u')
			config.rules.permit_unknown_names = true;
		else if (result == 'r')
			config.rules.reject = true;
		else
			return 2;
	}
	if (!is_own_network()) {
		fprintf(stderr, "not in the machine's own network\n");
		return 2;
	}
	/* lines are read one by one */
	setvbuf(stdin, NULL, _IONBF, 0);
	if (channel_pair(ends) < 0)
		return 2;
	config.channel = ends[1];
	pid = child_fork(ends[1]);
	if (pid == 0)
		_exit(gate_run(&config));
	(void)close(ends[1]);
	printf("gate %d\n", (int)pid);
	(void)fflush(stdout);
	result = serve(ends[0]);
	(void)close(ends[0]);
	(void)waitpid(pid, NULL, 0);
	return result;
}

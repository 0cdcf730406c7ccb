/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_commit BACKEND ROUNDS PROFILE PROFILE: puts the rules of two profiles in each other's place
 * by turns, in a network namespace of its own, and prints of each turn the milliseconds that
 * compiling took and those of the commit. The first one fills an empty table and is not counted.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backends/backend.h"
#include "profiles/profile_json.h"
#include "rules/compile.h"

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int fail(const struct error *error)
{
	fprintf(stderr, "rules_commit: %s\n", error->message);
	return 1;
}

int main(int argc, char **argv)
{
	const struct rules_options options = RULES_OPTIONS_DEFAULT;
	const struct backend_type *type;
	struct profile *profiles[2];
	struct backend *backend;
	struct error error = {0};
	long rounds;

	if (argc != 5)
		return 2;
	rounds = strtol(argv[2], NULL, 10);
	if (unshare(CLONE_NEWNET) < 0) {
		perror("rules_commit: a network namespace");
		return 1;
	}
	for (int i = 0; i < 2; i++)
		if (profile_load(argv[3 + i], &profiles[i], &error) < 0)
			return fail(&error);
	if (backend_choose(argv[1], &type, &error) < 0 || type->open(&backend, &error) < 0)
		return fail(&error);
	for (long i = 0; i <= rounds; i++) {
		struct rule_program *program;
		double begun = now_ms(), compiled, done;

		if (rules_compile(profiles[i & 1], &options, NULL, &program, &error) < 0)
			return fail(&error);
		compiled = now_ms();
		if (type->apply(backend, program, &error) < 0)
			return fail(&error);
		done = now_ms();
		if (i)
			printf("%.3f %.3f\n", compiled - begun, done - compiled);
		rule_program_free(program);
	}
	type->close(backend);
	profile_free(profiles[0]);
	profile_free(profiles[1]);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/finding_outbox.h"

struct scene {
	struct finding_outbox outbox;
	struct desk desk;
	int ends[2];
};

static struct finding finding_of(const char *path)
{
	struct finding finding = {.kind = FINDING_PROGRAM_UNKNOWN, .action = ACTION_DENIED};

	(void)snprintf(finding.path, sizeof(finding.path), "%s", path);
	return finding;
}

static struct scene *scene_new(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene->ends), 0);
	finding_outbox_init(&scene->outbox, scene->ends[0], &scene->desk);
	return scene;
}

static void scene_free(struct scene *scene)
{
	(void)close(scene->ends[0]);
	(void)close(scene->ends[1]);
	free(scene);
}

static bool take(struct scene *scene, struct finding *finding)
{
	return recv(scene->ends[1], finding, sizeof(*finding), MSG_DONTWAIT) == sizeof(*finding);
}

/* Each is told, or counted: as a repeat of one that is told, or as lost. */
static void counts_a_flood(void **state)
{
	const struct finding equal = finding_of("/same");
	struct scene *scene = scene_new();
	struct finding got;
	size_t told = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		finding_outbox_put(&scene->outbox, &equal, -1);
		while (take(scene, &got))
			told += 1 + got.repeats;
	}
	while (finding_outbox_flush(&scene->outbox))
		(void)usleep(5000);
	while (take(scene, &got))
		told += 1 + got.repeats;
	assert_int_equal(told + scene->desk.findings_lost, 1000);
	assert_int_equal(scene->desk.findings_lost, 0);
	scene_free(scene);
}

static void loses_what_nobody_takes(void **state)
{
	struct scene *scene = scene_new();
	struct finding got;
	size_t told = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char path[32];
		struct finding finding;

		(void)snprintf(path, sizeof(path), "/%d", i);
		finding = finding_of(path);
		finding_outbox_put(&scene->outbox, &finding, -1);
	}
	while (take(scene, &got))
		told += 1 + got.repeats;
	while (finding_outbox_flush(&scene->outbox))
		(void)usleep(5000);
	while (take(scene, &got))
		told += 1 + got.repeats;
	assert_true(scene->desk.findings_lost > 0);
	assert_int_equal(told + scene->desk.findings_lost, 1000);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(counts_a_flood),
		cmocka_unit_test(loses_what_nobody_takes),
	};

	return cmocka_run_group_tests_name("finding_outbox", all, NULL, NULL);
}

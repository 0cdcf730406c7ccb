/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

struct scene {
	struct loop *loop;
	struct loop_source *reader;
	int ticks;
	int bytes;
	int signals;
};

static void on_readable(void *context, int fd, uint32_t events)
{
	struct scene *scene = context;
	char byte;

	(void)events;
	assert_int_equal(read(fd, &byte, 1), 1);
	scene->bytes++;
	loop_remove(scene->reader); /* from its own callback */
	(void)raise(SIGUSR1);
}

static void on_signal(void *context, int signal_number)
{
	struct scene *scene = context;

	assert_int_equal(signal_number, SIGUSR1);
	scene->signals++;
}

static void on_tick(void *context)
{
	struct scene *scene = context;

	if (++scene->ticks == 3)
		loop_stop(scene->loop, 42);
}

static void runs_all_kinds_of_sources(void **state)
{
	struct scene scene = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "xy", 2), 2);
	assert_int_equal(loop_new(&scene.loop), 0);
	assert_int_equal(
		loop_add_fd(scene.loop, ends[0], EPOLLIN, on_readable, &scene, &scene.reader), 0);
	assert_int_equal(loop_add_signal(scene.loop, SIGUSR1, on_signal, &scene, NULL), 0);
	assert_int_equal(loop_add_timer(scene.loop, 10 * NS_PER_MS, on_tick, &scene, NULL), 0);
	assert_int_equal(loop_run(scene.loop), 42);
	assert_int_equal(scene.bytes, 1);
	assert_int_equal(scene.signals, 1);
	loop_free(scene.loop);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_all_kinds_of_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

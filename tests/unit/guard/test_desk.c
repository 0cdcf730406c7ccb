/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "guard/desk.h"

/* A pipe stands for the group: what is answered can be read. */
struct scene {
	struct desk *desk;
	int memory;
	int group[2];
};

static void begin(struct scene *scene)
{
	assert_int_equal(desk_new(&scene->memory, &scene->desk), 0);
	assert_int_equal(pipe(scene->group), 0);
}

static void end(struct scene *scene)
{
	desk_unmap(scene->desk);
	(void)close(scene->memory);
	(void)close(scene->group[0]);
	(void)close(scene->group[1]);
}

static void put_event(struct scene *scene, size_t place, int fd, uint64_t mask)
{
	const struct fanotify_event_metadata event = {.event_len = sizeof(event),
						      .vers = FANOTIFY_METADATA_VERSION,
						      .metadata_len = sizeof(event),
						      .mask = mask,
						      .fd = fd};

	memcpy(scene->desk->buffer + place * sizeof(event), &event, sizeof(event));
}

/* Whatever was taken and not answered is denied once, whether in the buffer or
 * kept for later. */
static void settles_all_that_was_taken(void **state)
{
	struct fanotify_response response;
	struct scene scene;
	uint32_t denied = 0;

	(void)state;
	begin(&scene);
	put_event(&scene, 0, 101, FAN_OPEN_PERM);
	put_event(&scene, 1, 102, FAN_CLOSE_WRITE); /* nobody waits */
	put_event(&scene, 2, 103, FAN_OPEN_EXEC_PERM);
	assert_non_null(desk_defer(scene.desk));
	/* deferred, and killed before it stepped on */
	scene.desk->cursor = 0;
	assert_int_equal(desk_settle(scene.desk, scene.group[1]), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(read(scene.group[0], &response, sizeof(response)),
				 sizeof(response));
		assert_int_equal(response.response, FAN_DENY);
		denied |= 1U << (response.fd - 100);
	}
	assert_int_equal(denied, 1U << 1 | 1U << 3);
	assert_int_equal(desk_settle(scene.desk, scene.group[1]), 0);
	assert_null(desk_event(scene.desk));
	end(&scene);
}

/* Whatever stands in the buffer, no event reaches beyond it. */
static void distrusts_the_buffer(void **state)
{
	struct fanotify_event_metadata event = {.event_len = DESK_BUFFER_SIZE};
	struct scene scene;

	(void)state;
	begin(&scene);
	memcpy(scene.desk->buffer, &event, sizeof(event));
	assert_non_null(desk_event(scene.desk));
	event.event_len++;
	memcpy(scene.desk->buffer, &event, sizeof(event));
	assert_null(desk_event(scene.desk));
	event.event_len = 1;
	memcpy(scene.desk->buffer, &event, sizeof(event));
	assert_null(desk_event(scene.desk));
	scene.desk->cursor = DESK_BUFFER_SIZE;
	assert_null(desk_event(scene.desk));
	end(&scene);
}

static void closes_what_was_left_open(void **state)
{
	struct scene scene;
	struct desk *other;
	int fd;

	(void)state;
	begin(&scene);
	fd = transient_open(&scene.desk->transient, "/proc/self/stat", 0);
	assert_true(fd > 0);
	desk_take_over(scene.desk);
	assert_int_equal(close(fd), -1);
	/* none of ours */
	assert_int_equal(desk_map(scene.group[0], &other), -EBADMSG);
	scene.desk->version++;
	assert_int_equal(desk_map(scene.memory, &other), -EBADMSG);
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(settles_all_that_was_taken),
		cmocka_unit_test(distrusts_the_buffer),
		cmocka_unit_test(closes_what_was_left_open),
	};

	return cmocka_run_group_tests_name("desk", all, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/network/inspector.h"
#include "privilege/system_calls.h"
#include "tracker_double.h"
#include "udp_frame.h"

/* linktypes of tcpdump.org */
enum { ETHERNET = 1, USER0 = 147, LINUX_SLL2 = 276 };

enum { MAGIC_MICRO = 0xa1b2c3d4, MAGIC_NANO = 0xa1b23c4d, PACKET_BYTES = 16 + 42 };

struct seen {
	unsigned int starts;
	unsigned int connections;
	uint64_t last_ns;
	uint16_t last_port;
	struct observed_capture capture;
};

struct scene {
	struct recording_reader *reader;
	struct seen seen;
	char path[64];
};

static void on_observation(void *context, const struct observation *observation)
{
	struct seen *seen = context;

	switch (observation->kind) {
	case OBSERVATION_START:
		seen->starts++;
		seen->last_ns = observation->time_ns;
		seen->last_port = observation->flow.remote_port;
		break;
	case OBSERVATION_CONNECTION:
		seen->connections++;
		break;
	case OBSERVATION_CAPTURE:
		seen->capture = observation->capture;
		break;
	default:
		fail_msg("observation of kind %d", (int)observation->kind);
	}
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const struct tracker_config subject = {
		.subject = TRACK_THIS_HOST, .deliver = on_observation, .context = &scene->seen};
	struct error error = {0};
	int fd;

	*state = scene;
	(void)snprintf(scene->path, sizeof(scene->path), "/tmp/test_recording.XXXXXX");
	fd = mkstemp(scene->path);
	if (fd < 0)
		return -1;
	(void)close(fd);
	if (recording_reader_new(&subject, &scene->reader, &error) < 0) {
		print_message("%s\n", error.message);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	recording_reader_free(scene->reader);
	(void)unlink(scene->path);
	free(scene);
	return 0;
}

static void put_host32(struct frame *file, uint32_t number)
{
	put_bytes(file, &number, sizeof(number));
}

static void put_host16(struct frame *file, uint16_t number)
{
	put_bytes(file, &number, sizeof(number));
}

static void put_pcap_header(struct frame *file, uint32_t magic, uint32_t link_type)
{
	put_host32(file, magic);
	put_host16(file, 2);
	put_host16(file, 4);
	put_host32(file, 0);
	put_host32(file, 0);
	put_host32(file, 65535);
	put_host32(file, link_type);
}

static void put_pcap_packet(struct frame *file, uint32_t second, uint32_t fraction,
			    unsigned int port)
{
	put_host32(file, second);
	put_host32(file, fraction);
	put_host32(file, 42);
	put_host32(file, 42);
	put_udp_frame(file, 40000, port);
}

static void write_file(const struct scene *scene, const struct frame *file)
{
	_cleanup_(closep) int fd = open(scene->path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->bytes, file->size), file->size);
}

static void assert_read(struct scene *scene)
{
	struct error error = {0};

	if (recording_reader_read(scene->reader, scene->path, &error) < 0)
		fail_msg("%s", error.message);
}

/* The error names the file and says what it must. */
static void assert_refused(struct scene *scene, const char *path, int code, const char *text)
{
	struct error error = {0};
	int result = recording_reader_read(scene->reader, path, &error);

	if (result != -code || !strstr(error.message, text) ||
	    strncmp(error.message, path, strlen(path)) != 0)
		fail_msg("%d: %s", result, error.message);
}

static struct frame *new_frame(void)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	assert_non_null(frame);
	return frame;
}

static void reads_every_packet_with_its_time(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;
	struct error error = {0};

	put_pcap_header(file, MAGIC_MICRO, ETHERNET);
	for (unsigned int i = 0; i < 1000; i++)
		put_pcap_packet(file, 1700000000 + i, 250000, 1000 + i);
	write_file(scene, file);
	assert_read(scene);
	assert_int_equal(scene->seen.starts, 1000);
	assert_int_equal(scene->seen.last_port, 1999);
	assert_true(scene->seen.last_ns == UINT64_C(1700000999250000000));
	assert_int_equal(scene->seen.connections, 0);
	assert_int_equal(scene->seen.capture.packets, 1000);
	assert_int_equal(scene->seen.capture.bytes, 42000);
	assert_int_equal(recording_reader_finish(scene->reader, &error), 0);
	assert_int_equal(scene->seen.connections, 1000);
}

static void state_carries_over_files(void **state)
{
	_cleanup_(freep) struct frame *first = new_frame();
	_cleanup_(freep) struct frame *second = new_frame();
	struct scene *scene = *state;
	struct error error = {0};

	put_pcap_header(first, MAGIC_MICRO, ETHERNET);
	put_pcap_packet(first, 1, 0, 1);
	write_file(scene, first);
	assert_read(scene);
	/* nanoseconds, and another link type */
	put_pcap_header(second, MAGIC_NANO, LINUX_SLL2);
	write_file(scene, second);
	assert_read(scene);
	second->size = 0;
	put_pcap_header(second, MAGIC_NANO, ETHERNET);
	put_pcap_packet(second, 2, 123456789, 2);
	write_file(scene, second);
	assert_read(scene);
	assert_true(scene->seen.last_ns == UINT64_C(2123456789));
	assert_int_equal(scene->seen.starts, 2);
	assert_int_equal(scene->seen.capture.packets, 2);
	assert_int_equal(recording_reader_finish(scene->reader, &error), 0);
	assert_int_equal(scene->seen.connections, 2);
}

static void delivers_what_is_before_a_cut(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;
	struct error error = {0};

	put_pcap_header(file, MAGIC_MICRO, ETHERNET);
	for (unsigned int i = 0; i < 3; i++)
		put_pcap_packet(file, 1, 0, 1 + i);
	file->size -= 5; /* in the third packet */
	write_file(scene, file);
	assert_refused(scene, scene->path, EBADMSG, "packet 3");
	assert_int_equal(scene->seen.starts, 2);
	file->size = 24 + PACKET_BYTES + 7; /* in the second packet's header */
	write_file(scene, file);
	assert_refused(scene, scene->path, EBADMSG, "packet 2");
	assert_int_equal(scene->seen.starts, 3);
	/* the reader goes on, and loses nothing */
	assert_int_equal(recording_reader_finish(scene->reader, &error), 0);
	assert_int_equal(scene->seen.connections, 3);
}

static void counts_what_cannot_be_decoded(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;

	put_pcap_header(file, MAGIC_MICRO, ETHERNET);
	put_pcap_packet(file, 1, 0, 1);
	put_host32(file, 1);
	put_host32(file, 0);
	put_host32(file, 20); /* cut inside the IP header */
	put_host32(file, 42);
	put_udp_frame(file, 1, 2);
	file->size -= 22;
	write_file(scene, file);
	assert_read(scene);
	assert_int_equal(scene->seen.capture.packets, 2);
	assert_int_equal(scene->seen.capture.undecoded, 1);
}

static void put_block(struct frame *file, uint32_t type, const struct frame *body)
{
	uint32_t total = (uint32_t)body->size + 12;

	put_host32(file, type);
	put_host32(file, total);
	put_bytes(file, body->bytes, body->size);
	put_host32(file, total);
}

static void put_section(struct frame *file)
{
	_cleanup_(freep) struct frame *body = new_frame();

	put_host32(body, 0x1a2b3c4d);
	put_host16(body, 1);
	put_host16(body, 0);
	put_host32(body, UINT32_MAX);
	put_host32(body, UINT32_MAX);
	put_block(file, 0x0a0d0d0a, body);
}

static void put_interface(struct frame *file, uint16_t link_type)
{
	_cleanup_(freep) struct frame *body = new_frame();

	put_host16(body, link_type);
	put_host16(body, 0);
	put_host32(body, 65535);
	put_block(file, 1, body);
}

static void put_enhanced_packet(struct frame *file, uint32_t interface, unsigned int port)
{
	_cleanup_(freep) struct frame *body = new_frame();

	put_host32(body, interface);
	put_host32(body, 0);
	put_host32(body, 5000000); /* microseconds */
	put_host32(body, 42);
	put_host32(body, 42);
	put_udp_frame(body, 40000, port);
	put_zeros(body, 2);
	put_block(file, 6, body);
}

static void reads_pcapng_of_several_interfaces(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;

	put_section(file);
	put_interface(file, ETHERNET);
	put_interface(file, ETHERNET);
	put_enhanced_packet(file, 0, 7);
	put_enhanced_packet(file, 1, 8);
	write_file(scene, file);
	assert_read(scene);
	assert_int_equal(scene->seen.starts, 2);
	assert_true(scene->seen.last_ns == 5 * UINT64_C(1000000000));
	file->size -= 3;
	write_file(scene, file);
	assert_refused(scene, scene->path, EBADMSG, "packet 2");
	assert_int_equal(scene->seen.starts, 3);
}

static void says_what_pcapng_mixture_it_cannot_read(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;

	put_section(file);
	put_interface(file, ETHERNET);
	put_enhanced_packet(file, 0, 7);
	put_interface(file, 101);
	put_enhanced_packet(file, 1, 8);
	write_file(scene, file);
	assert_refused(scene, scene->path, EBADMSG, "several link types");
	assert_int_equal(scene->seen.starts, 1);
}

static void refuses_what_is_no_capture(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
	} files[] = {
		{"", 0, "empty"},
		{"\xd4", 1, "cut"},
		{"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", 8, "cut"},
		{"#!/bin/sh\nexit 0 # and more than a header\n", 42, "not a capture"},
		{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10, "zcat"},
		{"\xfd"
		 "7zXZ\x00\x00\x04",
		 8, "xzcat"},
		{"\x28\xb5\x2f\xfd\x00\x00\x00\x00", 8, "zstdcat"},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < array_length(files); i++) {
		_cleanup_(freep) struct frame *file = new_frame();

		put_bytes(file, files[i].bytes, files[i].size);
		write_file(scene, file);
		assert_refused(scene, scene->path, EBADMSG, files[i].text);
	}
	assert_refused(scene, "/tmp", EISDIR, "is a directory");
	assert_refused(scene, "/tmp/no such file", ENOENT, "No such file");
}

static void refuses_other_link_types(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;

	put_pcap_header(file, MAGIC_MICRO, USER0);
	put_pcap_packet(file, 1, 0, 1);
	write_file(scene, file);
	assert_refused(scene, scene->path, EPROTONOSUPPORT, "147");
}

static void reads_standard_input(void **state)
{
	_cleanup_(freep) struct frame *file = new_frame();
	_cleanup_(closep) int input = dup(STDIN_FILENO);
	struct scene *scene = *state;
	struct error error = {0};
	int ends[2];

	put_pcap_header(file, MAGIC_MICRO, ETHERNET);
	put_pcap_packet(file, 1, 0, 1);
	put_pcap_packet(file, 1, 0, 2);
	file->size -= 1;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], file->bytes, file->size), file->size);
	(void)close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	(void)close(ends[0]);
	assert_int_equal(recording_reader_read(scene->reader, "-", &error), -EBADMSG);
	assert_non_null(strstr(error.message, "standard input: packet 2"));
	assert_int_equal(scene->seen.starts, 1);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
}

static void survives_a_reader_that_goes_wrong(void **state, unsigned int port, const char *text)
{
	_cleanup_(freep) struct frame *file = new_frame();
	struct scene *scene = *state;

	put_pcap_header(file, MAGIC_MICRO, ETHERNET);
	/* Enough before it that a batch is on its way. */
	for (unsigned int i = 0; i < 100; i++)
		put_pcap_packet(file, 1, 0, 1);
	put_pcap_packet(file, 1, 0, port);
	write_file(scene, file);
	assert_refused(scene, scene->path, EIO, text);
	assert_true(scene->seen.starts >= 64);
	/* and from then on it says so instead of waiting */
	assert_refused(scene, scene->path, EIO, "gone");
}

static void survives_a_crash(void **state)
{
	survives_a_reader_that_goes_wrong(state, DOUBLE_PORT_CRASH, "killed by signal");
}

static void ends_a_liar(void **state)
{
	survives_a_reader_that_goes_wrong(state, DOUBLE_PORT_LIE, "must not");
}

static void reads_without_the_right_to_open(void **state)
{
	if (!system_calls_are_confined()) {
		print_message("system calls are not filtered in this build\n");
		skip();
	}
	survives_a_reader_that_goes_wrong(state, DOUBLE_PORT_OPEN, "killed by signal 31");
}

#define scene_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(reads_every_packet_with_its_time),
		scene_test(state_carries_over_files),
		scene_test(delivers_what_is_before_a_cut),
		scene_test(counts_what_cannot_be_decoded),
		scene_test(reads_pcapng_of_several_interfaces),
		scene_test(says_what_pcapng_mixture_it_cannot_read),
		scene_test(refuses_what_is_no_capture),
		scene_test(refuses_other_link_types),
		scene_test(reads_standard_input),
		scene_test(survives_a_crash),
		scene_test(ends_a_liar),
		scene_test(reads_without_the_right_to_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

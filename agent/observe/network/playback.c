/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/playback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/network/capture.h"
#include "observe/network/outbox.h"
#include "privilege/channel.h"

enum {
	DISPATCH_RECORDS = 4096,
	STREAM_BUFFER_BYTES = 128 << 10,
};

struct playback {
	struct tracker_config subject;
	struct capture_sink sink;
	struct outbox outbox;
	char buffer[STREAM_BUFFER_BYTES];
};

static void report_capture(struct playback *playback)
{
	const struct observation observation = {
		.kind = OBSERVATION_CAPTURE,
		.station = playback->subject.station,
		.time_ns = clock_realtime_ns(),
		.capture = {.packets = playback->sink.packets,
			    .bytes = playback->sink.bytes,
			    .undecoded = playback->sink.undecoded,
			    .evicted = tracker_evicted(playback->sink.tracker)},
	};

	outbox_observe(&playback->outbox, &observation);
}

/* What libpcap says, and what to do about it. */
static const struct advice {
	const char *said;
	const char *advice;
} advices[] = {
	{"unknown file format", "not a capture: neither pcap nor pcapng"},
	{"an interface has a type", "interfaces of several link types in one file: split it by "
				    "interface (tshark -Y frame.interface_id==0 -w ...)"},
	{"an interface has a snapshot length",
	 "interfaces of several snapshot lengths in one file: "
	 "rewrite it (editcap -F pcap ...)"},
};

/* How files begin that hold a capture once they are unpacked. */
static const struct packer {
	const char *name;
	const char *command;
	unsigned char magic[4];
	size_t magic_size;
} packers[] = {
	{"gzip", "zcat", {0x1f, 0x8b}, 2},	   /* RFC 1952 */
	{"xz", "xzcat", {0xfd, '7', 'z', 'X'}, 4}, /* .xz file format 2.1.1.1 */
	{"bzip2", "bzcat", {'B', 'Z', 'h'}, 3},
	{"zstd", "zstdcat", {0x28, 0xb5, 0x2f, 0xfd}, 4}, /* RFC 8878 */
	{"lz4", "lz4cat", {0x04, 0x22, 0x4d, 0x18}, 4},
};

static bool explain_packed(int fd, struct error *error)
{
	unsigned char start[sizeof(packers[0].magic)];
	ssize_t size = pread(fd, start, sizeof(start), 0);

	for (size_t i = 0; i < array_length(packers); i++) {
		if (size < (ssize_t)packers[i].magic_size ||
		    memcmp(start, packers[i].magic, packers[i].magic_size) != 0)
			continue;
		(void)error_set(error, EBADMSG,
				"compressed with %s: unpack it first (%s FILE | ...)",
				packers[i].name, packers[i].command);
		return true;
	}
	return false;
}

static void explain(struct error *error)
{
	for (size_t i = 0; i < array_length(advices); i++) {
		if (strstr(error->message, advices[i].said)) {
			(void)error_set(error, error->code, "%s", advices[i].advice);
			return;
		}
	}
}

static int play(struct playback *playback, struct capture *capture, struct error *error)
{
	for (;;) {
		int count = capture_dispatch(capture, DISPATCH_RECORDS, &playback->sink, error);

		if (outbox_flush_due(&playback->outbox, clock_monotonic_ns()) < 0)
			return error_set(error, EPIPE, "the supervisor is gone");
		if (count <= 0)
			return count;
	}
}

static int read_stream(struct playback *playback, int fd, struct error *error)
{
	struct capture *capture;
	FILE *stream = fdopen(fd, "r");
	int result;

	if (!stream) {
		result = error_set(error, errno, "cannot be read: %s", strerror(errno));
		(void)close(fd);
		return result;
	}
	(void)setvbuf(stream, playback->buffer, _IOFBF, sizeof(playback->buffer));
	if (explain_packed(fd, error)) {
		(void)fclose(stream);
		return -error->code;
	}
	result = capture_open_stream(stream, &capture, error);
	if (result < 0) {
		explain(error);
		if (strstr(error->message, "truncated"))
			(void)error_prefix(error, "cut within the capture's own header");
		return result;
	}
	result = play(playback, capture, error);
	if (result < 0)
		explain(error);
	capture_close(capture);
	return result;
}

static int take_file(struct playback *playback, int fd)
{
	struct report report = {.kind = REPORT_FILE};
	struct error error = {0};

	if (fd < 0 || read_stream(playback, fd, &error) < 0) {
		report.trouble.code = error.code ? error.code : EBADF;
		(void)snprintf(report.trouble.text, sizeof(report.trouble.text), "%.*s",
			       (int)sizeof(report.trouble.text) - 1, error.message);
	}
	report_capture(playback);
	outbox_put(&playback->outbox, &report);
	return outbox_flush(&playback->outbox);
}

static int finish(struct playback *playback)
{
	const struct report finished = {.kind = REPORT_FINISHED};

	tracker_finish(playback->sink.tracker);
	report_capture(playback);
	outbox_put(&playback->outbox, &finished);
	return outbox_flush(&playback->outbox);
}

static int serve(struct playback *playback, int channel)
{
	for (;;) {
		struct command command;
		int fd;
		int count = channel_receive(channel, &command, sizeof(command), 1, true, &fd);
		int result;

		if (count <= 0)
			return count;
		if (command.kind == COMMAND_FINISH)
			return finish(playback);
		result = take_file(playback, fd);
		if (result < 0)
			return result;
	}
}

int playback_run(void *context, int channel)
{
	struct playback *playback = calloc(1, sizeof(*playback));
	struct tracker_config subject = *(const struct tracker_config *)context;

	if (!playback)
		return EXIT_FAILURE;
	playback->subject = subject;
	playback->outbox.channel = channel;
	subject.deliver = outbox_observe;
	subject.context = &playback->outbox;
	if (tracker_new(&subject, &playback->sink.tracker) < 0)
		return EXIT_FAILURE;
	return serve(playback, channel) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/recordings.h"

#include <errno.h>

#include "observe/network/inspector.h"

struct sink {
	const struct recordings *recordings;
	bool heard; /* the device did something */
};

static void on_observation(void *context, const struct observation *observation)
{
	struct sink *sink = context;

	if (observation->kind != OBSERVATION_CAPTURE)
		sink->heard = true;
	sink->recordings->deliver(sink->recordings->context, observation);
}

int recorded_device_parse(const char *text, struct recorded_device *ret_device)
{
	struct recorded_device device = {.is_named = true};

	if (mac_parse(text, &device.mac) < 0 && ip_parse(text, &device.address) < 0)
		return -EINVAL;
	*ret_device = device;
	return 0;
}

/* A damaged file does not keep the others from being read; the first damage is what is told. */
static int read_files(const struct recordings *recordings, struct recording_reader *reader,
		      struct error *error)
{
	int first = 0;
	int code;

	for (size_t i = 0; i < recordings->file_count; i++) {
		if (recordings->begin_file)
			recordings->begin_file(recordings->context, recordings->files[i]);
		code = recording_reader_read(reader, recordings->files[i], first ? NULL : error);
		if (code < 0 && code != -EBADMSG)
			return code;
		if (code < 0 && !first)
			first = code;
	}
	code = recording_reader_finish(reader, first ? NULL : error);
	return first ? first : code;
}

static enum tracker_subject subject_of(const struct recorded_device *device)
{
	if (!device->is_named)
		return TRACK_THIS_HOST;
	return mac_is_zero(&device->mac) ? TRACK_ADDRESS : TRACK_MAC;
}

int recordings_read(const struct recordings *recordings, bool *ret_heard, struct error *error)
{
	struct sink sink = {.recordings = recordings};
	struct tracker_config subject = {
		.subject = subject_of(&recordings->device),
		.mac = recordings->device.mac,
		.address = recordings->device.address,
		.deliver = on_observation,
		.context = &sink,
	};
	struct recording_reader *reader;
	int code = recording_reader_new(&subject, &reader, error);

	if (code < 0)
		return code;
	code = read_files(recordings, reader, error);
	recording_reader_free(reader);
	*ret_heard = sink.heard;
	if (code == 0 && !sink.heard && !recordings->device.is_named)
		return error_set(error, ENODATA,
				 "%s: nothing in it is marked as sent by the capturing host; name "
				 "the device with --device MAC",
				 recordings->files[0]);
	return code;
}

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

int recordings_set_device(struct recordings *recordings, const char *text)
{
	if (mac_parse(text, &recordings->mac) < 0 && ip_parse(text, &recordings->address) < 0)
		return -EINVAL;
	recordings->has_device = true;
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

int recordings_read(const struct recordings *recordings, bool *ret_heard, struct error *error)
{
	struct sink sink = {.recordings = recordings};
	struct tracker_config subject = {
		.subject = !recordings->has_device	   ? TRACK_THIS_HOST
			   : mac_is_zero(&recordings->mac) ? TRACK_ADDRESS
							   : TRACK_MAC,
		.mac = recordings->mac,
		.address = recordings->address,
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
	if (code == 0 && !sink.heard && !recordings->has_device)
		return error_set(error, ENODATA,
				 "%s: nothing in it is marked as sent by the capturing host; name "
				 "the device with --device MAC",
				 recordings->files[0]);
	return code;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/network/inspector.h"
#include "observe/network/message.h"
#include "observe/network/playback.h"
#include "privilege/channel.h"
#include "privilege/worker.h"

enum { GRACE_MS = 1000 };

struct recording_reader {
	struct tracker_config subject;
	struct worker *worker; /* NULL once it failed */
	struct message_checker checker;
	struct report reports[REPORTS_PER_MESSAGE];
};

int recording_reader_new(const struct tracker_config *subject, struct recording_reader **ret_reader,
			 struct error *error)
{
	struct recording_reader *reader = calloc(1, sizeof(*reader));
	const struct worker_config worker = {.name = "rtguard-reader",
					     .run = playback_run,
					     .context = reader ? &reader->subject : NULL};
	int result;

	if (!reader)
		return error_set(error, ENOMEM, "out of memory");
	reader->subject = *subject;
	reader->checker.station = subject->station;
	result = worker_start(&worker, &reader->worker, error);
	if (result < 0) {
		free(reader);
		return result;
	}
	*ret_reader = reader;
	return 0;
}

static int worker_failed(struct recording_reader *reader, const char *why, const char *path,
			 struct error *error)
{
	char text[WORKER_END_TEXT_SIZE];

	worker_end(take_pointer(reader->worker), why ? 0 : GRACE_MS, text);
	return error_set(error, EIO, "%s: the process that was reading it %s", path,
			 why ? why : text);
}

/* Delivers what comes until a report of the kind asked for. */
static int receive_until(struct recording_reader *reader, uint32_t kind, const char *path,
			 struct trouble *ret_trouble, struct error *error)
{
	for (;;) {
		int count = channel_receive(worker_channel(reader->worker), reader->reports,
					    sizeof(reader->reports[0]), REPORTS_PER_MESSAGE, true,
					    NULL);

		if (count == 0)
			return worker_failed(reader, NULL, path, error);
		if (count < 0)
			return worker_failed(reader, "broke the rules of its channel and was ended",
					     path, error);
		for (int i = 0; i < count; i++) {
			struct report report;

			if (message_check(&reader->checker, &reader->reports[i], &report) < 0)
				return worker_failed(reader, "said what it must not and was ended",
						     path, error);
			if (report.kind == REPORT_OBSERVATION) {
				reader->subject.deliver(reader->subject.context,
							&report.observation);
			} else if (report.kind == kind && i == count - 1) {
				*ret_trouble = report.trouble;
				return 0;
			} else {
				return worker_failed(reader, "lost count and was ended", path,
						     error);
			}
		}
	}
}

static int send_command(struct recording_reader *reader, enum command_kind kind, int fd,
			const char *path, struct error *error)
{
	const struct command command = {.kind = kind};

	if (!reader->worker)
		return error_set(error, EIO, "%s: the process that reads captures is gone", path);
	if (channel_send(worker_channel(reader->worker), &command, sizeof(command), 1, fd) < 0)
		return worker_failed(reader, NULL, path, error);
	return 0;
}

/* Opened with the caller's rights; not a byte of it is looked at here. */
static int open_recording(const char *path, int *ret_fd, struct error *error)
{
	_cleanup_(closep) int fd = -1;
	struct stat status;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return error_set(error, EISDIR, "%s: is a directory, not a capture file", path);
	if (S_ISREG(status.st_mode) && status.st_size == 0)
		return error_set(error, EBADMSG,
				 "%s: is empty (0 bytes), not even a capture's header", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

int recording_reader_read(struct recording_reader *reader, const char *path, struct error *error)
{
	const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;
	_cleanup_(closep) int fd = -1;
	struct trouble trouble;
	int result = open_recording(path, &fd, error);

	if (result == 0)
		result = send_command(reader, COMMAND_READ, fd, shown, error);
	if (result == 0)
		result = receive_until(reader, REPORT_FILE, shown, &trouble, error);
	if (result == 0 && trouble.code)
		result = error_set(error, trouble.code, "%s: %s", shown, trouble.text);
	return result;
}

int recording_reader_finish(struct recording_reader *reader, struct error *error)
{
	struct trouble trouble;
	int result = send_command(reader, COMMAND_FINISH, -1, "captures", error);

	if (result == 0)
		result = receive_until(reader, REPORT_FINISHED, "captures", &trouble, error);
	return result;
}

void recording_reader_free(struct recording_reader *reader)
{
	if (!reader)
		return;
	worker_end(reader->worker, 0, NULL);
	free(reader);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/finding_outbox.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

void finding_outbox_init(struct finding_outbox *outbox, int channel, struct desk *desk)
{
	memset(outbox, 0, sizeof(*outbox));
	outbox->channel = channel;
	outbox->desk = desk;
	outbox->tokens = OUTBOX_PER_SECOND;
	outbox->filled_ns = clock_monotonic_ns();
}

bool finding_outbox_has_room(struct finding_outbox *outbox)
{
	const uint64_t each_ns = NS_PER_S / OUTBOX_PER_SECOND;
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t fresh = (now_ns - outbox->filled_ns) / each_ns;

	if (fresh) {
		outbox->filled_ns += fresh * each_ns;
		outbox->tokens = fresh + outbox->tokens > OUTBOX_PER_SECOND
					 ? OUTBOX_PER_SECOND
					 : outbox->tokens + (uint32_t)fresh;
	}
	return outbox->tokens > 0;
}

static bool send_finding(struct finding_outbox *outbox, const struct finding *finding, int file)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {.iov_base = (void *)(uintptr_t)finding, .iov_len = sizeof(*finding)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	ssize_t sent;

	if (file >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
	}
	do {
		sent = sendmsg(outbox->channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)sizeof(*finding);
}

static bool is_equal(const struct finding *a, const struct finding *b)
{
	return a->kind == b->kind && a->action == b->action && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->program, b->program) == 0;
}

static void hold(struct finding_outbox *outbox, const struct finding *finding)
{
	for (uint32_t i = 0; i < outbox->held_count; i++) {
		if (is_equal(&outbox->held[i], finding)) {
			outbox->held[i].repeats++;
			return;
		}
	}
	if (outbox->held_count == OUTBOX_HELD) {
		outbox->desk->findings_lost++;
		return;
	}
	outbox->held[outbox->held_count++] = *finding;
}

void finding_outbox_put(struct finding_outbox *outbox, const struct finding *finding, int file)
{
	if (!finding_outbox_has_room(outbox)) {
		hold(outbox, finding);
		return;
	}
	outbox->tokens--;
	if (!send_finding(outbox, finding, file))
		outbox->desk->findings_lost++;
}

bool finding_outbox_flush(struct finding_outbox *outbox)
{
	while (outbox->held_count && finding_outbox_has_room(outbox)) {
		struct finding *last = &outbox->held[outbox->held_count - 1];

		outbox->tokens--;
		if (!send_finding(outbox, last, -1))
			outbox->desk->findings_lost += 1 + last->repeats;
		outbox->held_count--;
	}
	return outbox->held_count > 0;
}

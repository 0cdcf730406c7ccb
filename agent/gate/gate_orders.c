/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/gate_orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "gate/gate_private.h"
#include "privilege/channel.h"
#include "profiles/profile_json.h"

#define PROFILE_ORIGIN "the profile's network part"
#define WAIT_NS	       (5 * NS_PER_S) /* for a supervisor that has much to read */

/* What is an answer must arrive; but never waits for a supervisor that does not read. */
static void answer(struct gate *gate, const struct gate_word *word)
{
	uint64_t until_ns = clock_monotonic_ns() + WAIT_NS;

	while (channel_offer(gate->config->channel, word, sizeof(*word), 1, -1) == -EAGAIN &&
	       clock_monotonic_ns() < until_ns)
		(void)usleep(1000);
}

static void answer_result(struct gate *gate, enum gate_word_kind kind, int result,
			  const struct error *error)
{
	struct gate_word word = {.kind = kind, .result = result};

	if (result < 0)
		(void)snprintf(word.text, sizeof(word.text), "%s", error->message);
	answer(gate, &word);
}

/* ---- the profile ---- */

static int read_whole(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t length = pread(fd, bytes + done, size - done, (off_t)done);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length < 0 ? -errno : -EIO;
		done += (size_t)length;
	}
	return 0;
}

/* Sealed: what was read is what it stays. */
static int read_profile(int fd, struct profile **ret_profile, struct error *error)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	_cleanup_(freep) char *bytes = NULL;
	struct stat status;
	int result;

	if (fd < 0 || (fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &status) < 0)
		return error_set(error, EINVAL, PROFILE_ORIGIN " did not come sealed");
	if (status.st_size <= 0 || (uint64_t)status.st_size > PROFILE_SIZE_LIMIT)
		return error_set(error, EFBIG, PROFILE_ORIGIN " has %lld bytes",
				 (long long)status.st_size);
	bytes = malloc((size_t)status.st_size);
	if (!bytes)
		return error_set(error, ENOMEM, "out of memory");
	result = read_whole(fd, bytes, (size_t)status.st_size);
	if (result < 0)
		return error_set(error, -result, PROFILE_ORIGIN " cannot be read: %s",
				 strerror(-result));
	return profile_parse(PROFILE_ORIGIN, bytes, (size_t)status.st_size, ret_profile, error);
}

static void apply(struct gate *gate, const struct gate_order *order, int fd)
{
	struct profile *profile = NULL;
	struct error error = {0};
	int result = read_profile(fd, &profile, &error);

	if (result == 0)
		result = gate_apply_profile(gate, profile, order->report_only, &error);
	answer_result(gate, GATE_APPLIED, result, &error);
}

/* ---- the others ---- */

static void change(struct gate *gate, const struct gate_order *order, int fd)
{
	struct error error = {0};
	int result = gate_apply_again(gate, order->report_only, &error);

	(void)fd;
	answer_result(gate, GATE_APPLIED, result, &error);
}

static void count(struct gate *gate, const struct gate_order *order, int fd)
{
	struct gate_word word = {.kind = GATE_COUNTED};
	struct backend_counts packets = {0};
	struct error error = {0};

	(void)order;
	(void)fd;
	if (gate->program && gate->kernel.backend->counts(gate->backend, &packets, &error) == 0) {
		gate->counts.refused_out = packets.refused_out;
		gate->counts.refused_in = packets.refused_in;
		gate->counts.refused_forward = packets.refused_forward;
	}
	if (gate->kernel.backend)
		(void)snprintf(gate->counts.backend, sizeof(gate->counts.backend), "%s",
			       gate->kernel.backend->name);
	gate->counts.names = (uint32_t)name_addresses_count(gate->names);
	word.counts = gate->counts;
	answer(gate, &word);
}

static void clear(struct gate *gate, const struct gate_order *order, int fd)
{
	struct error error = {0};
	int result;

	(void)order;
	(void)fd;
	/* the rules first: without anybody who listens what they hold would be dropped */
	result = gate->kernel.backend ? gate->kernel.backend->clear(&error)
				      : backend_clear_all(&error);
	if (result == 0)
		gate_stop_listening(gate);
	answer_result(gate, GATE_CLEARED, result, &error);
	loop_stop(gate->loop, result);
}

void gate_take_order(struct gate *gate)
{
	static void (*const orders[])(struct gate * gate, const struct gate_order *order,
				      int fd) = {
		[GATE_APPLY] = apply,
		[GATE_CHANGE] = change,
		[GATE_COUNT] = count,
		[GATE_CLEAR] = clear,
	};
	_cleanup_(closep) int fd = -1;
	struct gate_order order;
	int taken = channel_receive(gate->config->channel, &order, sizeof(order), 1, false, &fd);

	if (taken == -EAGAIN)
		return;
	if (taken <= 0) {
		loop_stop(gate->loop, taken ? taken : -EPIPE);
		return;
	}
	if (order.kind < array_length(orders) && orders[order.kind])
		orders[order.kind](gate, &order, fd);
}

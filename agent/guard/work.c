/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step after the other, each noted on the desk before it is taken. */
#include <errno.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "guard/examiner.h"
#include "guard/guard_private.h"

/* How long hashing goes on before the kernel is asked for new events. */
#define TURN_NS (2 * NS_PER_MS)

/* From this time on an event at which guards ended is denied unseen. */
#define SUSPECT_LIMIT 3

/* Disks get this long before they are waited for. */
#define DISK_WAIT_NS (20 * NS_PER_MS)

#define COMMIT(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

static void suspect(struct guard *guard, int fd)
{
	guard->desk->beat++;
	COMMIT(guard->desk->suspect_fd, fd);
}

static void acquit(struct guard *guard)
{
	guard->desk->suspect_count = 0;
	COMMIT(guard->desk->suspect_fd, 0);
}

static bool is_condemned(const struct guard *guard, int fd)
{
	return fd == guard->desk->suspect_fd && guard->desk->suspect_count >= SUSPECT_LIMIT;
}

/* The places of desk->pending and guard->cases belong together. */
static struct desk_pending *pending_of(struct guard *guard, const struct inquiry *inquiry)
{
	return &guard->desk->pending[inquiry - guard->cases];
}

static void release(struct guard *guard, struct inquiry *inquiry)
{
	if (inquiry->examination >= 0 &&
	    (inquiry->state == INQUIRY_EXAMINES_IMAGE || inquiry->state == INQUIRY_EXAMINES_SCRIPT))
		examiner_release(guard->desk, inquiry->examination);
	inquiry->examination = -1;
}

static void finish_pending(struct guard *guard, struct inquiry *inquiry)
{
	int fd = inquiry->fd;

	release(guard, inquiry);
	/* now it is done; a number is closed once at most */
	COMMIT(pending_of(guard, inquiry)->fd, 0);
	inquiry->fd = 0;
	guard->waiting--;
	acquit(guard);
	(void)close(fd);
}

static bool is_being_hashed(const struct guard *guard, const struct inquiry *inquiry,
			    size_t *ret_leader)
{
	for (size_t i = 0; i < DESK_PENDING_LIMIT; i++) {
		const struct inquiry *other = &guard->cases[i];

		if (other != inquiry && other->fd && other->state == INQUIRY_HASHING &&
		    file_key_equal(&other->facts.key, &inquiry->facts.key)) {
			*ret_leader = i;
			return true;
		}
	}
	return false;
}

static bool is_being_examined(const struct guard *guard, const struct inquiry *inquiry)
{
	for (size_t i = 0; i < DESK_PENDING_LIMIT; i++) {
		const struct inquiry *other = &guard->cases[i];

		if (other != inquiry && other->fd && other->state == INQUIRY_EXAMINES_IMAGE &&
		    file_key_equal(&other->image, &inquiry->image))
			return true;
	}
	return false;
}

/* What a judgement asks for is set going. Where no helper is free it is judged again later. */
static void arrange(struct guard *guard, struct inquiry *inquiry, enum judgement needed)
{
	const char *script = needed == NEEDS_SCRIPT ? guard->wanted : NULL;

	inquiry->state = INQUIRY_NEW;
	if (needed == NEEDS_HASH) {
		inquiry->state = is_being_hashed(guard, inquiry, &inquiry->leader)
					 ? INQUIRY_FOLLOWS
					 : INQUIRY_HASHING;
		return;
	}
	if (!script && is_being_examined(guard, inquiry))
		return;
	inquiry->examination =
		examiner_start(guard->desk, inquiry->pid, script, guard->config->file_size_limit);
	if (inquiry->examination < 0)
		return;
	inquiry->examinations++;
	inquiry->state = script ? INQUIRY_EXAMINES_SCRIPT : INQUIRY_EXAMINES_IMAGE;
}

static enum judgement judge_and_answer(struct guard *guard, struct inquiry *inquiry)
{
	struct verdict_here verdict;
	enum judgement judgement = judge(guard, inquiry, &verdict);

	if (judgement == JUDGED)
		answer(guard, inquiry, &verdict);
	else if (judgement == JUDGED_GONE) /* nobody is there to be told */
		answer(guard, inquiry, &(struct verdict_here){0});
	return judgement;
}

/* ---- events in the buffer ---- */

/* Returns false when it needs a place and there is none. */
static bool work_event(struct guard *guard, const struct fanotify_event_metadata *event)
{
	struct inquiry inquiry = {.fd = event->fd,
				  .pid = event->pid,
				  .mask = event->mask,
				  .since_ns = guard->desk->read_ns,
				  .examination = -1};
	bool condemned = is_condemned(guard, event->fd);
	struct desk_pending *pending;
	enum judgement judgement;

	suspect(guard, event->fd);
	if (condemned) {
		answer_unseen(guard, &inquiry);
	} else {
		judgement = judge_and_answer(guard, &inquiry);
		if (judgement != JUDGED && judgement != JUDGED_GONE) {
			pending = desk_defer(guard->desk);
			acquit(guard);
			if (!pending)
				return false;
			guard->cases[pending - guard->desk->pending] = inquiry;
			guard->waiting++;
			arrange(guard, &guard->cases[pending - guard->desk->pending], judgement);
			return true;
		}
	}
	desk_step(guard->desk);
	acquit(guard);
	(void)close(inquiry.fd);
	return true;
}

bool work_events(struct guard *guard)
{
	const struct fanotify_event_metadata *event;

	while ((event = desk_event(guard->desk))) {
		if (event->mask & FAN_Q_OVERFLOW)
			guard->desk->overflows++;
		if (event->fd <= 0 || event->vers != FANOTIFY_METADATA_VERSION) {
			desk_step(guard->desk);
			continue;
		}
		guard->desk->events++;
		if (!work_event(guard, event)) {
			guard->desk->events--;
			return false;
		}
	}
	return true;
}

/* ---- those that wait ---- */

static void judge_again(struct guard *guard, struct inquiry *inquiry)
{
	enum judgement judgement;

	suspect(guard, inquiry->fd);
	judgement = judge_and_answer(guard, inquiry);
	if (judgement == JUDGED || judgement == JUDGED_GONE) {
		finish_pending(guard, inquiry);
		return;
	}
	arrange(guard, inquiry, judgement);
	/* as suspicious as before: what follows may be what guards ended at */
	COMMIT(guard->desk->suspect_fd, 0);
}

static void spread(struct guard *guard, const struct inquiry *leader)
{
	size_t index = (size_t)(leader - guard->cases);

	for (size_t i = 0; i < DESK_PENDING_LIMIT; i++) {
		struct inquiry *inquiry = &guard->cases[i];

		if (!inquiry->fd || inquiry->state != INQUIRY_FOLLOWS || inquiry->leader != index)
			continue;
		/* it follows for one file; the leader may have read a later state of it */
		if (file_key_equal(&inquiry->facts.key, &leader->file.key))
			inquiry->file = leader->file;
		inquiry->state = INQUIRY_NEW;
	}
}

static enum file_nature nature_of(const struct inquiry *inquiry)
{
	uint8_t bytes[32];
	ssize_t got = pread(inquiry->fd, bytes, sizeof(bytes), 0);

	return got < 0 ? FILE_EXECUTABLE : file_nature_of(bytes, (size_t)got, "");
}

static void hashed(struct guard *guard, struct inquiry *inquiry, enum file_hash_step step,
		   const uint8_t sha256[32], bool settled, const struct file_key *key)
{
	struct file_result *result = &inquiry->file;

	*result = (struct file_result){.known = true, .key = *key};
	if (step == FILE_HASH_DONE) {
		result->hashed = true;
		memcpy(result->sha256, sha256, sizeof(result->sha256));
		result->content = program_policy_find(guard->policy, sha256);
		guard->desk->hashed_files++;
		guard_remember(guard, inquiry->class, result, settled, nature_of(inquiry));
	} else {
		result->why = FINDING_FILE_UNREADABLE;
	}
	spread(guard, inquiry);
	inquiry->state = INQUIRY_NEW;
}

/* One slice. Returns false while its disk has to be waited for. */
static bool hash_slice(struct guard *guard, struct inquiry *inquiry)
{
	struct desk_pending *pending = pending_of(guard, inquiry);
	uint32_t next = !pending->hash_current;
	struct file_hash *hash = &pending->hash[next];
	bool wait = clock_monotonic_ns() - inquiry->since_ns > DISK_WAIT_NS;
	enum file_hash_step step;
	uint8_t sha256[32];
	uint64_t offset;
	bool settled = false;

	suspect(guard, inquiry->fd);
	*hash = pending->hash[pending->hash_current & 1];
	offset = hash->offset;
	step = file_hash_advance(hash, inquiry->fd, guard->buffer, wait, sha256, &settled);
	if (step == FILE_HASH_WAITS) {
		acquit(guard);
		return false;
	}
	if (hash->offset > offset)
		guard->desk->hashed_bytes += hash->offset - offset;
	COMMIT(pending->hash_current, next);
	if (step != FILE_HASH_MORE)
		hashed(guard, inquiry, step, sha256, settled, &hash->key);
	acquit(guard);
	return true;
}

static void examined(struct guard *guard, struct inquiry *inquiry)
{
	const struct desk_examination *place = &guard->desk->examinations[inquiry->examination];
	struct file_result result = {
		.known = true,
		.absent = place->absent,
		.hashed = place->hashed,
		.why = place->hashed ? FINDING_NONE : place->why,
		.key = place->key,
	};
	const struct file_facts facts = {.key = place->key, .mount = place->mount};

	if (result.hashed) {
		memcpy(result.sha256, place->sha256, sizeof(result.sha256));
		result.content = program_policy_find(guard->policy, result.sha256);
		guard_remember(guard, filesystems_class(guard->filesystems, &facts, inquiry->pid),
			       &result, place->settled, place->nature);
	}
	if (inquiry->state == INQUIRY_EXAMINES_IMAGE)
		inquiry->image_file = result;
	else
		inquiry->script = result;
	release(guard, inquiry);
	inquiry->state = INQUIRY_NEW;
}

/* Returns whether anything could be done. */
static bool work_case(struct guard *guard, struct inquiry *inquiry)
{
	bool was_new = inquiry->state == INQUIRY_NEW;

	switch (inquiry->state) {
	case INQUIRY_HASHING:
		if (!hash_slice(guard, inquiry))
			return false;
		break;
	case INQUIRY_EXAMINES_IMAGE:
	case INQUIRY_EXAMINES_SCRIPT:
		if (!examiner_done(guard->desk, inquiry->examination, clock_monotonic_ns()))
			return false;
		examined(guard, inquiry);
		break;
	case INQUIRY_FOLLOWS:
		return false;
	case INQUIRY_NEW:
		break;
	}
	if (inquiry->state == INQUIRY_NEW)
		judge_again(guard, inquiry);
	/* still new: it waits for a helper */
	return !(was_new && inquiry->fd && inquiry->state == INQUIRY_NEW);
}

int work_pending(struct guard *guard)
{
	uint64_t until_ns;
	bool more = true;

	if (!guard->waiting)
		return -1;
	until_ns = clock_monotonic_ns() + TURN_NS;
	while (guard->waiting && more) {
		more = false;
		for (size_t n = 0; n < DESK_PENDING_LIMIT; n++) {
			struct inquiry *inquiry = &guard->cases[guard->turn];

			guard->turn = (guard->turn + 1) % DESK_PENDING_LIMIT;
			if (!inquiry->fd)
				continue;
			more |= work_case(guard, inquiry);
			if (clock_monotonic_ns() >= until_ns)
				return 0;
		}
	}
	return guard->waiting ? 1 : -1;
}

void work_begin(struct guard *guard)
{
	struct desk *desk = guard->desk;
	struct inquiry *first = NULL;

	if (desk->suspect_fd)
		desk->suspect_count++;
	for (size_t i = 0; i < DESK_PENDING_LIMIT; i++) {
		const struct desk_pending *pending = &desk->pending[i];

		if (!pending->fd)
			continue;
		guard->cases[i] = (struct inquiry){.fd = pending->fd,
						   .pid = pending->pid,
						   .mask = pending->mask,
						   .since_ns = pending->since_ns,
						   .examination = -1};
		guard->waiting++;
		if (pending->fd == desk->suspect_fd)
			first = &guard->cases[i];
	}
	if (!first)
		return;
	/* It comes first, so that nothing else clears its name. */
	if (is_condemned(guard, first->fd)) {
		answer_unseen(guard, first);
		finish_pending(guard, first);
	} else {
		(void)work_case(guard, first);
		if (first->fd && first->state == INQUIRY_HASHING)
			(void)work_case(guard, first);
	}
}
